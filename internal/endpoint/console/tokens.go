package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/web"
)

func tokenRoutes(s *routes) {
	const all = inApplication + "/tokens"
	s.get(all, toRead, (*visit).tokens)
	s.post(all+"/revoke", to(admin.RevokeTokens), (*visit).revokeTokens)
	s.post(all+"/revoke-all", to(admin.RevokeTokens), (*visit).revokeMatching)
	s.get(all+"/{family}", toRead, (*visit).token)
	s.post(all+"/{family}/revoke", toRead, (*visit).revokeToken)
}

type tokensData struct {
	Path    string
	Filters []*field
	Table   tokenTable
	Pager   pager
	Any     bool   // whether the list is narrowed
	Clients string // path of the list of clients
	Living  bool   // whether it shows what lives
	All     string // path of the question whether to revoke all that match; "": not his to do, or nothing is chosen
	Hidden  []hidden
}

// tokens is the list of every token family of the application, narrowed by what
// the URL says; at first what lives.
func (v *visit) tokens() error {
	query := v.r.URL.Query()
	d := tokensData{Path: v.at("tokens"), Filters: []*field{
		{Name: "client", Label: "Client id", Mono: true, Help: "The consumer key, not the name.", Placeholder: "consumer key, not the name"},
		{Name: "user", Label: "User", Help: "The e-mail address, or the uuid.", Placeholder: "e-mail or uuid"},
		{Name: "scope", Label: "Scope", Mono: true, Help: "The whole name.", Placeholder: "its whole name"},
	}, Clients: v.at("clients")}
	for _, f := range d.Filters {
		f.Value = strings.TrimSpace(query.Get(f.Name))
		d.Any = d.Any || f.Value != ""
		if !inventory.ValidText(f.Value) {
			return v.redirect(d.Path) // a link that was put together by hand
		}
	}
	state := stateFilter(query.Get("state"))
	d.Filters = append(d.Filters, state)
	d.Living = state.Value == string(token.Live)
	selection, err := v.selection(d.Filters[0].Value, d.Filters[1].Value, d.Filters[2].Value)
	if err != nil {
		return err
	}
	if d.Table.Rows, d.Pager, err = v.tokenPage(d.Path, selection, state.Value); err != nil {
		return err
	}
	if v.may(admin.RevokeTokens) {
		d.Table.Revoke = keeping(v.at("tokens", "revoke"), query, tokenFilters)
		if found := len(d.Table.Rows) > 0 || d.Pager.First != "" || d.Pager.Next != ""; found && d.Any && (d.Living || state.Value == anyState) {
			d.All = v.at("tokens", "revoke-all")
			d.Hidden = selected(selection)
		}
	}
	d.Any = d.Any || query.Has("state")
	return v.show(http.StatusOK, "tokens", pageOf{Title: "Tokens", Section: "tokens", Data: d})
}

// tokenFilters are the parameters that narrow the list.
var tokenFilters = []string{"client", "user", "scope", "state"}

// keeping gives a path with the filters of a list.
func keeping(path string, query map[string][]string, filters []string) string {
	for _, name := range filters {
		if len(query[name]) > 0 {
			path = with(path, name, query[name][0])
		}
	}
	return path
}

// nobody is the uuid of no user: what is asked for an address that none has.
const nobody = "00000000-0000-0000-0000-000000000000"

// selection makes a selection of filters; the user's may be an address.
func (v *visit) selection(client, user, scope string) (token.Selection, error) {
	s := token.Selection{ClientID: client, UserID: user, Scope: scope}
	if !strings.Contains(user, "@") {
		return s, nil
	}
	u, err := v.People.ByEmail(v.r.Context(), v.app.ID, user)
	switch {
	case err == nil:
		s.UserID = u.UUID
	case fault.KindOf(err) == fault.NotFound:
		s.UserID = nobody
	default:
		return s, err
	}
	return s, nil
}

// selected are the inputs that name a selection.
func selected(s token.Selection) (list []hidden) {
	for _, h := range []hidden{{"client", s.ClientID}, {"user", s.UserID}, {"scope", s.Scope}} {
		if h.Value != "" {
			list = append(list, h)
		}
	}
	return list
}

// belowTokens is a page that was reached from the list.
func (v *visit) belowTokens(name string) pageOf {
	return pageOf{Title: name, Section: "tokens", Crumbs: []crumb{{"Tokens", v.at("tokens")}}}
}

// revokeTokens takes back those of the list that are chosen.
func (v *visit) revokeTokens() error {
	return v.revokeChosen(v.belowTokens("Revoke tokens"), "", keeping(v.at("tokens"), v.r.URL.Query(), tokenFilters))
}

// revokeMatching takes back every live token of a selection, on whatever page of
// the list it is.
func (v *visit) revokeMatching() error {
	s, err := v.selection(v.form.Get("client"), v.form.Get("user"), v.form.Get("scope"))
	if err != nil {
		return err
	}
	back := v.at("tokens")
	for _, h := range selected(s) {
		back = with(back, h.Name, h.Value)
	}
	if s == (token.Selection{}) {
		return v.done(back, "nothing")
	}
	if !v.form.Has("typed") {
		return v.askMatching(http.StatusOK, s, back, nil)
	}
	if err := v.typed(allThatMatch); err != nil {
		status, problems, err := refusedForm(err)
		if err != nil {
			return err
		}
		return v.askMatching(status, s, back, problems)
	}
	n, err := v.Tokens.RevokeAll(v.r.Context(), v.source, v.app.ID, s)
	if err != nil && n > 0 {
		web.Note(v.r, err)
		return v.done(back, "partly")
	}
	if err != nil {
		return err
	}
	return v.done(back, "revoked")
}

// allThatMatch is typed before they are revoked: how many there are changes.
const allThatMatch = "all that match"

func (v *visit) askMatching(status int, s token.Selection, back string, problems []page.Problem) error {
	live, err := v.liveTokens(s)
	if err != nil {
		return err
	}
	q := question{
		Text: "Revoke every live token that matches: " + live + "?", Action: v.at("tokens", "revoke-all"),
		Hidden: selected(s), Type: allThatMatch, Button: "Revoke all that match", Back: back,
	}
	for _, h := range selected(s) {
		switch h.Name {
		case "client":
			name, err := v.clientName(h.Value)
			if err != nil {
				return err
			}
			q.Effects = append(q.Effects, "Of the client "+name+".")
		case "user":
			name, err := v.userName(h.Value)
			if err != nil {
				return err
			}
			q.Effects = append(q.Effects, "Of the user "+name+".")
		case "scope":
			q.Effects = append(q.Effects, "That carry the scope "+h.Value+".")
		}
	}
	q.Effects = append(q.Effects,
		"They are refused at once, with their refresh tokens and codes; there is no undo.",
		"Who verifies JWTs offline, without asking, sees it only when they expire.",
		"Clients stay active, and may get new ones at once.")
	p := v.belowTokens("Revoke all that match")
	p.Problems = problems
	return v.ask(status, p, q)
}

// userName gives what a user is called, the uuid where the user is gone.
func (v *visit) userName(uuid string) (string, error) {
	u, err := v.People.Get(v.r.Context(), v.app.ID, uuid)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return uuid, nil
	case err != nil:
		return "", err
	default:
		return called(u), nil
	}
}

type tokenData struct {
	Row       tokenRow
	Scopes    []string // all of them
	Audience  []string
	Format    string
	Refreshes int64
	Ends      time.Time // of the family; zero: unlimited
	Revoke    string    // path that its revocation is posted to; "": not his to do
}

// family gives the family of the path, and whether it is the administrator's to
// take back.
func (v *visit) family() (f token.Standing, mine bool, err error) {
	id, ok := token.ParseID(v.r.PathValue("family"))
	if !ok {
		return f, false, web.ErrNotFound
	}
	if f, err = v.Tokens.Get(v.r.Context(), v.app.ID, id); err != nil {
		return f, false, err
	}
	c, err := v.Clients.Get(v.r.Context(), v.app.ID, f.ClientID)
	if fault.KindOf(err) == fault.NotFound {
		return f, false, nil
	}
	return f, err == nil && f.State == token.Live && v.mayRevoke(c), err
}

// token is everything that is known of one family.
func (v *visit) token() error {
	f, mine, err := v.family()
	if err != nil {
		return err
	}
	rows, err := v.tokenRows([]token.Standing{f})
	if err != nil {
		return err
	}
	d := tokenData{
		Row: rows[0], Scopes: f.Scopes, Audience: f.Audience, Format: string(f.Format), Refreshes: int64(f.Refreshes), Ends: f.FamilyExpiresAt,
	}
	if len(d.Audience) == 0 {
		d.Audience = []string{v.Issuers().Of(v.app.ID)}
	}
	if mine {
		d.Revoke = v.at("tokens", f.ID.String(), "revoke")
	}
	p := v.belowTokens("Token of " + rows[0].Client.Label)
	p.Data = d
	return v.show(http.StatusOK, "token", p)
}

// revokeToken takes back one family.
func (v *visit) revokeToken() error {
	f, mine, err := v.family()
	if err != nil {
		return err
	}
	if !mine && f.State == token.Live {
		return v.role.Require(admin.RevokeTokens)
	}
	v.form.Set("one", f.ID.String())
	return v.revokeChosen(v.belowTokens("Revoke this token"), "", v.at("tokens", f.ID.String()))
}
