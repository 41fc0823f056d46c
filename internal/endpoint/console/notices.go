package console

// notices are what a page may say was done, by the parameter `done`.
var notices = map[string]string{
	"made":        "Made.",
	"password":    "The password is set. Sessions and tokens of the user are dead.",
	"removed":     "Removed.",
	"sessions":    "Ended.",
	"saved":       "Saved.",
	"deleted":     "Deleted.",
	"deactivated": "Deactivated. Everything that it was given is dead.",
	"activated":   "Activated. What died when it was deactivated stays dead.",
	"revoked":     "Revoked. The tokens are refused from now on.",
	"retired":     "Retired. The secret is refused from now on.",
	"withdrawn":   "Withdrawn. What the key signed is refused from now on.",
	"rotated":     "Rotated. The keys below are those of now.",
	"signedout":   "Done. The sessions of the account have ended.",
	"some":        "Deactivated, save those that were gone meanwhile or are not yours to change.",
	"partly":      "Only some are revoked so far: the server was interrupted. Revoke the rest.",
	"nothing":     "Nothing was chosen, so nothing was done.",
}
