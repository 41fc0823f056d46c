package signin

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/consent"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/signin"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// recent is how long after signing in a user may change how he signs in: who
// finds a browser that was left open may not take the account over.
const recent = 15 * time.Minute

// done are the things that the account page may say were done, by its parameter
// `done`.
var done = map[string]string{ //nolint:gosec // G101: keys of texts
	"email-sent": "done.email.sent", "email-not-sent": "done.email.notsent", "password": "done.password", "totp": "done.totp", "totp-removed": "done.totp.removed",
	"passkey": "done.passkey", "passkey-removed": "done.passkey.removed", "client": "done.client",
	"session": "done.session", "sessions": "done.sessions",
}

// signedIn is for pages of the account: without a session, to the sign-in, which
// says so where a form is lost.
func signedIn(show func(*visit) error) func(*visit) error {
	return func(v *visit) error {
		if v.session == nil && v.r.Method == http.MethodPost {
			return v.redirect(with(v.path(v.app, signInPath), "notice", "lost"))
		}
		if v.session == nil {
			return v.redirect(v.path(v.app, signInPath))
		}
		return show(v)
	}
}

// freshly is signedIn, for what changes how the user signs in: a sign-in that is
// not recent is to be repeated, and leads back to the page of the account.
func freshly(page string, show func(*visit) error) func(*visit) error {
	return signedIn(func(v *visit) error {
		if v.Now().Sub(v.session.AuthTime) > recent {
			return v.redirect(with(v.path(v.app, signInPath), "notice", "fresh", again, page))
		}
		return show(v)
	})
}

// toAccount goes to the account, which says what was done.
func (v *visit) toAccount(what string) error {
	return v.redirect(with(v.path(v.app, accountPath), "done", what))
}

// showAccount is the account: how its user signs in, who has access to it, and
// where he is signed in.
func (v *visit) showAccount() error {
	d := accountData{Path: v.path(v.app, accountPath), Email: v.user.Email, Verified: !v.user.EmailVerifiedAt.IsZero(), HasPassword: v.user.PasswordHash != "", CanPasskeys: v.SignIn.Passkeys(), CanMail: v.SignIn.CanMail()}
	if key, ok := done[v.form.Get("done")]; ok {
		d.Notice = &page.Text{Key: key}
	}
	credentials, codes, err := v.SignIn.List(v.r.Context(), v.app, v.user)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		switch c.Kind {
		case signin.TOTP:
			d.TOTP, d.RecoveryCodes = true, codes
		case signin.Passkey:
			d.Passkeys = append(d.Passkeys, passkeyRow{c.ID, c.Label, c.CreatedAt, c.UsedAt})
		}
	}
	if d.HasClients = v.Home == ""; d.HasClients {
		if d.Clients, d.MoreClients, err = v.clients(); err != nil {
			return err
		}
	}
	if d.Sessions, err = v.sessions(); err != nil {
		return err
	}
	f := v.frame(d)
	f.Wide = true
	return v.show(http.StatusOK, "account", f)
}

// maxClients bounds the connected clients that are shown.
const maxClients = 200

// access is what a client may do for the user, and since when.
type access struct {
	client string
	scopes []string // some of them more than once
	since  time.Time
}

// clients are those that have access to the account.
func (v *visit) clients() (rows []clientRow, more bool, err error) {
	list, more, err := v.accesses()
	if err != nil {
		return nil, false, err
	}
	for _, a := range list {
		found, err := v.Clients.Get(v.r.Context(), v.app.ID, a.client)
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		slices.Sort(a.scopes)
		words, err := v.words(slices.Compact(a.scopes))
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, clientRow{a.client, found.Title(), scopeList{"dots", words}, a.since})
	}
	return rows, more, nil
}

// accesses are what the user's consents allow, and what live tokens carry: not
// every client needs a consent, and not every consent is remembered. Of the
// tokens one page is read, the newest; more says that there may be others.
func (v *visit) accesses() (list []*access, more bool, err error) {
	consents, err := v.Consents.List(v.r.Context(), v.app.ID, consent.Filter{UserID: v.user.UUID, Limit: maxClients})
	if err != nil {
		return nil, false, err
	}
	live, err := v.Tokens.List(v.r.Context(), v.app.ID, token.Query{
		Selection: token.Selection{UserID: v.user.UUID}, State: token.Live, Limit: token.MaxScan,
	})
	if err != nil {
		return nil, false, err
	}
	of := map[string]*access{}
	add := func(client string, scopes []string, since time.Time) {
		a := of[client]
		if a == nil {
			a = &access{client: client, since: since}
			of[client], list = a, append(list, a)
		}
		a.scopes = append(a.scopes, scopes...)
		if since.Before(a.since) {
			a.since = since
		}
	}
	for _, c := range consents {
		add(c.ClientID, c.Scopes, c.GrantedAt)
	}
	for _, f := range live.Families {
		add(f.ClientID, f.Scopes, f.IssuedAt)
	}
	more = live.More || len(consents) == maxClients || len(list) > maxClients
	return list[:min(len(list), maxClients)], more, nil
}

// sessions are where the user is signed in, this browser first.
func (v *visit) sessions() ([]sessionRow, error) {
	list, err := v.Sessions.List(v.r.Context(), v.app, v.user.UUID)
	if err != nil {
		return nil, err
	}
	var rows []sessionRow
	for _, s := range list {
		row := sessionRow{s.SID, s.SID == v.session.SID, describe(s.UserAgent), s.Address, s.SeenAt, s.CreatedAt}
		if row.Here {
			row.SeenAt = v.Now()
			rows = slices.Insert(rows, 0, row)
			continue
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// question asks before something of the account that there is no undo for.
func (v *visit) question(d formData) error {
	d.Back, d.BackLabel = v.path(v.app, accountPath), "account.back"
	return v.show(http.StatusOK, "form", v.frame(d))
}

// askRevoke asks before a client loses what it may do.
func (v *visit) askRevoke() error {
	rows, _, err := v.clients()
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].ID == v.form.Get("client") {
			intro := page.Say("revoke.intro", "client", rows[i].Name)
			return v.question(formData{
				Title: "revoke.title", Intro: &intro, Action: v.path(v.app, revokePath), Values: []hidden{{"client", rows[i].ID}}, Button: "account.clients.revoke",
			})
		}
	}
	return v.redirect(v.path(v.app, accountPath)) // it has nothing any more
}

// revokeClient takes back what a client may do; its tokens die.
func (v *visit) revokeClient() error {
	err := v.Consents.Revoke(v.r.Context(), v.source, v.app.ID, v.user.UUID, v.form.Get("client"))
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return v.toAccount("client")
}

// endSession ends one of the user's sessions: this one is signing out.
func (v *visit) endSession() error {
	sid := v.form.Get("session")
	if _, err := v.Sessions.EndSID(v.r.Context(), v.source, v.app.ID, v.user.UUID, sid); err != nil {
		return err
	}
	if sid != v.session.SID {
		return v.toAccount("session")
	}
	v.cookie(sessionCookie).Clear(v.w)
	return v.redirect(v.path(v.app, signedOutPath))
}

// askOtherSessions asks before the user is signed out everywhere else.
func (v *visit) askOtherSessions() error {
	rows, err := v.sessions()
	if err != nil {
		return err
	}
	intro := page.Say("others.intro", "n", strconv.Itoa(len(rows)-1))
	return v.question(formData{Title: "others.title", Intro: &intro, Action: v.path(v.app, otherSessionsPath), Button: "account.sessions.others"})
}

func (v *visit) endOtherSessions() error {
	if _, err := v.Sessions.EndAll(v.r.Context(), v.source, v.app.ID, v.user.UUID, v.session.SID); err != nil {
		return err
	}
	return v.toAccount("sessions")
}

func (v *visit) showSignedOut() error {
	v.SignedOut(v.w, v.r, v.app, "")
	return nil
}
