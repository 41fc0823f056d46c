package authorize

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
)

// wishes are how the client wants its user authenticated and asked (OpenID
// Connect Core 1.0 §3.1.2.1). They hold without the scope openid, too.
type wishes struct {
	none, login, consent, choose bool          // prompt
	maxAge                       time.Duration // since the user proved who he is; < 0: any
	nonce                        string
	claims                       *oauth.ClaimsRequest
	subject                      string   // the user that it must be; "": any
	hinted                       bool     // by id_token_hint, not by the claim `sub` alone
	acr                          []string // one of these is essential; none: nothing is
}

// Bounds of what is kept with a code.
const (
	maxNonce = 1024             // bytes
	maxAge   = 10 * 365 * 86400 // seconds; more is no limit
)

// readWishes reads them.
func (f *flow) readWishes() (err error) {
	w := &f.wishes
	if err := w.readPrompt(f.form.Get("prompt")); err != nil {
		return err
	}
	w.maxAge = -1
	if text := f.form.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return oauth.InvalidRequest("The max_age is not well-formed; send a number of seconds.")
		}
		if seconds <= maxAge {
			w.maxAge = time.Duration(seconds) * time.Second
		}
	}
	if w.nonce = f.form.Get("nonce"); len(w.nonce) > maxNonce {
		return oauth.InvalidRequest("The nonce is too long; send at most 1024 characters.")
	}
	if f.response.IDToken() && w.nonce == "" {
		return oauth.InvalidRequest("The parameter nonce is missing; it is required where an ID token is asked for here.")
	}
	if w.claims, err = oauth.ParseClaims(f.form.Get("claims")); err != nil {
		return err
	}
	if err := f.readHint(); err != nil {
		return err
	}
	return w.readClaims()
}

func (w *wishes) readPrompt(text string) error {
	words := strings.Fields(text)
	for _, word := range words {
		switch word {
		case "none":
			w.none = true
		case "login":
			w.login = true
		case "consent":
			w.consent = true
		case "select_account":
			w.choose = true
		default:
			return oauth.InvalidRequest("The prompt is unknown; send none, or some of login, consent and select_account.")
		}
	}
	if w.none && len(words) > 1 {
		return oauth.InvalidRequest("The prompt is none and something else; none stands alone.")
	}
	return nil
}

// readHint finds whom id_token_hint means. The token may have expired.
func (f *flow) readHint() error {
	text := f.form.Get("id_token_hint")
	if text == "" {
		return nil
	}
	hint, ok, err := f.Hint(f.ctx, f.app.ID, text)
	if err != nil {
		return err
	}
	if !ok {
		return oauth.InvalidRequest("The id_token_hint is no ID token of this application, or its key is gone; leave it out.")
	}
	f.wishes.subject, f.wishes.hinted = hint.Subject, true
	return nil
}

// levels are the authentication context classes that there are, each meeting the
// needs of those before it.
var levels = []string{session.OneFactor, session.TwoFactors}

// readClaims finds what of the claims says how the user is authenticated: `sub`
// with a value names the user, and `acr` may be essential (§5.5.1.1). acr_values
// is a wish without weight: what the session has is told.
func (w *wishes) readClaims() error {
	if w.claims == nil {
		return nil
	}
	if wanted := w.claims.IDToken["sub"].Wants(); len(wanted) > 0 {
		if w.subject != "" && w.subject != wanted[0] {
			return oauth.InvalidRequest("The id_token_hint and the claim sub name two users; name one.")
		}
		w.subject = wanted[0]
	}
	acr := w.claims.IDToken["acr"]
	wanted := acr.Wants()
	if !acr.Essential || len(wanted) == 0 {
		return nil
	}
	w.acr = slices.DeleteFunc(wanted, func(v string) bool { return !slices.Contains(levels, v) })
	if len(w.acr) == 0 {
		return oauth.UnmetAuthentication("No user can be authenticated as is essential to the client; the metadata document names the acr_values that there are.")
	}
	return nil
}

// meets gives the class that the client is told of a session, "" where the
// session is not what is essential to the client.
func (w *wishes) meets(acr string) string {
	if len(w.acr) == 0 {
		return acr
	}
	for _, wanted := range w.acr {
		if slices.Index(levels, wanted) <= slices.Index(levels, acr) {
			return wanted
		}
	}
	return ""
}
