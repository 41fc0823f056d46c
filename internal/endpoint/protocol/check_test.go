package protocol_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/token"
	"github.com/ostiary/ostiary/internal/core/user"
)

// gateway is a trusted proxy that asks about requests of a client at an address.
type gateway struct {
	*rig
	client string // address
}

func newGateway(r *rig) gateway { return gateway{r.from("10.9.0.1"), "203.0.113.9"} }

// asks sends what nginx sends: what was requested stands in headers. More
// headers replace those.
func (g gateway) asks(token, method, uri string, more http.Header) answer {
	g.t.Helper()
	h := http.Header{"X-Forwarded-For": {g.client}, "X-Original-Method": {method}, "X-Original-Uri": {uri}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	maps.Copy(h, more)
	return g.do(http.MethodGet, g.path("/oauth2/check"), "", h)
}

// opening makes scopes that open paths, and a client that is allowed them.
func (r *rig) opening(set ...func(*client.Client)) creds {
	r.t.Helper()
	c := r.client(append(set, scoped("orders.read", "orders.write", "hosted", "nothing"))...)
	for name, patterns := range map[string]string{
		"orders.read": `["GET /orders","GET /orders/*"]`, "orders.write": `["/orders","/orders/*"]`, "hosted": `["https://api.example.com/orders/*"]`,
	} {
		r.patchScope(name, `{"url_patterns":`+patterns+`}`)
	}
	return c
}

func (a answer) wantRefusal(t *testing.T, name string, status int, code string) {
	t.Helper()
	a.wantError(t, name, status, code)
	got, want := a.header.Get("Www-Authenticate"), ""
	if code == "invalid_token" || code == "insufficient_scope" {
		want = `Bearer realm="ostiary", error="` + code + `", error_description="`
	}
	if !strings.HasPrefix(got, want) || want == "" && got != "" {
		t.Errorf("%s: WWW-Authenticate %q", name, got)
	}
	for header := range a.header {
		if strings.HasPrefix(header, "X-Ostiary") {
			t.Errorf("%s: a refusal has the header %s", name, header)
		}
	}
}

func TestGatewayCheck(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	for name, c := range map[string]creds{"jwt": r.opening(), "opaque": r.opening(opaque)} {
		text := r.mint(c, "scope=orders.read+nothing")
		for _, uri := range []string{"/orders", "/orders/1?a=b", "/orders/%31/items", "https://elsewhere.example/orders/1"} {
			got := g.asks(text, "GET", uri, nil)
			if got.status != 200 || got.text != "" || got.header.Get("X-Ostiary-Client") != c.id || got.header.Get("X-Ostiary-Subject") != c.id ||
				got.header.Get("X-Ostiary-Scope") != "orders.read nothing" || got.header.Get("X-Ostiary-Token-Id") == "" ||
				got.header["X-Ostiary-User"] != nil || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: %d %s %v", name, uri, got.status, got.text, got.header)
			}
		}
		before := r.statements()
		g.asks(text, "GET", "/orders", nil)
		if n := r.statements() - before; n != 0 {
			t.Errorf("%s: %d statements, when asked again", name, n)
		}
	}
}

// What is requested comes with the path of the check before it.
func TestGatewayCheckByPath(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	text := r.mint(r.opening(), "scope=orders.read")
	for _, c := range []struct {
		method, below string
		status        int
	}{
		{"GET", "/orders", 200},
		{"HEAD", "/orders/1/2/3/4/5/6/7/8/9/10/11/12/13?a=b", 200},
		{"GET", "/orders/1?resource=urn:x", 200},
		{"POST", "/orders", 403},
		{"DELETE", "/orders/1", 403},
		{"GET", "/", 403},
		{"GET", "/orders//1", 403},
		{"GET", "/orders/%2f", 403},
		{"GET", "/orders/../x", 403},
		{"GET", "/orders/1;a=b", 403},
		{"PROPFIND", "/orders", 403},
		{"OPTIONS", "/orders", 403},
	} {
		// What the client says of another request is not looked at.
		got := g.do(c.method, g.path("/oauth2/check"+c.below), "", http.Header{
			"Authorization": {"Bearer " + text}, "X-Original-Uri": {"/orders"}, "X-Original-Method": {"GET"},
		})
		if got.status != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.below, got.status, got.text)
		}
	}
}

// Any method asks in headers.
func TestGatewayCheckByAnyMethod(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	h := http.Header{"Authorization": {"Bearer " + r.mint(r.opening(), "scope=orders.read")}, "X-Original-Uri": {"/orders"}, "X-Original-Method": {"GET"}}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"} {
		g.do(method, g.path("/oauth2/check"), "", h).wantStatus(t, method, 200)
	}
}

func TestGatewayCheckRefusesTokens(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	c := r.opening(opaque)
	text := r.mint(c, "scope=orders.read")
	plain := g.asks("", "GET", "/orders", nil)
	plain.wantError(t, "no token", 401, "invalid_token")
	if got := plain.header.Get("Www-Authenticate"); got != `Bearer realm="ostiary"` {
		t.Errorf("no token: WWW-Authenticate %q", got)
	}
	basic := g.asks("", "GET", "/orders", http.Header{"Authorization": {c.basic()}})
	basic.wantError(t, "another scheme", 401, "invalid_token")
	for name, lines := range map[string][]string{
		"two": {"Bearer " + text, "Bearer " + text}, "nothing": {"Bearer "}, "two words": {"Bearer " + text + " x"}, "a word": {"Bearer"},
		"forged": {"Bearer " + text[:45] + "AAAA" + text[49:]}, "none of ours": {"Bearer x"}, "a JWT of nobody": {"Bearer e30.e30.AAAA"},
	} {
		g.asks("", "GET", "/orders", http.Header{"Authorization": lines}).wantRefusal(t, name, 401, "invalid_token")
	}
	g.asks("", "GET", "/orders", http.Header{"Authorization": {"bEaReR  " + text}}).wantStatus(t, "another case", 200)
	other := r.otherApplication()
	gateway{g.in(other.application), g.client}.asks(text, "GET", "/orders", nil).wantRefusal(t, "another application", 401, "invalid_token")
	gateway{g.in("nobody"), g.client}.asks(text, "GET", "/orders", nil).wantRefusal(t, "no application", 401, "invalid_token")
	r.revoke(c, text)
	g.asks(text, "GET", "/orders", nil).wantRefusal(t, "revoked", 401, "invalid_token")
	text = r.mint(c, "scope=orders.read")
	g.asks(text, "GET", "/orders", nil).wantStatus(t, "another token", 200)
	r.setActive(c, false)
	g.asks(text, "GET", "/orders", nil).wantRefusal(t, "of an inactive client", 401, "invalid_token")
}

// The address of the presenter is held against the token's client.
func TestGatewayCheckHoldsAddresses(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	c := r.opening()
	text := r.mint(c, "scope=orders.read")
	r.change(c, func(c *client.Client) { c.Settings.AllowedIPs = []string{"203.0.113.0/24"} })
	g.asks(text, "GET", "/orders", nil).wantStatus(t, "on the list", 200)
	for name, forwarded := range map[string][]string{
		"elsewhere": {"198.51.100.1"}, "what the client says": {"203.0.113.9, 198.51.100.1"}, "unknown": {"unknown"}, "the gateway itself": nil,
	} {
		g.asks(text, "GET", "/orders", http.Header{"X-Forwarded-For": forwarded}).wantRefusal(t, name, 403, "access_denied")
	}
}

func TestGatewayCheckRefusesRequests(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	text := r.mint(r.opening(), "scope=orders.write+hosted")
	for _, uri := range []string{
		"/orders/%2f", "/orders/%2Fx", "/orders%5cx", "/orders/%00", "/orders/./1", "/orders/..", "/orders/%2e%2e/1", "/orders//1", "//orders", "/orders;a=b", "/orders/1%3b",
		"/orders/%zz", "orders", "", "ftp://api.example.com/orders/1", "https://evil@api.example.com/orders/1", "/orders/1#a",
	} {
		g.asks(text, "GET", uri, nil).wantRefusal(t, uri, 403, "access_denied")
	}
	for name, h := range map[string]http.Header{
		"two URIs":           {"X-Original-Uri": {"/orders", "/orders"}},
		"a URI and a URL":    {"X-Original-Url": {"https://api.example.com/orders/1"}},
		"no URI":             {"X-Original-Uri": nil},
		"neither":            {"X-Original-Uri": nil, "X-Original-Method": nil},
		"two methods":        {"X-Original-Method": {"GET", "GET"}},
		"a malformed method": {"X-Original-Method": {"get it"}},
	} {
		g.asks(text, "GET", "/orders", h).wantRefusal(t, name, 403, "access_denied")
	}
	stranger := gateway{r.from("203.0.113.9"), "203.0.113.9"}
	stranger.asks(text, "GET", "/orders", nil).wantRefusal(t, "a peer that is not trusted", 403, "access_denied")
	// Whose request it is need not be believed where the path is its own.
	stranger.do("GET", r.path("/oauth2/check/orders"), "", http.Header{"Authorization": {"Bearer " + text}}).wantStatus(t, "a peer that is not trusted, by path", 200)
}

// Where operators have said nothing about paths, a live token opens them all.
func TestGatewayCheckWithoutPatterns(t *testing.T) {
	r := newRig(t)
	c := r.client(scoped("plain"))
	text := r.mint(c, "scope=plain")
	bare := func(authorization string) answer {
		return r.do("GET", r.path("/oauth2/check"), "", http.Header{"Authorization": {authorization}})
	}
	bare("Bearer "+text).wantStatus(t, "the token alone", 200)
	bare("Bearer "+text+"x").wantRefusal(t, "no token", 401, "invalid_token")
	newGateway(r).asks(text, "GET", "/any", nil).wantStatus(t, "a path", 200)
	newGateway(r).asks(text, "GET", "/any//", nil).wantRefusal(t, "a path of two readings", 403, "access_denied")
	r.opening()
	bare("Bearer "+text).wantRefusal(t, "once a scope has a pattern", 403, "access_denied")
	newGateway(r).asks(text, "GET", "/any", nil).wantRefusal(t, "a path, once a scope has a pattern", 403, "insufficient_scope")
}

func TestGatewayCheckHoldsScopes(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	c := r.opening()
	read, write, hosted, nothing := r.mint(c, "scope=orders.read"), r.mint(c, "scope=orders.write"), r.mint(c, "scope=hosted"), r.mint(c, "scope=nothing")
	for _, c := range []struct {
		name, token, method, uri string
		want                     bool
	}{
		{"read", read, "GET", "/orders/1", true},
		{"read", read, "HEAD", "/orders/1", true},
		{"read", read, "DELETE", "/orders/1", false},
		{"read", read, "GET", "/invoices/1", false},
		{"write", write, "DELETE", "/orders/1", true},
		{"write", write, "GET", "/ordersx", false},
		{"write", write, "GET", "/ORDERS/1", false},
		{"hosted", hosted, "GET", "/orders/1", false},
		{"hosted", hosted, "GET", "https://other.example.com/orders/1", false},
		{"nothing", nothing, "GET", "/orders/1", false},
		{"nothing", nothing, "GET", "/", false},
	} {
		got := g.asks(c.token, c.method, c.uri, nil)
		if name := c.name + " " + c.method + " " + c.uri; c.want {
			got.wantStatus(t, name, 200)
		} else {
			got.wantRefusal(t, name, 403, "insufficient_scope")
		}
	}
	g.asks(hosted, "GET", "", http.Header{"X-Original-Uri": nil, "X-Original-Url": {"https://API.example.com:443/orders/1?a"}}).wantStatus(t, "hosted, by URL", 200)
	g.asks(read, "GET", "/orders", http.Header{"X-Original-Method": nil}).wantRefusal(t, "no method, patterns with one", 403, "insufficient_scope")
	g.asks(write, "", "/orders", http.Header{"X-Original-Method": nil}).wantStatus(t, "no method, patterns for all", 200)
	r.patchScope("nothing", `{"url_patterns":["/*"]}`)
	g.asks(nothing, "GET", "/invoices/1", nil).wantStatus(t, "once it opens something", 200)
	r.patchScope("nothing", `{"url_patterns":null}`)
	g.asks(nothing, "GET", "/invoices/1", nil).wantRefusal(t, "once it opens nothing", 403, "insufficient_scope")
}

// A token for one API is no good at another.
func TestGatewayCheckHoldsResources(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	r.resource(resource.Fields{Identifier: orders})
	r.resource(resource.Fields{Identifier: billing})
	c := r.opening()
	tokens := map[string]string{"": r.mint(c, "scope=orders.read"), orders: r.mint(c, "scope=orders.read"+named(orders)), "both": r.mint(c, "scope=orders.read"+named(orders, billing))}
	for _, c := range []struct {
		behind string
		want   []string
	}{
		{"", []string{""}},
		{"?resource=" + url.QueryEscape(orders), []string{orders, "both"}},
		{"?resource=" + url.QueryEscape(billing), []string{"both"}},
		{"?resource=urn:x" + named(orders), []string{orders, "both"}},
		{"?resource=urn:x", nil},
	} {
		for name, text := range tokens {
			got := g.do("GET", g.path("/oauth2/check"+c.behind), "", http.Header{"Authorization": {"Bearer " + text}, "X-Original-Uri": {"/orders"}, "X-Original-Method": {"GET"}})
			if slices.Contains(c.want, name) {
				got.wantStatus(t, name+" at "+c.behind, 200)
			} else {
				got.wantRefusal(t, name+" at "+c.behind, 401, "invalid_token")
			}
		}
	}
	g.do("GET", g.path("/oauth2/check?resource=%zz"), "", http.Header{"Authorization": {"Bearer " + tokens[""]}, "X-Original-Uri": {"/orders"}}).
		wantRefusal(t, "a malformed query", 403, "access_denied")
}

func TestGatewayCheckWithoutLease(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	text := r.mint(r.opening(), "scope=orders.read")
	g.asks(text, "GET", "/orders", nil).wantStatus(t, "with the lease", 200)
	r.loseLease()
	g.asks(text, "GET", "/orders", nil).wantError(t, "without", 503, "temporarily_unavailable")
}

// Of a token of a user the upstream is told who that is.
func TestGatewayCheckSaysWhoTheUserIs(t *testing.T) {
	r := newRig(t)
	g := newGateway(r)
	c := r.opening()
	u := &user.User{ApplicationID: r.app, UUID: ident.User(), Era: 7, CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
	if err := r.db.Users().Create(t.Context(), u, r.event("user.create", "user:"+u.UUID)); err != nil {
		t.Fatal(err)
	}
	app, err := r.parts.Applications.Get(t.Context(), r.app)
	if err != nil {
		t.Fatal(err)
	}
	of, err := r.parts.Clients.Get(t.Context(), r.app, c.id)
	if err != nil {
		t.Fatal(err)
	}
	minted, err := r.parts.Tokens.Password(t.Context(), &token.Authorization{Application: app, Client: of, Issuer: r.issuer(), User: u, Scopes: []string{"orders.read"}})
	if err != nil {
		t.Fatal(err)
	}
	got := g.asks(minted.Text, "GET", "/orders", nil)
	if got.status != 200 || got.header.Get("X-Ostiary-User") != u.UUID || got.header.Get("X-Ostiary-Subject") != u.UUID || got.header.Get("X-Ostiary-Client") != c.id {
		t.Errorf("%d %s %v", got.status, got.text, got.header)
	}
}

// RFC 9700 §4.15: a client that is called as a user is stays a client to who asks.
func TestAClientIsNoUser(t *testing.T) {
	r := newRig(t)
	g, u := newGateway(r), r.user()
	c := r.opening(func(c *client.Client) { c.ID = u.UUID }, opaque)
	text := r.mint(c, "scope=orders.read")
	found := r.introspect(c, text)
	if c.id != u.UUID || found.body["sub"] != found.body["client_id"] || found.body["username"] != nil || found.body["auth_time"] != nil {
		t.Errorf("introspection: %v", found.body)
	}
	got := g.asks(text, "GET", "/orders", nil)
	if got.status != 200 || got.header.Get("X-Ostiary-Client") != c.id || got.header.Get("X-Ostiary-User") != "" {
		t.Errorf("the gateway is told %d %v", got.status, got.header)
	}
}
