package authorize

import (
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// visit sends the browser to a page for users.
type visit struct{ need authorization.Need }

// Error names what is needed, for a log that it never reaches.
func (v *visit) Error() string { return "a page is needed: " + string(v.need) }

// reload sends the browser here once more, by GET: a POST from another site does
// not bring the session's cookie (SameSite=Lax).
type reload struct{}

// Error says so.
func (reload) Error() string { return "the request is to be repeated by GET" }

// refusals without a page (OpenID Connect Core 1.0 §3.1.2.6).
var refusals = map[authorization.Need]func(string) *oauth.Error{
	authorization.SignIn:       oauth.LoginRequired,
	authorization.SignInAgain:  oauth.LoginRequired,
	authorization.SecondFactor: oauth.InteractionRequired,
	authorization.Choose:       oauth.AccountSelectionRequired,
	authorization.Agree:        oauth.ConsentRequired,
}

// needs gives what becomes of a request that needs its user.
func (f *flow) needs(need authorization.Need) error {
	if f.wishes.none {
		return refusals[need]("The user would have to be shown a page, and prompt=none forbids it; send the request without it.")
	}
	return &visit{need}
}

// checkDenied ends a request whose user declined.
func (f *flow) checkDenied() error {
	if f.back != nil && f.back.Denied {
		return oauth.AccessDenied("The user declined.")
	}
	return nil
}

// findSession finds whose session this browser has, and sees to it that this
// is the user, and as recently and well authenticated, as the client wants
// (OpenID Connect Core 1.0 §3.1.2.3).
func (f *flow) findSession() (err error) {
	cookie := f.SessionCookie(f.app.ID).Read(f.r)
	if cookie == "" && f.back == nil && f.r.Method == http.MethodPost {
		return reload{}
	}
	f.session, f.user, err = f.Sessions.Find(f.ctx, f.app, cookie)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return f.needs(authorization.SignIn)
	case err != nil:
		return err
	}
	// What was done on a page counts from when the request first came on.
	again := f.back != nil && !f.session.AuthTime.Before(f.back.BegunAt)
	old := f.wishes.maxAge >= 0 && f.now.Sub(f.session.AuthTime) > f.wishes.maxAge
	f.acr = f.wishes.meets(f.session.ACR)
	switch {
	case f.wishes.choose && (f.back == nil || f.back.Chosen != f.session.SID):
		return f.needs(authorization.Choose)
	case f.wishes.subject != "" && f.wishes.subject != f.user.UUID:
		return f.otherUser()
	case (f.wishes.login || old) && !again:
		return f.needs(authorization.SignInAgain)
	case f.acr == "":
		return f.needs(authorization.SecondFactor)
	}
	return nil
}

// otherUser is for a request that means another user than the one who is signed
// in: that one may sign in, once.
func (f *flow) otherUser() error {
	if f.wishes.none || f.back != nil && f.back.Chosen == f.session.SID {
		return oauth.LoginRequired("Another user is signed in than the one that the request means.")
	}
	return f.needs(authorization.Choose)
}

// checkConsent sees to it that the user agreed to each scope, now or before.
func (f *flow) checkConsent() error {
	told := f.told()
	if f.back != nil {
		if once := f.back.Once; once != nil && once.SID == f.session.SID && covers(once.Scopes, told) {
			return nil
		}
	}
	given, err := f.Consents.Find(f.ctx, f.app.ID, f.user.UUID, f.client.ID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return f.needs(authorization.Agree)
	case err != nil:
		return err
	case !covers(given.Scopes, told):
		return f.needs(authorization.Agree)
	case f.wishes.consent && (f.back == nil || given.UpdatedAt.Before(f.back.BegunAt)):
		return f.needs(authorization.Agree)
	default:
		return nil
	}
}

func covers(granted, wanted []string) bool {
	return !slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(granted, s) })
}
