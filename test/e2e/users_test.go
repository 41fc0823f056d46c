package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/loopback"
	"github.com/ostiary/ostiary/test/browser"
	"github.com/ostiary/ostiary/test/caller"
	"github.com/ostiary/ostiary/test/process"
)

const (
	adaEmail    = "ada@example.com"
	adaPassword = "a lamp in the hall"
)

// forUsers is a server with a user, and a browser in which that user sits.
type forUsers struct {
	server *process.Server
	owner  *caller.Caller
	tab    *browser.Tab
	user   string // the uuid
}

// program is one that acts for users, and the client that it is.
type program struct {
	name   string
	file   string // below test/node, "" where the program is in this package
	client map[string]any
	plain  bool // knows no id_token
	once   bool // does not refresh
}

// outcome is what a program shows of what it was given.
type outcome struct {
	Error     string         `json:"error"`
	Claims    map[string]any `json:"claims"` // of the id_token
	UserInfo  map[string]any `json:"userinfo"`
	Tokens    tokens         `json:"tokens"`
	Refreshed tokens         `json:"refreshed"`
	Silent    tokens         `json:"silent"` // of a frame, with prompt=none
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
}

func programs() []program {
	web := map[string]any{"kind": "web"}
	return []program{
		{name: "x-oauth2 and go-oidc", client: web},
		{name: "openid-client", file: "openid-client-user.mjs", client: web},
		{name: "openid-client, public", file: "openid-client-user.mjs", client: map[string]any{"kind": "native"}},
		{name: "oauth4webapi", file: "oauth4webapi-user.mjs", client: map[string]any{"kind": "web", "access_token_format": "opaque"}},
		{name: "oauth4webapi, public", file: "oauth4webapi-user.mjs", client: map[string]any{"kind": "native", "access_token_format": "opaque"}},
		{name: "simple-oauth2", file: "simple-oauth2-user.mjs", client: web, plain: true},
		{name: "passport-openidconnect", file: "passport-openidconnect-user.mjs", client: map[string]any{"kind": "web", "require_pkce": false}, once: true},
		{name: "oidc-client-ts", file: "oidc-client-ts-user.mjs", client: map[string]any{"kind": "spa"}},
	}
}

// TestProgramsActForUsers has a user sign in and consent, in a browser, to each of
// the programs.
func TestProgramsActForUsers(t *testing.T) {
	if err := packages(); err != nil {
		t.Fatal(err)
	}
	tab := browser.Open(t)
	onEach(t, func(t *testing.T, cluster *process.Cluster) {
		f := withUser(t, cluster.Database())
		for _, p := range programs() {
			t.Run(p.name, func(t *testing.T) {
				f.tab = tab.For(t)
				f.check(t, &p, f.act(t, &p))
			})
		}
	})
}

// withUser gives a server that has a user, and a scope for programs to ask for.
func withUser(t *testing.T, database string, flags ...string) *forUsers {
	t.Helper()
	server := process.Found(t, database, flags...)
	server.Start()
	f := &forUsers{server: server, owner: server.Owner()}
	f.make(t, "/scopes", map[string]any{"name": "orders", "description": "Your orders", "kind": "user"})
	made := f.make(t, "/users", map[string]any{
		"email": adaEmail, "password": adaPassword, "email_verified": true,
		"attributes": map[string]any{"givenName": "Ada", "familyName": "Lovelace"},
	})
	f.user, _ = made["uuid"].(string)
	return f
}

// make makes a record by the management API.
func (f *forUsers) make(t *testing.T, path string, document map[string]any) (made map[string]any) {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	path = "/api/v1/applications/" + f.server.ApplicationID + path
	must(t, http.StatusCreated, &made)(f.owner.Do(t.Context(), http.MethodPost, path, "application/json", body))
	return made
}

// register makes a client that returns to an address of the loopback interface,
// and gives its credentials and that address.
func (f *forUsers) register(t *testing.T, name string, settings map[string]any) (id, secret, redirectURI string) {
	t.Helper()
	redirectURI = "http://" + loopback.Free(t) + "/signed-in"
	document := map[string]any{
		"name": name, "redirect_uris": []string{redirectURI},
		"grant_types": []string{"authorization_code", "refresh_token"}, "scopes": []string{"openid", "profile", "email", "orders"},
	}
	maps.Copy(document, settings)
	made := f.make(t, "/clients", document)
	id, _ = made["id"].(string)
	secret, _ = made["secret"].(string)
	return id, secret, redirectURI
}

// act starts a program, goes through it with the browser, and gives what it shows
// in the end.
func (f *forUsers) act(t *testing.T, p *program) *outcome {
	t.Helper()
	id, secret, redirectURI := f.register(t, p.name, p.client)
	if p.file == "" {
		serveGo(t, f.server.Issuer, id, secret, redirectURI)
	} else {
		startNode(t, p.file, "ISSUER="+f.server.Issuer, "CLIENT_ID="+id, "CLIENT_SECRET="+secret, "REDIRECT_URI="+redirectURI)
	}
	f.tab.Go(strings.TrimSuffix(redirectURI, "signed-in"))
	f.signIn(t)
	var shown outcome
	text := f.tab.Text("#result")
	if err := json.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return &shown
}

// signIn signs the user in and consents.
func (f *forUsers) signIn(t *testing.T) {
	t.Helper()
	f.tab.Type("#field-email", adaEmail)
	f.tab.Type("#field-password", adaPassword)
	f.tab.Click(`form[action$="/signin"] button`)
	f.tab.Click(`form[action$="/consent"] button[value="allow"]`)
}

// check holds what a program shows against what the user is.
func (f *forUsers) check(t *testing.T, p *program, shown *outcome) {
	t.Helper()
	if shown.Error != "" {
		t.Fatalf("the program failed: %s", shown.Error)
	}
	told := map[string]map[string]any{"userinfo": shown.UserInfo}
	if !p.plain {
		told["the id_token"] = shown.Claims
		if shown.Claims["auth_time"] == nil || shown.Claims["amr"] == nil || shown.Tokens.ID == "" {
			t.Errorf("the id_token lacks something: %v", shown.Claims)
		}
	}
	for what, claims := range told {
		if claims["sub"] != f.user {
			t.Errorf("%s: sub is %v; want %s", what, claims["sub"], f.user)
		}
	}
	for name, want := range map[string]any{"email": adaEmail, "email_verified": true, "given_name": "Ada", "family_name": "Lovelace", "name": "Ada Lovelace"} {
		if shown.UserInfo[name] != want {
			t.Errorf("userinfo: %s is %v; want %v", name, shown.UserInfo[name], want)
		}
	}
	live := []string{shown.Tokens.Access}
	if !p.once {
		live = append(live, shown.Refreshed.Access)
		if shown.Refreshed.Refresh == "" || shown.Refreshed.Refresh == shown.Tokens.Refresh || shown.Refreshed.Access == shown.Tokens.Access {
			t.Error("the refresh gave nothing new")
		}
	}
	if p.client["kind"] == "spa" {
		live = append(live, shown.Silent.Access)
		if shown.Silent.Access == shown.Refreshed.Access {
			t.Error("the frame gave nothing new")
		}
	}
	for n, token := range live {
		if !active(t, f.owner, token) {
			t.Errorf("access token %d is not active", n)
		}
	}
}

// startNode starts a program of test/node that listens at its redirect URI. It
// ends with the test.
func startNode(t *testing.T, file string, environment ...string) {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v; tools/need.sh e2e installs what these tests need", err)
	}
	cmd := exec.CommandContext(context.Background(), path, filepath.Join(process.Root(), "test", "node", file))
	cmd.Env = append(process.Environment(), environment...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", file, complaint.String())
		}
	})
	if line, err := lines.ReadString('\n'); err != nil || line != "listening\n" {
		t.Fatalf("%s does not listen: %q, %v", file, line, err)
	}
}
