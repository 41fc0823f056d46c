//go:build linux

package main

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/ostiary/ostiary/bench/fill"
)

// ofConsole begins the paths of pages of the console.
const ofConsole = "console:"

// signIn signs the administrator in to the console.
func (l *lister) signIn(ctx context.Context) error {
	form := url.Values{"email": {l.site.administrator.id}, "password": {l.site.administrator.secret}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.site.main.String()+"/console/signin", strings.NewReader(form))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	for _, c := range answer.Cookies() {
		if c.MaxAge > 0 && strings.HasSuffix(c.Name, "ostiary-console") {
			l.session = c
			return nil
		}
	}
	return fmt.Errorf("the administrator cannot sign in to the console: %s", answer.Status)
}

var nextLink = regexp.MustCompile(`href="([^"]+)" rel="next"`)

// nextPage is the path of what follows a page of the console.
func (l *lister) nextPage(body string) string {
	m := nextLink.FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return ofConsole + strings.TrimPrefix(html.UnescapeString(m[1]), "/console/apps/"+l.site.application)
}

// consoleQuestions are the pages of the console that show lists, and those that
// add something up.
func consoleQuestions(ids []string) []question {
	page := func(path string, pairs ...string) func(int) string {
		values := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return func(int) string { return ofConsole + path + "?" + values.Encode() }
	}
	each := func(path, name string, values ...string) func(int) string {
		return func(i int) string { return page(path, name, values[i%len(values)])(i) }
	}
	of := func(below string) func(int) string {
		return func(i int) string { return ofConsole + "/clients/" + ids[i%len(ids)] + below }
	}
	return []question{
		{"console: overview", page("/overview")},
		{"console: overview, 90 days", page("/overview", "period", "90d")},
		{"console: clients", page("/clients")},
		{"console: clients, search", each("/clients", "q", fill.Jobs...)},
		{"console: clients, a rare word", page("/clients", "q", fill.RareWord)},
		{"console: clients, by kind", each("/clients", "kind", "web", "spa", "service", "other", "native")},
		{"console: clients, by feature", each("/clients", "feature", "owner", "direct_access")},
		{"console: clients, unused", page("/clients", "unused", "90")},
		{"console: clients, inactive with a rare tag", page("/clients", "active", "false", "tag", fill.RareTag)},
		{"console: a client", of("")},
		{"console: a client's secrets", of("/secrets")},
		{"console: a client's tokens", page("/clients/" + fill.BusyClient + "/tokens")},
		{"console: a client's activity, 90 days", page("/clients/"+fill.BusyClient+"/activity", "period", "90d")},
		{"console: deactivating a client with many tokens", page("/clients/" + fill.BusyClient + "/deactivate")},
		{"console: tokens", page("/tokens")},
		{"console: tokens, by state", each("/tokens", "state", "live", "expired", "revoked", "all")},
		{"console: tokens, by a rare scope", page("/tokens", "scope", fill.RareScope)},
		{"console: tokens, of a client", page("/tokens", "client", fill.BusyClient)},
		{"console: clients, expiring", page("/clients", "expiring", "30")},
		{"console: users", page("/users")},
		{"console: users, search", each("/users", "q", "ada", "north", fill.RareWord)},
		{"console: users, by role", each("/users", "role", fill.FrequentRole, fill.RareRole, "nobody")},
		{"console: scopes", page("/scopes")},
		{"console: resources", page("/resources")},
		{"console: audit", page("/audit")},
		{"console: audit, by actor", each("/audit", "actor", fill.RareActor, "admin:person7@example.com", "admin:nobody@example.com")},
		{"console: audit, by action", each("/audit", "action", "client.", fill.RareAction)},
		{"console: keys", page("/keys")},
		{"console: settings", page("/settings")},
	}
}
