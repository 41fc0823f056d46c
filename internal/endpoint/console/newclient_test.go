package console_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/session"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// fill opens a form and types into it: names and values in turn.
func (r *rig) fill(path string, pairs ...string) url.Values {
	r.t.Helper()
	form := inputs(r.get(path).shows(http.StatusOK).body)
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Del(pairs[i])
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			form.Add(pairs[i], pairs[i+1])
		}
	}
	return form
}

// sends fills in the form of a kind and sends it; makes wants a client of it.
func (r *rig) sends(kind string, pairs ...string) *answer {
	r.t.Helper()
	path := r.at("/new-client")
	return r.do(http.MethodPost, path, r.fill(path+"?kind="+kind, pairs...))
}

func (r *rig) makes(kind string, pairs ...string) *answer {
	r.t.Helper()
	return r.sends(kind, pairs...).shows(http.StatusCreated)
}

// Each kind has the fields that are for it, with the defaults in them.
func TestFormsOfKinds(t *testing.T) {
	r := start(t, servertest.Options{})
	cards := r.get(r.at("/new-client")).shows(http.StatusOK, "Web server", "Single page", "Native app", "Service", "Other")
	cards.lacks("kind=device")
	users := []string{"redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri", "refresh_token_lifetime", "refresh_limit"}
	for kind, fields := range map[string]struct{ has, lacks []string }{
		"web":     {append(users, "require_pkce", "refresh_rotation", "allowed_origins", "token_endpoint_auth_method"), []string{"issue_secret", "features", "type"}},
		"spa":     {append(users, "allowed_origins"), []string{"require_pkce", "refresh_rotation", "token_endpoint_auth_method", "issue_secret", "features", "secret"}},
		"native":  {append(users, "issue_secret"), []string{"require_pkce", "allowed_origins", "features", "token_endpoint_auth_method"}},
		"service": {[]string{"token_endpoint_auth_method", "scopes"}, append(users, "require_pkce", "features", "allowed_origins", "issue_secret")},
		"other":   {append(users, "features", "type", "require_pkce", "refresh_rotation"), []string{"issue_secret"}},
	} {
		page := r.get(r.at("/new-client?kind=" + kind)).shows(http.StatusOK)
		for _, name := range append(fields.has, "name", "version", "description", "allowed_ips", "rate_limit.per_second", "access_token_lifetime", "tags", "contacts") {
			page.shows(http.StatusOK, `name="`+name+`"`)
		}
		for _, name := range append(fields.lacks, "require_requested_scopes") {
			page.lacks(`name="` + name + `"`)
		}
	}
	form := inputs(r.get(r.at("/new-client?kind=web")).body)
	for name, want := range map[string]string{
		"access_token_lifetime": "number", "access_token_lifetime.number": "3600", "refresh_token_lifetime": "30", "refresh_token_lifetime.unit": "days",
		"refresh_limit": "unlimited", "require_pkce": "true", "refresh_rotation": "true", "grant_types": "authorization_code", "active": "true",
	} {
		if got := strings.Join(form[name], " "); got != want {
			t.Errorf("a new web client has %s %q, want %q", name, got, want)
		}
	}
	r.get(r.at("/new-client?kind=web")).shows(http.StatusOK, "Needs the security profile oauth2", "IP whitelist", "expiration interval", "means 0", "sees its death only at exp")
	r.get(r.at("/new-client?kind=device")).shows(http.StatusNotFound)
	r.post(r.at("/new-client"), "kind", "device").shows(http.StatusNotFound)
}

// What a form says beyond the values of fields.
func TestWhatIsTyped(t *testing.T) {
	r := start(t, servertest.Options{})
	path := r.at("/new-client")
	form := r.fill(path+"?kind=web", "name", "<script>alert(1)</script>", "grant_types", "authorization_code", "grant_types", "refresh_token",
		"refresh_token_lifetime", "14", "refresh_limit", "number", "refresh_limit.number", "", "allowed_ips", "10.0.0.0/8, 192.0.2.7\r\n2001:db8::/32",
		"redirect_uris", " https://app.example/cb?a=1,2 ,\thttps://app.example/one\r\n\r\nhttps://app.example/two", "description", "One\r\nTwo")
	added := r.do(http.MethodPost, path, withValue(form, "add", "allowed_ips")).shows(http.StatusOK, "127.0.0.1", "&lt;script&gt;").lacks("<script>alert")
	if got := inputs(added.body).Get("allowed_ips"); got != "10.0.0.0/8, 192.0.2.7\n2001:db8::/32\n127.0.0.1" && got != "10.0.0.0/8\n192.0.2.7\n2001:db8::/32\n127.0.0.1" {
		t.Errorf("with my address: %q", got)
	}
	made := r.do(http.MethodPost, path, form).shows(http.StatusCreated, "&lt;script&gt;").lacks("<script>alert")
	id := r.madeID(made)
	view := r.api("GET", "/clients/"+id, "")
	for name, want := range map[string]string{
		"refresh_token_lifetime": "1209600", "refresh_limit": "0", "allowed_ips": `["10.0.0.0/8","192.0.2.7/32","2001:db8::/32"]`,
		"redirect_uris": `["https://app.example/cb?a=1,2","https://app.example/one","https://app.example/two"]`, "description": `"One\nTwo"`, "owned_by": `"` + r.AdminEmail + `"`,
	} {
		if got, err := json.Marshal(view[name]); err != nil || string(got) != want {
			t.Errorf("%s is %s, want %s (%v)", name, got, want, err)
		}
	}
	again := r.do(http.MethodPost, path, form)
	again.shows(http.StatusConflict, `id="problem-name"`)
	if got := inputs(again.body).Get("redirect_uris"); !strings.Contains(got, "https://app.example/two") {
		t.Errorf("what was typed is lost: %q", got)
	}
	r.post(path, "kind", "web", "name", "x", "redirect_uris", "https://a.example/\nnonsense").shows(http.StatusUnprocessableEntity,
		`<p class="problem">Entry 2: Write an absolute URI`, `<a href="#field-redirect_uris">Redirect URIs: Entry 2: Write an absolute URI`)
	r.get(r.at("/clients/"+id)).shows(http.StatusOK, "days").lacks("<script>alert")
	r.api("PATCH", "/clients/"+id, `{"refresh_token_lifetime":100}`)
	if form := inputs(r.get(r.at("/clients/" + id)).body); form.Get("refresh_token_lifetime") != "100" || form.Get("refresh_token_lifetime.unit") != "seconds" {
		t.Errorf("100 seconds are shown as %s %s", form.Get("refresh_token_lifetime"), form.Get("refresh_token_lifetime.unit"))
	}
}

func withValue(form url.Values, name, value string) url.Values {
	other := url.Values{name: {value}}
	for n, v := range form {
		if n != name {
			other[n] = v
		}
	}
	return other
}

func TestClientsByFeature(t *testing.T) {
	r := start(t, servertest.Options{})
	r.api("POST", "/clients", `{"name":"Records","kind":"other","features":["direct_access"]}`)
	for filter, want := range map[string][2]string{"owner": {"First owner", "Records"}, "direct_access": {"Records", "First owner"}, "login_client": {"No API client is like that", "Records"}} {
		r.get(r.at("/clients?feature="+filter)).shows(http.StatusOK, ">"+want[0]+"<").lacks(">" + want[1] + "<")
	}
	r.get(r.at("/clients?feature=nonsense&kind=nonsense")).shows(http.StatusOK, "First owner", "Records")
}

// Who may make what.
func TestWhoMakesClients(t *testing.T) {
	r := start(t, servertest.Options{})
	viewer, developer, manager := r.as(admin.Viewer), r.as(admin.Developer), r.as(admin.Manager)
	viewer.get(r.at("/new-client?kind=web")).shows(http.StatusForbidden)
	viewer.post(r.at("/new-client"), "kind", "web", "name", "x").shows(http.StatusForbidden)
	for role, who := range map[string]*rig{"developer": developer, "manager": manager} {
		who.get(r.at("/new-client?kind=other")).shows(http.StatusOK).lacks(`name="features"`, `name="secret"`, "ostiary:")
		who.makes("service", "name", role, "secret", "correct-horse-battery-staple").lacks("battery")
		who.sends("service", "name", role+"'s", "scopes", "ostiary:admin").shows(http.StatusForbidden)
		who.makes("other", "name", role+" too", "features", "owner").shows(http.StatusCreated, "no grant")
	}
	id := r.madeID(developer.makes("service", "name", "Mine"))
	if owner := r.api("GET", "/clients/"+id, "")["owned_by"]; owner != "developer@example.com" {
		t.Errorf("it is owned by %v", owner)
	}
	developer.get(r.at("/clients/"+id)).shows(http.StatusOK, `<form class="sections"`)
	other := r.madeID(r.makes("service", "name", "Not his"))
	developer.get(r.at("/clients/"+other)).shows(http.StatusOK, "Allowed grants", "3600").lacks(`<form class="sections"`)
	for who, id := range map[*rig]string{developer: other, viewer: other, manager: r.OwnerID} {
		who.do(http.MethodPost, r.at("/clients/"+id), r.fill(r.at("/clients/"+id), "description", "mine")).shows(http.StatusForbidden)
	}
	manager.get(r.at("/clients/"+r.OwnerID)).shows(http.StatusOK, "owner").lacks(`<form class="sections"`)
}

// programs run the snippets as they stand.
var programs = map[string]struct {
	file string
	run  []string
}{
	"curl":   {"snippet.sh", []string{"sh", "snippet.sh"}},
	"go":     {"main.go", []string{"go", "run", "main.go"}},
	"node":   {"client.mjs", []string{"node", "client.mjs"}},
	"python": {"client.py", []string{"python3", "client.py"}},
}

// run writes a snippet of a page into a file and runs it; nil where the program
// is not on this machine.
func (a *answer) run(name string) *exec.Cmd {
	a.t.Helper()
	found := regexp.MustCompile(`(?s)<pre id="snippet-` + name + `"[^>]*>(.*?)</pre>`).FindStringSubmatch(a.body)
	if found == nil {
		a.t.Fatalf("there is no snippet %s:\n%s", name, a.body)
	}
	p := programs[name]
	dir := a.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, p.file), []byte(html.UnescapeString(found[1])), 0o600); err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(a.t.Context(), 5*time.Minute)
	a.t.Cleanup(cancel)
	command := exec.CommandContext(ctx, p.run[0], p.run[1:]...)
	command.Dir = dir
	return command
}

// printsToken fails unless a program printed an answer with an access token.
func (r *rig) printsToken(name, printed, scope string) {
	r.t.Helper()
	var got map[string]any
	from := strings.LastIndex(printed, "{")
	if from < 0 || json.Unmarshal([]byte(printed[from:]), &got) != nil || got["access_token"] == nil || got["scope"] != scope {
		r.t.Errorf("%s printed %s", name, printed)
	}
}

// What is shown after a service was made gets it a token, as it stands.
func TestSnippetsOfAService(t *testing.T) {
	r := start(t, servertest.Options{})
	r.api("POST", "/scopes", `{"name":"read"}`)
	r.api("POST", "/scopes", `{"name":"write","kind":"system"}`)
	const odd = `it's;"odd"&<$HOME>%41\n+=` + "`id`"
	for _, secret := range []string{"", odd} {
		made := r.makes("service", "name", "Billing "+strconv.Itoa(len(secret)), "scopes", "read", "scopes", "write", "secret", secret)
		shown := regexp.MustCompile(`data-copy="([^"]*)" hidden>Copy<span class="away"> secret`).FindStringSubmatch(made.body)
		if shown == nil || secret != "" && html.UnescapeString(shown[1]) != secret {
			t.Fatalf("the page shows the secret %v", shown)
		}
		if made.header.Get("Cache-Control") != "no-store" || made.location != "" {
			t.Errorf("the page with the secret has the headers %v", made.header)
		}
		for name := range programs {
			printed, err := made.run(name).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			r.printsToken(name, string(printed), "read write")
		}
		id := r.madeID(made)
		endpoints := r.get(r.at("/clients/"+id+"/endpoints")).shows(http.StatusOK, "CLIENT_SECRET", r.Issuer+"/oauth2/jwks", r.Issuer+"/.well-known/openid-configuration",
			r.Issuer+"/oauth2/introspect", r.Issuer+"/oauth2/revoke", r.Issuer+"/oauth2/userinfo", r.Issuer+"/oauth2/authorize")
		for _, page := range []*answer{endpoints, r.get(r.at("/clients/" + id)), r.get(r.at("/clients"))} {
			page.lacks(shown[1])
		}
	}
}

// The same for clients whose users sign in: each program shows where to, and
// exchanges the code.
func TestSnippetsOfClientsWithUsers(t *testing.T) {
	r := start(t, servertest.Options{})
	r.api("POST", "/scopes", `{"name":"read"}`)
	u, err := r.App.People.Create(t.Context(), audit.System(), r.ApplicationID, user.Fields{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	browser := r.user(u)
	for kind, redirect := range map[string]string{"web": "https://app.example/cb?a=1&b='2'", "spa": "https://app.example/cb", "native": "http://127.0.0.1:8123/cb"} {
		r.makes(kind, "name", kind+" without", "scopes", "read").shows(http.StatusCreated, "has none yet")
		made := r.makes(kind, "name", kind, "scopes", "read", "redirect_uris", redirect)
		made.shows(http.StatusCreated, map[bool]string{true: "Keep it now", false: "It has no secret"}[kind == "web"])
		if _, err := r.App.Consents.Grant(t.Context(), audit.System(), r.ApplicationID, u.UUID, r.madeID(made), []string{"read"}); err != nil {
			t.Fatal(err)
		}
		for name := range programs {
			if kind == "web" || name == "curl" { // the others differ by the secret only
				r.printsToken(kind+" "+name, converse(t, made.run(name), browser), "read")
			}
		}
	}
}

// Clients that collect passwords are shown how, and those that have their tokens
// from the address of a page.
func TestSnippetsOfOlderGrants(t *testing.T) {
	r := start(t, servertest.Options{Settings: []string{"security_profile=oauth2"}})
	r.api("POST", "/scopes", `{"name":"read","kind":"user"}`)
	words := "correct horse 'battery' $taple "
	if _, err := r.App.People.Create(t.Context(), audit.System(), r.ApplicationID, user.Fields{Email: "ada@example.com", Password: &words}); err != nil {
		t.Fatal(err)
	}
	made := r.makes("web", "name", "Collects", "grant_types", "password", "scopes", "read").lacks("no grant")
	for name := range programs {
		command := made.run(name)
		command.Stdin = strings.NewReader("ada@example.com\n" + words + "\n")
		printed, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.printsToken(name, string(printed), "read")
	}
	r.makes("spa", "name", "Without", "grant_types", "implicit").shows(http.StatusCreated, "has none yet")
	r.makes("spa", "name", "Implicit", "grant_types", "implicit", "scopes", "read", "redirect_uris", "https://app.example/cb").
		shows(http.StatusCreated, "There is nothing to run", "response_type=token", "scope=read").lacks("no grant", "code_challenge")

	// What the profile does not admit any more is no way to a token.
	r.api("PATCH", "", `{"security_profile":"oauth2.1"}`)
	r.get(r.at("/clients/"+r.madeID(made)+"/endpoints")).shows(http.StatusOK, "none that the security profile admits").lacks("snippet-")
}

// A client that may both act for itself and for users is shown the way for which
// it has scopes.
func TestSnippetsSuitTheScopes(t *testing.T) {
	r := start(t, servertest.Options{})
	for _, kind := range []string{"user", "system"} {
		r.api("POST", "/scopes", `{"name":"`+kind+`","kind":"`+kind+`"}`)
		made := r.makes("other", "name", kind, "scopes", kind, "redirect_uris", "https://app.example/cb", "grant_types.from", "chosen",
			"grant_types", "client_credentials", "grant_types", "authorization_code")
		made.shows(http.StatusCreated, map[string]string{"user": "scope=user", "system": "grant_type=client_credentials"}[kind], "snippet-curl")
	}
}

// user gives the browser of a user who is signed in.
func (r *rig) user(u *user.User) *http.Client {
	r.t.Helper()
	app, err := r.App.Applications.Get(r.t.Context(), r.ApplicationID)
	if err != nil {
		r.t.Fatal(err)
	}
	_, cookie, err := r.App.Sessions.Begin(r.t.Context(), audit.System(), app, u, session.SignIn{AMR: []string{"pwd"}, ACR: session.OneFactor})
	if err != nil {
		r.t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil) // never fails
	at, err := url.Parse(r.Issuer + "/")
	if err != nil {
		r.t.Fatal(err)
	}
	jar.SetCookies(at, []*http.Cookie{{Name: "ostiary", Value: cookie}}) //nolint:gosec // G124: a browser sends no attributes
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// converse runs a program that shows an address and asks for the code, and gives
// what it printed.
func converse(t *testing.T, command *exec.Cmd, browser *http.Client) string {
	t.Helper()
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var failed strings.Builder
	command.Stderr = &failed
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	address := regexp.MustCompile(`(?m)^(http\S+)\nPaste`)
	for buffer := make([]byte, 4096); address.FindString(printed.String()) == ""; {
		n, err := output.Read(buffer)
		if printed.Write(buffer[:n]); err != nil {
			t.Fatalf("%v printed %s%s: %v", command.Args, printed.String(), failed.String(), err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address.FindStringSubmatch(printed.String())[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	back, err := url.Parse(response.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%s leads to %s", request.URL, response.Header.Get("Location"))
	}
	if _, err := io.WriteString(input, back.Query().Get("code")+"\n"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(output) // until it ends
	if err := command.Wait(); err != nil {
		t.Errorf("%v: %v\n%s", command.Args, err, failed.String())
	}
	return string(rest)
}
