package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestAuditLog(t *testing.T) {
	r := start(t, servertest.Options{})
	r.post(r.at("/scopes/new"), "name", "orders:read", "description", "Read", "kind", "user").shows(http.StatusSeeOther)
	r.post(r.at("/scopes/edit?name=orders:read"), "description", hostile[0], "kind", "user").shows(http.StatusSeeOther)
	page := r.get(r.at("/audit")).shows(http.StatusOK, "scope.update", "scope.create", "client.create", "admin:"+r.AdminEmail, "127.0.0.1",
		"<del><bdi>Read</bdi></del>", "<ins><bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi></ins>", "What changed", "What was made").lacksMarkup()
	if changed := page.body[strings.Index(page.body, "<dl"):strings.Index(page.body, "</dl>")]; strings.Contains(changed, "kind") {
		t.Errorf("what did not change is shown as changed: %s", changed)
	}
	for query, want := range map[string]struct{ shows, lacks string }{
		"?action=scope.":                  {"scope.update", ">client.create"},
		"?action=scope.create":            {`<a class="whole" href="` + r.at("/audit?action=scope.create") + `">scope.create`, ">scope.update"},
		"?object=scope:orders:read":       {"scope.update", ">client.create"},
		"?actor=system":                   {">client.create", ">scope.update"},
		"?actor=nobody":                   {`">Show everything</a>`, "<table"},
		"?actor=ann@example.com":          {"in full and as the log does", "<table"},
		"?since=2999-01-01":               {"Nothing like that was recorded", "<table"},
		"?until=2000-01-01":               {"Nothing like that was recorded", "<table"},
		"?action=%3Cscript%3Ealert(1)":    {`value="&lt;script&gt;alert(1)"`, "<table"},
		"?object=%22%3E%3Cimg%20src=x%3E": {"Nothing like that", "<img"},
	} {
		r.get(r.at("/audit"+query)).shows(http.StatusOK, want.shows).lacks(want.lacks).lacksMarkup()
	}
	today := r.Clock.Now().UTC().Format("2006-01-02")
	r.get(r.at("/audit?since="+today+"&until="+today)).shows(http.StatusOK, "scope.update")
	for _, cut := range []string{"?cursor=x", "?since=yesterday", "?until=2026-13-01", "?actor=%00", "?action=%FF"} {
		if a := r.get(r.at("/audit" + cut)).shows(http.StatusSeeOther); a.location != r.at("/audit") {
			t.Errorf("%s leads to %s", cut, a.location)
		}
	}
	r.as(admin.Viewer).get(r.at("/audit")).shows(http.StatusOK, "scope.update")
}

func TestAuditLogGoesOn(t *testing.T) {
	r := start(t, servertest.Options{})
	for range 120 {
		event := audit.New(audit.System(), r.ApplicationID, "test.event", "client:x", r.Clock.Now())
		event.After = json.RawMessage(`{"description":"` + strings.Repeat("W", 5000) + `","list":["` + strings.Repeat("x", 900) + `"]}`)
		if err := r.App.Store.Audit().Record(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	page := r.get(r.at("/audit?action=test.event"))
	seen := strings.Count(page.body, `data-label="When"`)
	for pages := 1; strings.Contains(page.body, `rel="next"`); pages++ {
		if len(page.body) > 100_000 {
			t.Fatalf("a page of %d bytes", len(page.body))
		}
		_, rest, _ := strings.Cut(page.body, `class="pager"`)
		_, rest, _ = strings.Cut(rest, `Next page`)
		at := page.body[:len(page.body)-len(rest)]
		at = at[strings.LastIndex(at, `href="`)+len(`href="`):]
		at, _, _ = strings.Cut(at, `"`)
		page = r.get(strings.ReplaceAll(at, "&amp;", "&")).shows(http.StatusOK)
		seen += strings.Count(page.body, `data-label="When"`)
	}
	if seen != 120 {
		t.Errorf("%d events are listed, of 120", seen)
	}
	a := r.get(r.at("/audit/export?action=test.event")).shows(http.StatusOK)
	if got := strings.Count(a.body, "\n"); got != 120 || a.header.Get("Content-Type") != "application/x-ndjson" ||
		!strings.Contains(a.header.Get("Content-Disposition"), "attachment") || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d lines, %v", got, a.header)
	}
	for line := range strings.Lines(a.body) {
		var e audit.View
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Action != "test.event" || len(e.After) < 5000 {
			t.Fatalf("%v: %.80s", err, line)
		}
	}
	if a := r.get(r.at("/audit/export?actor=nobody")).shows(http.StatusOK); a.body != "" {
		t.Errorf("an export of nothing: %s", a.body)
	}
	r.get(r.at("/audit/export?since=x")).shows(http.StatusSeeOther)
}

func TestAuditLogOfTheInstance(t *testing.T) {
	r := start(t, servertest.Options{})
	viewer := r.as(admin.Viewer)
	r.get("/console/audit").shows(http.StatusOK, "Administrators")
	r.get("/console/audit?of=console").shows(http.StatusOK, "user.create", "of=console&amp;action=user.create", "<bdi>viewer@example.com</bdi>").lacks("correct horse", "argon2")
	r.get("/console/audit/export?of=console").shows(http.StatusOK, `"action":"user.create"`).lacks("correct horse", "argon2")
	viewer.get("/console/audit").shows(http.StatusForbidden)
	viewer.get("/console/audit/export").shows(http.StatusForbidden)
}
