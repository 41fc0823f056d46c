package console_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

func TestOverviewOfAnEmptyApplication(t *testing.T) {
	r := start(t, servertest.Options{})
	page := r.get(r.at("/overview")).shows(http.StatusOK, "No token was issued in this time", "New API client", "Nothing: no secret expires", "client.create")
	form := regexp.MustCompile(`href="([^"]+)">New API client<`).FindStringSubmatch(page.body)
	r.get(form[1]).shows(http.StatusOK, "<h1>New API client</h1>")
	r.as(admin.Viewer).get(r.at("/overview")).shows(http.StatusOK, "Nothing: no secret expires").lacks("New API client")
	r.client(`"name":"Second","kind":"service"`)
	r.get(r.at("/overview")).shows(http.StatusOK, "No token was issued in this time").lacks("New API client")
}

// However many inactive clients lie unused, an active one is named.
func TestOverviewOfUnusedClients(t *testing.T) {
	r := start(t, servertest.Options{})
	for i := range 50 {
		r.client(fmt.Sprintf(`"name":"Off %02d","kind":"service","active":false`, i))
	}
	r.Clock.Advance(time.Hour)
	r.client(`"name":"Idle","kind":"service"`)
	r.Clock.Advance(100 * 24 * time.Hour)
	r = signedIn(t, r.Server, r.AdminEmail, r.AdminPassword)
	r.get(r.at("/overview")).shows(http.StatusOK, `>Idle</bdi></a> <span class="muted"><span class="muted">never used`)
	r.get(r.at("/clients?unused=90&active=true")).shows(http.StatusOK, ">Idle</bdi>").lacks(">Off ")
}

// TestOverview shows what was issued and refused, and what needs attention.
func TestOverview(t *testing.T) {
	r := start(t, servertest.Options{Now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)})
	const secret = "a-secret-of-the-worker-0123456789abcdef"
	api := func(path, document string) {
		t.Helper()
		answer := r.Do(http.MethodPost, "/api/v1/applications/"+r.ApplicationID+path, r.OwnerID, r.OwnerSecret, "application/json", document)
		if answer.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %d", path, answer.StatusCode)
		}
	}
	token := func(form string, want int) {
		t.Helper()
		answer := r.Do(http.MethodPost, "/"+r.ApplicationID+"/oauth2/token", "worker", secret, "application/x-www-form-urlencoded", form)
		if answer.StatusCode != want {
			t.Fatalf("%s: %d, want %d", form, answer.StatusCode, want)
		}
	}
	api("/clients", `{"id": "worker", "name": "<b>Worker</b>", "version": "2", "kind": "service", "secret": "`+secret+`"}`)
	api("/clients", `{"id": "idle", "name": "Idle", "kind": "service"}`)
	api("/clients", `{"id": "fenced", "name": "Fenced", "kind": "service", "secret": "`+secret+`", "allowed_ips": ["192.0.2.0/24"]}`)
	r.Clock.Advance(100 * 24 * time.Hour)
	api("/clients/worker/secrets", `{"label": "new", "expires_at": "`+r.Clock.Now().Add(10*24*time.Hour).Format(time.RFC3339)+`"}`)
	api("/clients/idle/secrets", `{"label": "later", "expires_at": "`+r.Clock.Now().Add(40*24*time.Hour).Format(time.RFC3339)+`"}`)
	token("grant_type=client_credentials", http.StatusOK)
	token("grant_type=client_credentials", http.StatusOK)
	token("grant_type=password", http.StatusBadRequest)
	answer := r.Do(http.MethodPost, "/"+r.ApplicationID+"/oauth2/token", "fenced", secret, "application/x-www-form-urlencoded", "grant_type=client_credentials")
	if answer.StatusCode != http.StatusForbidden {
		t.Fatalf("from another address: %d", answer.StatusCode)
	}
	if err := r.App.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r = signedIn(t, r.Server, r.AdminEmail, r.AdminPassword) // the session was over
	page := r.get(r.at("/overview")).shows(
		http.StatusOK, "client credentials <strong>2</strong>", "refused <strong>2</strong>", "access_denied",
		"Secrets that expire within 30 days", "&lt;b&gt;Worker&lt;/b&gt; 2", "in 10 days",
		"Clients that nobody has used for 90 days", ">Idle</bdi>", "never used",
		"1 request of the last 7 days came from addresses", `/clients/fenced/activity?period=7d"><bdi>Fenced</bdi></a> <span class="muted"><span class="muted">1 request</span>`,
	)
	page.lacks("<b>Worker", "/clients/idle/secrets", "All API clients")
	r.get(r.at("/clients/fenced/activity?period=7d")).shows(http.StatusOK, "access_denied")
	for _, period := range []string{"7d", "30d", "90d", "nonsense"} {
		r.get(r.at("/overview?period="+period)).shows(http.StatusOK, "client credentials <strong>2</strong>")
	}
}
