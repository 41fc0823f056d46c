package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/usage"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestActivityOfAClient(t *testing.T) {
	r := start(t, servertest.Options{Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)})
	id, _ := r.client(`"name":"Billing sync","kind":"service"`)
	page := r.at("/clients/" + id + "/activity")
	r.get(page).shows(http.StatusOK, "Nothing was issued", "client.create", "client:"+r.OwnerID)
	c, err := r.App.Clients.Get(t.Context(), r.ApplicationID, id)
	if err != nil {
		t.Fatal(err)
	}
	count := func(n int, kind usage.Kind, reason string) {
		for range n {
			r.App.Usage.Count(r.ApplicationID, c.Sequence, kind, usage.ReasonOf(reason))
		}
	}
	count(1200, usage.ClientCredentials, "")
	count(3, usage.Authorization, "") // codes are no tokens
	count(2, usage.ClientCredentials, "server_error")
	r.Clock.Advance(time.Hour)
	count(7, usage.ClientCredentials, "invalid_scope")
	count(9, usage.Introspection, "access_denied")
	if err := r.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := r.get(page).shows(http.StatusOK, "<strong>1,200</strong>", "<strong>16</strong>",
		"<title>4 March, 05:00: 1,200 issued</title>", "<title>4 March, 06:00: 16 refused</title>", "<title>3 March, 07:00: none</title>",
		">2,000</span>", `y="40.00%" width="3.00%" height="60.00%" fill="url(#chart-s0)"`).lacks("server_error")
	if strings.Index(a.body, "access_denied") > strings.Index(a.body, "invalid_scope") || strings.Count(a.body, "<title>") != 25 {
		t.Errorf("what is most frequent comes first, and 24 hours are shown:\n%s", a.body)
	}
	for period, want := range map[string]string{
		"7d": "<title>4 March: 1,200 issued, 16 refused</title>", "30d": "<title>3 February: none</title>", "90d": "<title>5 December: none</title>",
	} {
		if n := len(r.get(page+"?period="+period).shows(http.StatusOK, want).body); n > 60_000 {
			t.Errorf("%s: %d bytes", period, n)
		}
	}
}
