package console

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// signInTab is how a user signs in, and where.
type signInTab struct {
	HasPassword bool
	Password    *field
	Credentials []credentialRow
	Recovery    int64 // codes that are left
	Sessions    []sessionRow
}

type credentialRow struct {
	Label, Kind string
	Created     time.Time
	Used        time.Time // zero: never
	Remove      string    // path of the question
}

type sessionRow struct {
	SID, Browser, Address, Factors string
	Clients                        int64 // that took part
	SignedIn, Seen, Expires        time.Time
}

// credentialKinds says what a credential is.
var credentialKinds = map[signin.Kind]string{signin.TOTP: "authenticator app (TOTP)", signin.Passkey: "passkey"}

func (v *visit) userSignIn() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	return v.showSignIn(http.StatusOK, u, nil)
}

func (v *visit) showSignIn(status int, u *user.User, problems []page.Problem) error {
	tab := signInTab{HasPassword: u.PasswordHash != "", Password: &field{
		Name: "password", Label: "New password", Kind: "password", Required: true,
		Help: "8 to 256 characters, not the address, and not among the commonest ones. It ends at once, for good: ",
	}}
	beside(problems, tab.Password)
	credentials, codes, err := v.SignIn.List(v.r.Context(), v.app, u)
	if err != nil {
		return err
	}
	tab.Recovery = int64(codes)
	for _, c := range credentials {
		tab.Credentials = append(tab.Credentials, credentialRow{
			c.Label, credentialKinds[c.Kind], c.CreatedAt, c.UsedAt, with(v.atUser(u, "credential"), "id", c.ID),
		})
	}
	sessions, err := v.Sessions.List(v.r.Context(), v.app, u.UUID)
	if err != nil {
		return err
	}
	all, err := v.given(u, len(sessions))
	if err != nil {
		return err
	}
	tab.Password.Help += all + "."
	for _, s := range sessions {
		row := sessionRow{
			SID: s.SID, Browser: browser(s.UserAgent), Address: s.Address, Factors: "one factor", Clients: int64(len(s.Clients)),
			SignedIn: s.AuthTime, Seen: s.SeenAt, Expires: s.ExpiresAt,
		}
		if s.ACR == session.TwoFactors {
			row.Factors = "two factors"
		}
		tab.Sessions = append(tab.Sessions, row)
	}
	p := v.userPage(u, "signin", tab)
	p.Problems = problems
	return v.show(status, "user-signin", p)
}

// browser says in a few words what a User-Agent is.
func browser(agent string) string {
	name, system := page.Browser(agent)
	switch {
	case name == "":
		return "Unknown browser"
	case system == "":
		return name
	default:
		return name + " on " + system
	}
}

func (v *visit) setPassword() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	if _, err = v.people().SetPassword(v.r.Context(), v.source, v.app.ID, u.UUID, v.form.Get("password")); err == nil {
		return v.done(v.atUser(u, "signin"), "password")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.showSignIn(status, u, problems)
}

// linkData is a link that is shown this once.
type linkData struct {
	Name, URL, Back string
	Expires         time.Time
}

// makeResetLink makes a link by which the user chooses a password, for an
// administrator to hand over.
func (v *visit) makeResetLink() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	token, expires, err := v.SignIn.ResetLink(v.r.Context(), v.source, v.app, u)
	if err != nil {
		return err
	}
	p := v.below(u, "Reset link")
	p.Data = linkData{
		Name: called(u), URL: v.Issuers().Of(v.app.ID) + oauth.LinkPath + "?" + url.Values{"token": {token}}.Encode(),
		Back: v.atUser(u, "signin"), Expires: expires,
	}
	return v.show(http.StatusCreated, "user-link", p)
}

func (v *visit) askCredential() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	list, _, err := v.SignIn.List(v.r.Context(), v.app, u)
	if err != nil {
		return err
	}
	id := v.form.Get("id")
	for i := range list {
		c := &list[i]
		if c.ID != id {
			continue
		}
		effects := []string{"Sessions and tokens of the user live on."}
		if c.Kind == signin.TOTP {
			effects = append(effects, "With the last authenticator app the recovery codes go, too: the password alone is asked for then.")
		}
		return v.ask(http.StatusOK, v.below(u, "Remove this credential?"), question{
			Text: fmt.Sprintf("The %s “%s” of %s will be removed. Nobody signs in by it any more.", credentialKinds[c.Kind], c.Label, called(u)), Effects: effects,
			Action: v.atUser(u, "credential"), Hidden: []hidden{{"id", id}}, Button: "Remove", Back: v.atUser(u, "signin"),
		})
	}
	return fault.NotFoundf("There is no such credential.")
}

func (v *visit) removeCredential() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	if err := v.SignIn.Remove(v.r.Context(), v.source, v.app, u, v.form.Get("id")); err != nil {
		return err
	}
	return v.done(v.atUser(u, "signin"), "removed")
}

// endSession ends one session; one that is over already is no fault.
func (v *visit) endSession() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	sid, err := v.named("session")
	if err != nil {
		return err
	}
	if _, err := v.Sessions.EndSID(v.r.Context(), v.source, v.app.ID, u.UUID, sid); err != nil {
		return err
	}
	return v.done(v.atUser(u, "signin"), "sessions")
}

func (v *visit) askSessions() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	list, err := v.Sessions.List(v.r.Context(), v.app, u.UUID)
	if err != nil {
		return err
	}
	return v.ask(http.StatusOK, v.below(u, "End all sessions?"), question{
		Text: called(u) + " is signed out everywhere: " + number(int64(len(list)), "session ends", "sessions end") + " now.",
		Effects: []string{
			"Clients that took part and have a back-channel logout address are told.",
			"Tokens of the user live on; another password, or deactivation, ends them too.",
		},
		Action: v.atUser(u, "sessions"), Button: "End all sessions", Back: v.atUser(u, "signin"),
	})
}

func (v *visit) endSessions() error {
	u, err := v.user()
	if err != nil {
		return err
	}
	if _, err := v.Sessions.EndAll(v.r.Context(), v.source, v.app.ID, u.UUID, ""); err != nil {
		return err
	}
	return v.done(v.atUser(u, "signin"), "sessions")
}

// number writes a count and what is counted.
func number(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}
