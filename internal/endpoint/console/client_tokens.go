package console

import (
	"net/http"
	"slices"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/endpoint/page"
)

func clientTokenRoutes(s *routes) {
	s.get(inClient+"/tokens", toRead, (*visit).clientTokens)
	s.post(inClient+"/tokens/revoke", toRead, (*visit).revokeOfClient)
	s.post(inClient+"/tokens/revoke-all", toRead, (*visit).revokeAllOfClient)
}

type clientTokensData struct {
	Path   string
	State  *field
	Table  tokenTable
	Pager  pager
	All    string // path of the question whether to revoke all; "": not his to do
	Active bool
}

// mayRevoke reports whether the tokens of a client are the administrator's to
// take back: all are of whoever may revoke, and of a developer those of his own
// clients.
func (v *visit) mayRevoke(c *client.Client) bool {
	return v.may(admin.RevokeTokens) || v.operations().MayEdit(c)
}

// clientTokens lists what a client was given, at first what lives.
func (v *visit) clientTokens() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	path := v.at("clients", found.ID, "tokens")
	d := clientTokensData{Path: path, State: stateFilter(v.form.Get("state")), Active: view.Active}
	d.Table.OfClient = true
	if v.mayRevoke(found) {
		d.Table.Revoke, d.All = path+"/revoke", path+"/revoke-all"
	}
	if d.Table.Rows, d.Pager, err = v.tokenPage(path, token.Selection{ClientID: found.ID}, d.State.Value); err != nil {
		return err
	}
	return v.show(http.StatusOK, "client-tokens", v.clientPage(found, &view, "tokens", d))
}

// anyState is what the filter says for all of them: what lives is shown where it
// says nothing.
const anyState = "all"

// stateFilter chooses what became of the families of a list; nonsense chooses
// what lives.
func stateFilter(state string) *field {
	f := &field{Name: "state", Label: "State", Kind: "select", Value: state, Options: []option{
		{Value: string(token.Live), Label: "live"},
		{Value: string(token.Expired), Label: "expired"},
		{Value: string(token.Revoked), Label: "revoked"},
		{Value: anyState, Label: "all"},
	}}
	if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == state }) {
		f.Value = string(token.Live)
	}
	return f
}

// tokenPage is a page of the families of a selection, in a state that the filter
// has.
func (v *visit) tokenPage(path string, selection token.Selection, state string) ([]tokenRow, pager, error) {
	q := token.Query{Selection: selection, State: token.State(state), Limit: perPage}
	if state == anyState {
		q.State = ""
	}
	if text := v.form.Get("cursor"); text != "" {
		after, ok := token.ParseID(text)
		if !ok {
			return nil, pager{}, fault.NotFoundf("There is no such place in this list.")
		}
		q.After = after
	}
	found, err := v.Tokens.List(v.r.Context(), v.app.ID, q)
	if err != nil {
		return nil, pager{}, err
	}
	rows, err := v.tokenRows(found.Families)
	next := ""
	if found.More {
		next = found.Next.String()
	}
	return rows, v.pages(path, next, len(rows)), err
}

// revokeOfClient takes back those of a client's families that are chosen.
func (v *visit) revokeOfClient() error {
	found, _, err := v.client()
	if err != nil {
		return err
	}
	if !v.mayRevoke(found) {
		return v.role.Require(admin.RevokeTokens)
	}
	p := v.belowClient(found, "Revoke tokens")
	return v.revokeChosen(p, found.ID, v.at("clients", found.ID, "tokens"))
}

// revokeAllOfClient takes back everything that a client was given; the client
// goes on.
func (v *visit) revokeAllOfClient() error {
	found, _, err := v.client()
	if err != nil {
		return err
	}
	if !v.mayRevoke(found) {
		return v.role.Require(admin.RevokeTokens)
	}
	if !v.form.Has("typed") {
		return v.askRevokeAll(http.StatusOK, found, nil)
	}
	if err = v.typed(found.Name); err == nil {
		_, err = v.Tokens.RevokeAll(v.r.Context(), v.source, v.app.ID, token.Selection{ClientID: found.ID})
	}
	if err == nil {
		return v.done(v.at("clients", found.ID, "tokens"), "revoked")
	}
	status, problems, err := refusedForm(err)
	if err != nil {
		return err
	}
	return v.askRevokeAll(status, found, problems)
}

func (v *visit) askRevokeAll(status int, found *client.Client, problems []page.Problem) error {
	what, effects, err := v.dying(found, mostDying)
	if err != nil {
		return err
	}
	p := v.belowClient(found, "Revoke all tokens")
	p.Problems = problems
	return v.ask(status, p, question{
		Text:    "Revoke all tokens of " + found.Title() + ": " + what + " now?",
		Effects: append(effects, "The client stays active, and may get new ones at once.", "There is no undo."),
		Action:  v.r.URL.Path, Type: found.Name, Button: "Revoke all", Back: v.at("clients", found.ID, "tokens"),
	})
}

// belowClient is a page that was reached from one of a client's.
func (v *visit) belowClient(c *client.Client, name string) pageOf {
	return pageOf{
		Title: name, Section: "clients",
		Crumbs: []crumb{{"API clients", v.at("clients")}, {c.Title(), v.at("clients", c.ID)}},
	}
}

// mostDying bounds how many tokens of a client are counted before they die: about
// 15 ms. Of those of a list of clients fewer are.
const (
	mostDying   = 10_000
	mostOfOneOf = 1000
)

// dying says how many live tokens of a client die, "1,204 live tokens die", or
// more than most, and what of it is not seen everywhere at once.
func (v *visit) dying(c *client.Client, most int) (text string, effects []string, err error) {
	living, err := v.Tokens.Living(v.r.Context(), c, most+1)
	if err != nil {
		return "", nil, err
	}
	switch {
	case living.N == 1:
		text = "1 live token dies"
	case living.N > most:
		text = "more than " + count(int64(most)) + " live tokens die"
	default:
		text = count(int64(living.N)) + " live tokens die"
	}
	if living.LastJWT.After(v.Now()) {
		effects = append(effects, offline(living.LastJWT))
	}
	return text, effects, nil
}
