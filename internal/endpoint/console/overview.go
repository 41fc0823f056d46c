package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/inventory"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/usage"
)

func overviewRoutes(s *routes) {
	s.get(inApplication+"/overview", toRead, (*visit).overview)
}

type overviewData struct {
	Periods []navLink
	Chart   chart
	Refused []refused
	Needs   []attention
	Events  []eventRow
	Audit   string
	New     string // path of the form for a client; "": there are some beside the one that every application begins with, or it is not his to make
}

// attention is something that somebody should look at.
type attention struct {
	Title, Text string
	Links       []attentionLink
	Path        string // where to go on; "": nowhere
	Way         string // the label of that
}

type attentionLink struct {
	Label, Path string
	At          time.Time // when it is due, or was last done
	Never       string    // what stands there if it has no time
}

// Bounds of what the overview looks for.
const (
	soon          = 30 * day
	refusedRecent = 7 * day
	perNeed       = 5
	latestEvents  = 8
)

// overview is the first page of an application.
func (v *visit) overview() error {
	d := overviewData{Audit: v.at("audit")}
	chosen, from, links := v.period(v.at("overview"))
	d.Periods = links
	counts, err := v.Usage.Totals(v.r.Context(), v.app.ID, from, v.Now())
	if err != nil {
		return err
	}
	d.Chart = newChart(byGrant(counts), from, v.Now(), chosen.step)
	d.Chart.Label = "Tokens issued by grant, and requests refused, in the last " + chosen.label
	d.Refused = refusedOf(counts)
	if err := v.needs(&d); err != nil {
		return err
	}
	events, _, err := v.Audit.Search(v.r.Context(), v.app.ID, audit.Filter{Limit: latestEvents})
	if err != nil {
		return err
	}
	d.Events = eventRows(events, v.log())
	if d.Chart.Empty && v.may(admin.EditOwnClients) {
		found, _, err := v.Inventory.List(v.r.Context(), v.app.ID, inventory.Query{Search: client.Search{Limit: 2}})
		if err != nil {
			return err
		}
		if len(found) < 2 {
			d.New = v.at("new-client")
		}
	}
	return v.show(http.StatusOK, "overview", pageOf{Title: "Overview", Section: "overview", Data: d})
}

// grants are what the chart tells apart, and how it calls them.
var grants = []struct{ kind, name string }{
	{string(oauth.ClientCredentials), "client credentials"},
	{string(oauth.AuthorizationCode), "authorization code"},
	{string(oauth.RefreshToken), "refresh token"},
	{string(oauth.Password), "password"},
	{string(oauth.Implicit), "implicit"},
}

// byGrant makes series of what was issued by each grant, those that nothing was
// issued by left out, and of what was refused.
func byGrant(counts []usage.Count) []series {
	var list []series
	for i, g := range grants {
		s := series{g.name, looks[i], map[usage.Hour]int64{}}
		for j := range counts {
			if c := &counts[j]; c.Kind == g.kind && c.Issued() {
				s.Counts[c.Hour] += c.N
			}
		}
		if len(s.Counts) > 0 {
			list = append(list, s)
		}
	}
	denied := series{"refused", refusedLook, map[usage.Hour]int64{}}
	for i := range counts {
		if c := &counts[i]; c.Refused() {
			denied.Counts[c.Hour] += c.N
		}
	}
	return append(list, denied)
}

// needs fills in what needs attention.
func (v *visit) needs(d *overviewData) error {
	for _, look := range []func() (*attention, error){v.expiringSecrets, v.unusedClients, v.refusedAddresses, v.nextKey} {
		found, err := look()
		if err != nil {
			return err
		}
		if found != nil {
			d.Needs = append(d.Needs, *found)
		}
	}
	return nil
}

// nothing is what needs no attention.
var nothing *attention

func (v *visit) expiringSecrets() (*attention, error) {
	active := true
	found, next, err := v.Inventory.List(v.r.Context(), v.app.ID, inventory.Query{
		Search: client.Search{Active: &active, Limit: perNeed}, ExpiresFrom: v.Now(), ExpiresUntil: v.Now().Add(soon),
	})
	if err != nil || len(found) == 0 && next == (inventory.Place{}) {
		return nothing, err
	}
	a := &attention{Title: "Secrets that expire within 30 days", Text: "Regenerate each, and let the old one work until its program has the new one."}
	for _, c := range found {
		if s := v.nextToExpire(c); s != nil {
			a.Links = append(a.Links, attentionLink{Label: c.Title() + " …" + s.Hint, Path: v.at("clients", c.ID, "secrets"), At: s.ExpiresAt})
		}
	}
	if next != (inventory.Place{}) {
		a.Path, a.Way = with(v.at("clients"), "expiring", "30", "active", "true"), "All of them"
	}
	if len(found) == 0 {
		a.Text, a.Way = "None of those that expire first is of an active client of this application. There are more to look at.", "Look further"
	}
	return a, nil
}

func (v *visit) unusedClients() (*attention, error) {
	active := true
	found, next, err := v.Inventory.List(v.r.Context(), v.app.ID, inventory.Query{
		Search: client.Search{Active: &active, Limit: perNeed}, UnusedSince: v.Now().AddDate(0, 0, -unusedDays),
	})
	if err != nil || len(found) == 0 {
		return nothing, err
	}
	views, err := v.Inventory.Views(v.r.Context(), v.app, v.Issuers().Of(v.app.ID), found...)
	if err != nil {
		return nil, err
	}
	a := &attention{Title: "Clients that nobody has used for 90 days", Text: "Deactivate what nobody needs: a secret that lies about is one that can be found."}
	for i := range views {
		link := attentionLink{Label: found[i].Title(), Path: v.at("clients", views[i].ID), Never: "never used"}
		if views[i].LastUsedAt != nil {
			link.At = *views[i].LastUsedAt
		}
		a.Links = append(a.Links, link)
	}
	if next != (inventory.Place{}) {
		a.Path, a.Way = with(v.at("clients"), "unused", "90", "active", "true"), "All of them"
	}
	return a, nil
}

// refusedAddresses counts the requests from addresses that are not on the list
// of their client, and names the clients that have most.
func (v *visit) refusedAddresses() (*attention, error) {
	since := v.Now().Add(-refusedRecent)
	counts, err := v.Usage.Totals(v.r.Context(), v.app.ID, since, v.Now())
	if err != nil {
		return nil, err
	}
	n := int64(0)
	for i := range counts {
		if counts[i].Denied() {
			n += counts[i].N
		}
	}
	if n == 0 {
		return nothing, nil
	}
	a := &attention{
		Title: "Refused addresses",
		Text:  requests(n) + " of the last 7 days came from addresses that are not among the allowed ones of their client.",
	}
	if a.Links, n, err = v.denied(since, n); err != nil {
		return nil, err
	}
	if n > 0 {
		a.Text += " The Activity page of a client says how many of them are its own."
		a.Path, a.Way = v.at("clients"), "All API clients"
	}
	return a, nil
}

// denied links to the clients that were refused for their address most often since
// a time, and gives how many of n requests are not theirs.
func (v *visit) denied(since time.Time, n int64) ([]attentionLink, int64, error) {
	most, err := v.Usage.Denials(v.r.Context(), v.app.ID, since, perNeed)
	if err != nil {
		return nil, 0, err
	}
	ids := make([]string, len(most))
	for i := range most {
		ids[i] = most[i].ID
	}
	found, err := v.Inventory.Search.Pick(v.r.Context(), v.app.ID, ids)
	var links []attentionLink
	for _, m := range most {
		if i := slices.IndexFunc(found, func(c *client.Client) bool { return c.ID == m.ID }); i >= 0 {
			links = append(links, attentionLink{
				Label: found[i].Title(), Path: with(v.at("clients", m.ID, "activity"), "period", "7d"), Never: requests(m.N),
			})
			n -= m.N
		}
	}
	return links, n, err
}

// requests says how many there were.
func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return count(n) + " requests"
}

func (v *visit) nextKey() (*attention, error) {
	keys, err := v.Signers.Keys(v.r.Context(), v.app.ID)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		if k := &keys[i]; k.State(v.Now()) == "published" {
			return &attention{
				Title: "A new signing key", Text: "It is published, and signs from then on. Who keeps the keys for longer than their answer allows should fetch them anew.",
				Links: []attentionLink{{Label: k.ID, Path: v.at("keys"), At: k.ActiveAt}},
			}, nil
		}
	}
	return nothing, nil
}
