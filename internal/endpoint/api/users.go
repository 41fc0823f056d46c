package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

// InUser is the path of one user.
type InUser struct {
	InApplication
	UUID string `path:"uuid" doc:"The uuid of the user."`
}

type writeUser struct {
	InUser
	IfMatch
}

type userPage struct {
	InApplication
	Paging
	Q      string `query:"q" maxLength:"254" doc:"Words, without regard to case: each is the beginning of a word of the user's names, of the address, of its domain or of the uuid."`
	Active string `query:"active" enum:"true,false" doc:"Only users who are active, or who are not."`
	Role   string `query:"role" maxLength:"100" doc:"Only users with this role."`
}

func (a *api) users(b *builder) {
	k := &records[user.User, user.Fields, user.View]{
		noun: "user", plural: "users", parameter: "uuid", need: admin.EditUsers, body: b.userFields(),
		summaries: summaries{
			list:   "List and search users: in the order in which they were made, with q in that of the words found",
			create: "Make a user",
			get:    "Show a user",
			edit:   "Change a user; deactivation and another password end all sessions and tokens of the user",
			remove: "Delete a user and all that the user was given",
		},
		core: func(c *call) editor[user.User, user.Fields] { return a.Users.By(c.role) },
		read: (*user.Fields).Patch,
		show: func(u *user.User) (string, int64, user.View) { return u.UUID, u.Revision, u.View() },
	}
	handle(b, operation{
		method: http.MethodGet, path: k.path(), id: "list-users", tag: k.plural, need: admin.Read, summary: k.summaries.list,
	}, a.listUsers)
	declareOne[InUser, writeUser](b, k)
	handle(b, operation{
		method: http.MethodPost, path: k.path() + "/{uuid}/reset-link", id: "create-reset-link", tag: k.plural, need: admin.EditUsers,
		summary: "Make a link by which the user chooses a password, once; whoever has it can", status: http.StatusCreated,
		body: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false}, loose: true, refuses: []int{http.StatusNotFound, http.StatusConflict},
	}, a.createResetLink)
}

// ResetLink is a link that is good once.
type ResetLink struct {
	URL       string    `json:"url" doc:"It is answered this once."`
	ExpiresAt time.Time `json:"expires_at" doc:"Another password, and deactivation, end it before."`
}

// createResetLink makes a link for an administrator to hand over, where there is
// no mail. The password that the user has stays good until the link is used.
func (a *api) createResetLink(c *call, in *InUser) (*plainly[ResetLink], error) {
	r, err := c.reader()
	if err != nil {
		return nil, err
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	u, err := a.Users.Get(c.Context(), c.app.ID, in.UUID)
	if err != nil {
		return nil, err
	}
	token, expires, err := a.SignIn.ResetLink(c.Context(), c.source(), c.app, u)
	if err != nil {
		return nil, err
	}
	link := a.issuer(c.app.ID) + oauth.LinkPath + "?" + url.Values{"token": {token}}.Encode()
	return &plainly[ResetLink]{ResetLink{link, expires}}, nil
}

// userFields describes a user, and gives the schema of what is written.
func (b *builder) userFields() *huma.Schema {
	ref := writable[user.View](b, "UserFields", map[string]string{
		"uuid":              "Made by the server; sub in tokens.",
		"email":             "Unique in the application without regard to case; a user may have none.",
		"email_verified":    "Whether the user proved to read what is sent there; false where the address changes and this is left out.",
		"attributes":        "What else is known of the user, by the application's schema: at most 64 KiB. In a PATCH its members are merged, null removes one.",
		"roles":             "Up to 100, each of 1 to 100 characters. Scopes with a required_role are given to users with that role only.",
		"active":            "Whether the user can sign in; false also ends all that the user was given, for good.",
		"created_at":        "When the user was made.",
		"updated_at":        "When the record was last changed.",
		"last_signed_in_at": "When the user last signed in; null: never.",
	})
	fields := b.huma.OpenAPI().Components.Schemas.Map()["UserFields"]
	for _, name := range []string{"uuid", "created_at", "updated_at", "last_signed_in_at"} {
		fields.Properties[name].ReadOnly = true
	}
	fields.Properties["active"].Default = true
	fields.Properties["password"] = &huma.Schema{
		Type: huma.TypeString, Nullable: true, WriteOnly: true,
		Description: "8 to 256 characters, not the address, and not among the commonest ones. null: the user has none. Another one ends all sessions and tokens of the user.",
	}
	return ref
}

func (a *api) listUsers(c *call, in *userPage) (*plainly[list[user.View]], error) {
	for name, text := range map[string]string{"q": in.Q, "role": in.Role} {
		if !nameable(text) {
			return nil, inQuery(name, "Write text in UTF-8.")
		}
	}
	q := user.Search{Text: in.Q, Role: in.Role, Limit: in.Limit}
	if in.Active != "" {
		active := in.Active == "true"
		q.Active = &active
	}
	text, err := in.place()
	if err != nil {
		return nil, err
	}
	var ok bool
	if q.After, ok = user.ParsePlace(text); !ok {
		return nil, errCursor
	}
	found, next, err := a.Users.List(c.Context(), c.app.ID, q)
	if err != nil {
		return nil, err
	}
	views := make([]user.View, len(found))
	for i, u := range found {
		views[i] = u.View()
	}
	return page(views, next.String()), nil
}
