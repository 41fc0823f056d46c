package authorize_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/client"
)

// What is wrong with client or redirect URI is shown on a page: nobody is sent
// where a stranger wants (RFC 6749 §4.1.2.1, RFC 9700 §4.11.2).
func TestWhatIsShownOnAPage(t *testing.T) {
	r := newRig(t)
	r.spa("one")
	r.client("two", `"kind":"spa","redirect_uris":["`+callback+`","https://app.example/other"],"scopes":["openid"]`)
	r.client("none", `"kind":"spa","scopes":["openid"]`)
	r.client("ended", `"kind":"spa","redirect_uris":["`+callback+`"],"active":false`)
	valid := request("one").Encode()
	for _, c := range []struct {
		name, query string
		status      int
		code        string
	}{
		{"nothing at all", "", 400, "invalid_request"},
		{"no client", request("one", "client_id").Encode(), 400, "invalid_request"},
		{"an empty client", request("one", "client_id=").Encode(), 400, "invalid_request"},
		{"an unknown client", request("nobody").Encode(), 400, "invalid_request"},
		{"what is no client's id", request("a b\x01").Encode(), 400, "invalid_request"},
		{"an inactive client", request("ended").Encode(), 400, "invalid_request"},
		{"two clients", valid + "&client_id=two", 400, "invalid_request"},
		{"a client without redirect URIs", request("none").Encode(), 400, "invalid_request"},
		{"a client with several, none named", request("two", "redirect_uri").Encode(), 400, "invalid_request"},
		{"OpenID Connect without one", request("one", "redirect_uri").Encode(), 400, "invalid_request"},
		{"two redirect URIs", valid + "&redirect_uri=" + url.QueryEscape(callback), 400, "invalid_request"},
		{"another one", request("one", "redirect_uri=https://evil.example/").Encode(), 400, "invalid_request"},
		{"more path", request("one", "redirect_uri="+callback+"/more").Encode(), 400, "invalid_request"},
		{"a query", request("one", "redirect_uri="+callback+"?a=b").Encode(), 400, "invalid_request"},
		{"a fragment", request("one", "redirect_uri="+callback+"#a").Encode(), 400, "invalid_request"},
		{"another case", request("one", "redirect_uri=https://APP.example/cb").Encode(), 400, "invalid_request"},
		{"a host behind the user", request("one", "redirect_uri=https://app.example@evil.example/cb").Encode(), 400, "invalid_request"},
		{"what is no text", valid + "&x=%ff", 400, "invalid_request"},
		{"broken encoding", valid + "&x=%zz", 400, "invalid_request"},
		{"too long", valid + "&x=" + strings.Repeat("a", authorization.MaxQuery), 400, "invalid_request"},
		{"what was not sealed here", "continue=AAAA", 400, "invalid_request"},
		{"a sealed request beside another", valid + "&continue=AAAA", 400, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := *r
			in.T = t
			in.wantPage(in.get(c.query), c.status, c.code)
		})
	}
	r.app = &application.Application{ID: "nowhere"}
	r.wantPage(r.get(valid), 404, "invalid_request")
}

// The page tells the developer what was sent, as a text of its own that the page
// escapes; the error itself repeats nothing.
func TestThePageSaysWhatDidNotMatch(t *testing.T) {
	r := newRig(t)
	r.spa("one")
	evil := "https://evil.example/<script>"
	a := r.get(request("one", "redirect_uri="+evil).Encode())
	if a.pages.detail != "redirect_uri="+evil || strings.Contains(a.pages.problem.Error(), "evil") {
		t.Errorf("the page was told %q, %v", a.pages.detail, a.pages.problem)
	}
	if a := r.get(request("<b>").Encode()); a.pages.detail != "client_id=<b>" || strings.Contains(a.pages.problem.Error(), "<b>") {
		t.Errorf("the page was told %q, %v", a.pages.detail, a.pages.problem)
	}
}

// From here on errors go to the client, in the mode that its answer would have.
func TestErrorsThatTheClientIsTold(t *testing.T) {
	r := newRig(t, "security_profile=oauth2")
	r.spa("spa")
	r.client("web", `"kind":"web","redirect_uris":["`+callback+`"],"scopes":["openid"],"require_pkce":false`)
	r.client("imp", `"kind":"spa","redirect_uris":["`+callback+`"],"scopes":["openid"],"grant_types":["implicit"]`)
	r.client("service", `"kind":"other","redirect_uris":["`+callback+`"],"grant_types":["client_credentials"]`)
	implicit := func(more ...string) url.Values {
		return with(request("imp", "response_type=id_token token", "nonce=n", "code_challenge", "code_challenge_method"), more...)
	}
	for _, c := range []struct {
		name  string
		sent  url.Values
		extra string
		mode  string
		code  string
	}{
		{"a parameter twice", request("spa"), "&scope=email", "query", "invalid_request"},
		{"response_type twice", request("spa", "response_mode=fragment"), "&response_type=code", "fragment", "invalid_request"},
		{"response_mode twice", request("spa", "response_mode=fragment"), "&response_mode=form_post", "query", "invalid_request"},
		{"a request object", request("spa", "request=eyJ"), "", "query", "request_not_supported"},
		{"one elsewhere", request("spa", "request_uri=https://app.example/r"), "", "query", "request_uri_not_supported"},
		{"a registration", request("spa", "registration={}"), "", "query", "registration_not_supported"},
		{"no response_type", request("spa", "response_type"), "", "query", "invalid_request"},
		{"an unknown one", request("spa", "response_type=cookie"), "", "query", "unsupported_response_type"},
		{"a hybrid one", request("spa", "response_type=code id_token"), "", "fragment", "unsupported_response_type"},
		{"a mode that there is not", request("spa", "response_mode=jwt"), "", "query", "invalid_request"},
		{"another window of the browser's (RFC 9700 §4.17)", request("spa", "response_mode=web_message"), "", "query", "invalid_request"},
		{"tokens in a query", implicit("response_mode=query"), "", "fragment", "invalid_request"},
		{"by a form", request("spa", "response_mode=form_post", "response_type=cookie"), "", "form_post", "unsupported_response_type"},
		{"in the fragment", request("spa", "response_mode=fragment", "prompt=sometimes"), "", "fragment", "invalid_request"},
		{"not the client's grant: code", request("service", "scope"), "", "query", "unauthorized_client"},
		{"not the client's grant: implicit", implicit("client_id=spa"), "", "fragment", "unauthorized_client"},
		{"not the client's grant: code of an implicit one", request("imp"), "", "query", "unauthorized_client"},
		{"no PKCE of a public client", request("spa", "code_challenge", "code_challenge_method"), "", "query", "invalid_request"},
		{"plain", request("spa", "code_challenge_method=plain"), "", "query", "invalid_request"},
		{"plain, by leaving the method out", request("spa", "code_challenge_method"), "", "query", "invalid_request"},
		{"a method without challenge", request("web", "code_challenge"), "", "query", "invalid_request"},
		{"plain, where PKCE is waived", request("web", "code_challenge_method=plain"), "", "query", "invalid_request"},
		{"no challenge at all", request("spa", "code_challenge=short"), "", "query", "invalid_request"},
		{"id_token without nonce", implicit("nonce"), "", "fragment", "invalid_request"},
		{"id_token without openid", implicit("response_type=id_token", "scope"), "", "fragment", "invalid_scope"},
		{"an unknown prompt", request("spa", "prompt=create"), "", "query", "invalid_request"},
		{"none and something", request("spa", "prompt=none login"), "", "query", "invalid_request"},
		{"max_age that is no number", request("spa", "max_age=-1"), "", "query", "invalid_request"},
		{"claims that are none", request("spa", "claims=[]"), "", "query", "invalid_request"},
		{"a hint that is none", request("spa", "id_token_hint=a.b.c"), "", "query", "invalid_request"},
		{"a nonce without end", request("spa", "nonce="+strings.Repeat("n", 1025)), "", "query", "invalid_request"},
		{"a class that there is not", request("spa", `claims={"id_token":{"acr":{"essential":true,"value":"9"}}}`), "", "query", "unmet_authentication_requirements"},
		{"a scope that the client is not allowed", request("spa", "scope=openid address"), "", "query", "invalid_scope"},
		{"what is no scope", request("spa", `scope="`), "", "query", "invalid_scope"},
		{"no scope where one is required", request("spa", "scope"), "", "query", "invalid_scope"},
		{"an unknown resource", request("spa", "resource=https://api.example"), "", "query", "invalid_target"},
		{"nobody signed in, and no page", request("spa", "prompt=none"), "", "query", "login_required"},
		{"the same by a form", request("spa", "prompt=none", "response_mode=form_post"), "", "form_post", "login_required"},
		{"the same, implicit", implicit("prompt=none"), "", "fragment", "login_required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := *r
			in.T = t
			in.wantError(in.get(c.sent.Encode()+c.extra), callback, c.mode, c.code)
		})
	}
}

// Under the profile oauth2.1 there is no token from this endpoint.
func TestTheStrictProfileGivesCodesOnly(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	for _, kind := range []string{"token", "id_token", "id_token token", "token id_token"} {
		a := r.get(request("spa", "response_type="+kind, "nonce=n").Encode())
		r.wantError(a, callback, "fragment", "unsupported_response_type")
	}
}

func TestARepeatedStateIsNobodys(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	got := r.get(request("spa").Encode()+"&state=other").to(callback, "query")
	if got.Get("error") != "invalid_request" || got.Has("state") || got.Get("iss") != r.issuer {
		t.Errorf("answered %v", got)
	}
}

// The port of a loopback address is the system's choice (RFC 8252 §7.3).
func TestLoopbackPorts(t *testing.T) {
	r := newRig(t)
	r.client("app", `"kind":"native","redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"],"scopes":["openid"]`)
	for uri, taken := range map[string]bool{
		"http://127.0.0.1/cb": true, "http://127.0.0.1:51234/cb": true, "http://127.0.0.1:51234/other": false,
		"http://localhost:51234/cb": false, "http://127.0.0.1.evil.example/cb": false, "http://127.0.0.1:1@evil.example/cb": false,
		"https://127.0.0.1:51234/cb": false,
	} {
		a := r.get(request("app", "redirect_uri="+uri, "prompt=none").Encode())
		if !taken {
			r.wantPage(a, 400, "invalid_request")
			continue
		}
		r.wantError(a, uri, "query", "login_required")
	}
	a := r.get(request("app", "redirect_uri=com.example.app:/cb", "prompt=none").Encode())
	if a.location != nil || !strings.HasPrefix(a.pages.interstitial, "com.example.app:/cb?error=login_required&") {
		t.Errorf("a scheme of its own: %v, %q", a.location, a.pages.interstitial)
	}
	a = r.get(request("app", "redirect_uri=com.example.app:/cb", "response_mode=form_post").Encode())
	if !strings.HasPrefix(a.pages.interstitial, "com.example.app:/cb?error=invalid_request&") {
		t.Errorf("a form to such a scheme: %q", a.pages.interstitial)
	}
}

// What was registered is kept to the letter, its query too.
func TestARedirectURIWithAQuery(t *testing.T) {
	r := newRig(t)
	r.client("spa", `"kind":"spa","redirect_uris":["https://app.example/cb?a=%2F&b"],"scopes":["openid"]`)
	a := r.get(request("spa", "redirect_uri=https://app.example/cb?a=%2F&b", "prompt=none").Encode())
	if a.location == nil || !strings.HasPrefix(a.location.String(), "https://app.example/cb?a=%2F&b&error=login_required&") {
		t.Errorf("sent to %v", a.location)
	}
}

// A login_client goes where its settings at the Configuration API say, and where
// these say nothing, where the application's do.
func TestRedirectURIsOfSettings(t *testing.T) {
	r := newRig(t)
	r.client("site", `"kind":"other","features":["login_client"],"scopes":["openid"]`)
	r.client("shop", `"kind":"web","scopes":["openid"]`)
	document := func(uris string) client.Document {
		d, err := client.ParseDocument(map[string]json.RawMessage{"redirect_uris": json.RawMessage(uris)}, true)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	ask := func(clientID, uri string) answer {
		return r.get(request(clientID, "redirect_uri="+uri, "prompt=none").Encode())
	}
	operations := r.server.App.Operations
	r.wantPage(ask("site", callback), 400, "invalid_request")
	if _, err := operations.PutApplicationDocument(t.Context(), source, r.app.ID, document(`["https://*.example/cb","`+callback+`"]`)); err != nil {
		t.Fatal(err)
	}
	r.wantError(ask("site", callback), callback, "query", "login_required")
	r.wantPage(ask("site", "https://*.example/cb"), 400, "invalid_request")
	r.wantPage(ask("shop", callback), 400, "invalid_request")
	if err := operations.PutDocument(t.Context(), source, r.app, "site", document(`["https://site.example/cb"]`)); err != nil {
		t.Fatal(err)
	}
	r.wantError(ask("site", "https://site.example/cb"), "https://site.example/cb", "query", "login_required")
	r.wantPage(ask("site", callback), 400, "invalid_request")
}

// By POST the parameters are in the body alone. Another site's form brings no
// cookie, so the browser is asked to come once more.
func TestPost(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	a := r.do(http.MethodPost, request("spa").Encode(), "x=y")
	r.wantPage(a, 400, "invalid_request")
	a = r.do(http.MethodPost, "", request("spa", "prompt=none").Encode())
	if a.location == nil || !strings.HasPrefix(a.location.String(), r.issuer+"/oauth2/authorize?continue=") {
		t.Fatalf("sent to %v, problem %v", a.location, a.pages.problem)
	}
	r.wantError(r.get(a.location.RawQuery), callback, "query", "login_required")
	r.signIn("ann@example.com", "1")
	r.wantVisit(r.do(http.MethodPost, "", request("spa").Encode()), "/consent", authorization.Agree)
}
