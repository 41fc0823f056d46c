package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/usage"
)

func clientActivityRoutes(s *routes) {
	s.get(inClient+"/activity", toRead, (*visit).clientActivity)
}

// period is a time until now that charts show.
type period struct {
	name  string // as the URL has it
	label string
	steps int
	step  time.Duration
}

const day = 24 * time.Hour

// periods are what may be chosen, the first where nothing is.
var periods = []period{
	{"24h", "24 hours", 24, time.Hour}, {"7d", "7 days", 7, day}, {"30d", "30 days", 30, day}, {"90d", "90 days", 90, day},
}

// period gives the one that the URL chooses, when it began, and links to all of
// them at a path.
func (v *visit) period(path string) (chosen period, from time.Time, links []navLink) {
	chosen = periods[max(0, slices.IndexFunc(periods, func(p period) bool { return p.name == v.form.Get("period") }))]
	for _, p := range periods {
		links = append(links, navLink{p.label, with(path, "period", p.name), p.name == chosen.name})
	}
	from = v.Now().UTC().Truncate(chosen.step).Add(-time.Duration(chosen.steps-1) * chosen.step)
	return chosen, from, links
}

type clientActivityData struct {
	Periods []navLink
	Chart   chart
	Refused []refused
	Events  []eventRow
	Audit   string // path of all events of the client
}

// refused is how often something was refused, and what that means.
type refused struct {
	Reason, Text string
	N            int64
}

// shownEvents is how many of its events the page of a client has.
const shownEvents = 20

// clientActivity shows how a client is used, and what was done to it.
func (v *visit) clientActivity() error {
	found, view, err := v.client()
	if err != nil {
		return err
	}
	d := clientActivityData{Audit: with(v.at("audit"), "object", "client:"+found.ID)}
	chosen, from, links := v.period(v.at("clients", found.ID, "activity"))
	d.Periods = links
	counts, err := v.Usage.Clients(v.r.Context(), found.Sequence, from, v.Now())
	if err != nil {
		return err
	}
	issued, denied := series{"issued", looks[0], map[usage.Hour]int64{}}, series{"refused", refusedLook, map[usage.Hour]int64{}}
	for i := range counts {
		switch c := &counts[i]; {
		case c.Issued():
			issued.Counts[c.Hour] += c.N
		case c.Refused():
			denied.Counts[c.Hour] += c.N
		}
	}
	d.Chart = newChart([]series{issued, denied}, from, v.Now(), chosen.step)
	d.Chart.Label = "Tokens issued to this client, and refused, in the last " + chosen.label
	d.Refused = refusedOf(counts)
	events, _, err := v.Audit.Search(v.r.Context(), v.app.ID, audit.Filter{Object: "client:" + found.ID, Limit: shownEvents})
	if err != nil {
		return err
	}
	d.Events = eventRows(events, v.log())
	return v.show(http.StatusOK, "client-activity", v.clientPage(found, &view, "activity", d))
}

// refusalTexts say what the codes mean, to whoever looks for the cause.
var refusalTexts = map[string]string{
	"invalid_request":        "A parameter is missing, repeated or malformed.",
	"invalid_client":         "A wrong or expired secret, or the client is inactive.",
	"invalid_grant":          "A code or refresh token that is dead, used, or of another client.",
	"unauthorized_client":    "A grant type that is not among the client's.",
	"unsupported_grant_type": "A grant type that the application's settings do not admit.",
	"invalid_scope":          "A scope outside the allowed ones, or none where one is needed.",
	"invalid_target":         "A resource that is not known.",
	"access_denied":          "An address that is not among the allowed ones, or a user who said no.",
	"slow_down":              "The client's rate limit was reached.",
	"invalid_token":          "A token that is dead or unknown.",
	"insufficient_scope":     "A token without the scope that was needed.",
}

// refusedOf adds up what was refused by its reason, the most frequent first.
func refusedOf(counts []usage.Count) []refused {
	sums := map[string]int64{}
	for i := range counts {
		if counts[i].Refused() {
			sums[counts[i].Reason] += counts[i].N
		}
	}
	list := make([]refused, 0, len(sums))
	for reason, n := range sums {
		list = append(list, refused{reason, refusalTexts[reason], n})
	}
	slices.SortFunc(list, func(a, b refused) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason)) })
	return list
}
