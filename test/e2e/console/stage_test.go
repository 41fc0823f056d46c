// Package console_test works in the console with a real browser: every page that
// a link leads to, wide and narrow, light and dark, held against WCAG 2.2 AA by
// axe-core, with a picture of each (`go test -artifacts` keeps them); the way of
// a newcomer; without scripts; by keyboard alone.
package console_test

import (
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/test/browser"
)

// stage is a server and a browser that looks at it.
type stage struct {
	*browser.Tab

	t      *testing.T
	server *servertest.Server
	url    string
	looks  []look

	documents bool     // whether its pages are those that the documents show
	refused   []string // pages that a link led to and that were refused
}

// look is how a page is looked at.
type look struct {
	look  string
	width int64
	dark  bool
}

var (
	everyLook = []look{{"wide-light", 1280, false}, {"wide-dark", 1280, true}, {"narrow-light", 360, false}, {"narrow-dark", 360, true}}
	narrow    = everyLook[2:3]
)

// empty makes a server as it is after its first start, on a host that has a
// name, as passkeys need one.
func empty(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, looks: everyLook}
	s.server = servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		_, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			t.Fatal(err)
		}
		c.PublicURL = "http://localhost:" + port
		c.Founding.ApplicationID = "shop"
		s.url = c.PublicURL
	}})
	s.Tab = browser.Open(t)
	return s
}

// filled makes a server with one of each kind of record, in whose names and
// texts stands the one given.
func filled(t *testing.T, name string) *stage {
	t.Helper()
	s := empty(t)
	app := s.server.App
	shop, err := app.Applications.Change(t.Context(), "shop", func(a *application.Application) (audit.Event, error) {
		a.Name, a.Settings.SecurityProfile, a.Settings.SecretPolicy = name, application.OAuth2, application.Revealable
		return audit.New(audit.System(), "shop", "application.update", "application:shop", s.server.Clock.Now()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.api("/scopes", map[string]any{"name": "orders", "description": name, "kind": "any"})
	s.api("/resources", map[string]any{"identifier": "https://api.example.com/orders", "name": name, "scopes": []string{"orders"}})
	for _, kind := range []string{"web", "spa", "native", "service", "other"} {
		fields := map[string]any{"name": name[:min(len(name), 240)] + " " + kind, "version": "2.1", "description": name, "kind": kind, "tags": []string{"team-a"}}
		if kind == "web" || kind == "spa" || kind == "native" {
			fields["redirect_uris"] = []string{"https://app.example.com/cb"}
			fields["scopes"] = []string{"openid", "orders"}
		}
		if kind == "service" {
			fields["id"], fields["secret"], fields["scopes"] = worker, workerSecret, []string{"orders"}
		}
		s.api("/clients", fields)
	}
	s.api("/clients/"+worker+"/secrets", map[string]any{"label": name[:min(len(name), 60)], "expires_at": s.server.Clock.Now().Add(240 * time.Hour).Format(time.RFC3339)})
	for range 3 {
		s.token(worker, workerSecret, "grant_type=client_credentials&scope=orders", http.StatusOK)
	}
	s.token(worker, workerSecret, "grant_type=client_credentials&scope=nothing", http.StatusBadRequest)
	words := userPassword
	u, err := app.People.Create(t.Context(), audit.System(), "shop", user.Fields{
		Email: "ada@example.com", Password: &words, Roles: []string{"buyer"},
		Attributes: map[string]any{"displayName": name[:min(len(name), 200)]},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := app.Sessions.Begin(t.Context(), audit.System(), shop, u, session.SignIn{ACR: session.OneFactor, UserAgent: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Consents.Grant(t.Context(), audit.System(), "shop", u.UUID, worker, []string{"orders"}); err != nil {
		t.Fatal(err)
	}
	if err := app.Usage.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	worker       = "the-worker-of-all-orders"
	workerSecret = "a-secret-of-the-worker-0123456789abcdef"
	userPassword = "a lamp in the hall"
)

// api makes a record by the management API.
func (s *stage) api(path string, document map[string]any) map[string]any {
	s.t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		s.t.Fatal(err)
	}
	answer := s.server.Do(http.MethodPost, "/api/v1/applications/shop"+path, s.server.OwnerID, s.server.OwnerSecret, "application/json", string(body))
	var made map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		s.t.Fatalf("%s: %d %v %v", path, answer.StatusCode, made, err)
	}
	return made
}

// token asks for a token, and gives it where there is one.
func (s *stage) token(id, secret, form string, want int) string {
	s.t.Helper()
	answer := s.server.Do(http.MethodPost, "/shop/oauth2/token", id, secret, "application/x-www-form-urlencoded", form)
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode != want {
		s.t.Fatalf("a token for %s: %d, %v", id, answer.StatusCode, err)
	}
	return got.Token
}

// signIn signs the instance's administrator in, as he does after the first start.
func (s *stage) signIn() {
	s.t.Helper()
	s.Go(s.url + "/console")
	s.Type("#field-email", s.server.AdminEmail)
	s.Type("#field-password", s.server.AdminPassword)
	s.Click(`form[action$="/signin"] button`)
	s.Wait("nav.side")
}

// look holds the page against what every page must be, in all its looks.
func (s *stage) look(name string) {
	s.t.Helper()
	for _, c := range s.looks {
		s.Size(c.width, c.dark)
		s.Accessible(name + " " + c.look)
		s.Picture(filepath.Join(s.t.ArtifactDir(), name+"-"+c.look+".png"))
	}
	s.Size(1280, false)
	s.document(name)
}

// update has the pictures of the documents made anew.
var update = flag.Bool("update", false, "make the pictures in docs/screenshots anew")

// documented are the pages that the documents show, by the names that the tests
// have for them.
var documented = map[string]string{
	"apps-shop-overview": "overview", "apps-shop-clients": "clients", "apps-shop-new-client": "new-client", "created": "created",
	"apps-shop-clients-x-secrets": "secrets", "apps-shop-tokens": "tokens",
}

// document keeps a picture of the page, where the documents show it and it is
// asked for.
func (s *stage) document(name string) {
	s.t.Helper()
	if file := documented[name]; file != "" && s.documents && *update {
		s.Picture(filepath.Join("..", "..", "..", "docs", "screenshots", file+".png"))
	}
}
