// Package pages_test shows the pages for users to a real browser: every page in
// its states, wide and narrow, light and dark, held against WCAG 2.2 AA by
// axe-core, with a picture of each (`go test -artifacts` keeps them). It also
// does without scripts, and with the keyboard alone.
package pages_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pquerna/otp/totp"

	"github.com/ostiary/ostiary/internal/config"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/test/browser"
)

const (
	ada      = "ada@example.com"
	password = "a lamp in the hall"
)

// stage is a server and a browser that looks at it.
type stage struct {
	*browser.Tab

	t       *testing.T
	server  *servertest.Server
	base    string // issuer
	client  string
	box     *outbox
	name    string // of the application, the client, the scope
	account string
	looks   []look
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

type outbox struct{ last string }

func (o *outbox) Send(_ context.Context, _, _, text string) error {
	o.last = text
	return nil
}

// set makes a server on a host that has a name, as passkeys need one, whose
// records all have the name given.
func set(t *testing.T, name string) *stage {
	t.Helper()
	s := &stage{t: t, name: name, account: ada, box: &outbox{}}
	s.server = servertest.Start(t, servertest.Options{Configure: func(c *config.Config) {
		_, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			t.Fatal(err)
		}
		c.PublicURL = "http://localhost:" + port
		c.Founding.ApplicationID = "shop"
		s.base = c.PublicURL + "/shop"
	}})
	app := s.server.App
	app.SignIn.Mailer = s.box
	_, err := app.Applications.Change(t.Context(), "shop", func(a *application.Application) (audit.Event, error) {
		a.Name, a.Settings.Registration, a.Settings.Branding.Colour = name, true, "#0b6b53"
		return audit.New(audit.System(), "shop", "application.update", "application:shop", s.server.Clock.Now()), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	words := password
	if _, err := app.People.Create(t.Context(), audit.System(), "shop", user.Fields{Email: ada, Password: &words}); err != nil {
		t.Fatal(err)
	}
	s.api("/scopes", map[string]any{"name": "orders", "description": name, "kind": "user"})
	s.client, _ = s.api("/clients", map[string]any{
		"name": name[:min(len(name), 255)], "kind": "web", "description": name, "redirect_uris": []string{"https://app.example.com/cb"}, "scopes": []string{"openid", "email", "orders"},
	})["id"].(string)
	s.Tab = browser.Open(t)
	return s
}

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

// request gives the address of a page with an authorization request.
func (s *stage) request(path string, need authorization.Need) string {
	s.t.Helper()
	text, err := authorization.NewDesk(s.server.App.Ring, s.server.Clock.Now).Seal("shop", &authorization.Request{
		Query: "client_id=x", BegunAt: s.server.Clock.Now(), ClientID: s.client, RedirectURI: "https://app.example.com/cb",
		Need: need, Scopes: []string{"openid", "email", "orders"}, LoginHint: s.account,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.base + path + "?request=" + url.QueryEscape(text)
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
}

func (s *stage) open(path string) { s.Go(s.base + path) }

// submit presses the button of the form whose action ends so.
func (s *stage) submit(action string) {
	s.t.Helper()
	s.Click(`form[action$="` + action + `"] button`)
}

func (s *stage) signIn() {
	s.t.Helper()
	s.open("/signin")
	s.Type("#field-email", ada)
	s.Type("#field-password", password)
	s.submit("/signin")
	s.Wait("#s-sessions")
}

// letter opens the link of the last letter.
func (s *stage) letter() {
	s.t.Helper()
	s.server.App.SignIn.Work(s.t.Context())
	link := regexp.MustCompile(`http://\S+`).FindString(s.box.last)
	if link == "" {
		s.t.Fatalf("no link in %q", s.box.last)
	}
	s.box.last = ""
	s.Go(link)
}

// code is what an authenticator app of the secret on the page shows.
func (s *stage) code() string {
	s.t.Helper()
	code, err := totp.GenerateCode(strings.ReplaceAll(s.Text("code.block"), " ", ""), s.server.Clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

// user gives the id of the user.
func (s *stage) user() string {
	s.t.Helper()
	u, err := s.server.App.Users.ByEmail(s.t.Context(), "shop", ada)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.UUID
}

// names are what applications, clients and scopes may be called.
var names = map[string]string{
	"plain": "Billing sync",
	"long":  strings.Repeat("Donaudampfschifffahrtsgesellschaft", 7),
	"markup": `"><script>document.title='run'</script><img src=x onerror="document.title='run'">` + strings.Repeat("W", 100) +
		"\u202e\u05d0\u05d1",
}

func TestEveryPageInABrowser(t *testing.T) {
	for name, text := range names {
		t.Run(name, func(t *testing.T) {
			s := set(t, text)
			if s.looks = narrow; name == "plain" {
				s.looks = everyLook
			}
			s.beforeSigningIn()
			s.withLinks()
			s.whileSigningIn()
			s.inTheAccount()
			if title := s.Title(); title == "run" {
				t.Error("a script ran")
			}
		})
	}
}

func (s *stage) beforeSigningIn() {
	s.Go(s.request("/signin", authorization.SignIn))
	s.look("signin")
	s.Type("#field-password", "wrong")
	s.submit("/signin")
	s.Wait(".summary")
	s.look("signin-refused")
	s.open("/signin/forgotten")
	s.look("forgotten")
	s.Type("#field-email", ada)
	s.submit("/forgotten")
	s.Wait("main a.button")
	s.look("forgotten-sent")
	s.open("/signin/register")
	s.look("register")
	s.Type("#field-email", "new@example.com")
	s.submit("/register")
	s.Wait("main a.button")
	s.look("register-sent")
	s.open("/signin/nothing")
	s.look("missing")
	s.Go(s.base + "/consent")
	s.look("expired")
	s.open("/oauth2/authorize?response_type=code&client_id=" + s.client + "&redirect_uri=" + url.QueryEscape("https://elsewhere.example.com/"+s.name))
	s.Wait("dl")
	s.look("problem")
	s.open("/signin/out")
	s.look("signedout")
}

func (s *stage) withLinks() {
	s.open("/signin/forgotten")
	s.Type("#field-email", ada)
	s.submit("/forgotten")
	s.Wait("main a.button")
	s.letter()
	s.look("reset")
	s.Type("#field-password", "short")
	s.submit("/reset")
	s.Wait(".summary")
	s.look("reset-refused")
	s.open("/signin/register")
	s.Type("#field-email", "newer@example.com")
	s.submit("/register")
	s.Wait("main a.button")
	s.letter()
	s.look("register-finish")
	s.open("/signin/link?token=x")
	s.look("link-dead")
}

func (s *stage) whileSigningIn() {
	s.signIn()
	s.look("account-new")
	s.Go(s.request("/signin", authorization.Choose))
	s.look("choose")
	s.Go(s.request("/signin", authorization.SignInAgain))
	s.look("signin-again")
	s.Go(s.request("/consent", authorization.Agree))
	s.look("consent")
	s.open("/oauth2/logout")
	s.Wait("form")
	s.look("logout")
}

func (s *stage) inTheAccount() {
	s.Authenticator()
	s.open("/account/passkeys")
	s.look("passkey-add")
	s.submit("/account/passkeys")
	s.Wait("#s-sessions")
	s.open("/account/totp")
	s.look("totp-add")
	s.Type("#field-code", s.code())
	s.submit("/account/totp")
	s.Wait(".codes")
	s.look("recovery-codes")
	s.open("/account/password")
	s.look("password")
	s.open("/account")
	s.submit("/email/verify")
	s.Wait(".notice")
	s.letter()
	s.look("verify")
	s.submit("/verify")
	s.Wait("main a.button")
	s.look("verified")
	if _, err := s.server.App.Consents.Grant(s.t.Context(), audit.System(), "shop", s.user(), s.client, []string{"openid", "orders"}); err != nil {
		s.t.Fatal(err)
	}
	s.open("/account?done=passkey")
	s.look("account")
	s.Click(`a[href*="/passkeys/remove"]`)
	s.Wait(`form[action$="/passkeys/remove"]`)
	s.look("question")
	s.open("/account")
	s.submit("/sessions/end")
	s.Wait("main a.button")
	s.open("/signin")
	s.Type("#field-email", ada)
	s.Type("#field-password", password)
	s.submit("/signin")
	s.Wait("#field-code")
	s.look("totp")
	s.open("/signin/recovery")
	s.look("recovery")
}
