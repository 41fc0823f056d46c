package signin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/authorization"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/user"
	"github.com/ostiary/ostiary/internal/servertest"
)

// api makes a record by the management API.
func (a *agent) api(path, document string) map[string]any {
	a.t.Helper()
	answer := a.server.Do(http.MethodPost, "/api/v1/applications/"+a.server.ApplicationID+path, a.server.OwnerID, a.server.OwnerSecret, "application/json", document)
	var made map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != http.StatusCreated {
		a.t.Fatalf("%s %s: %d %v %v", path, document, answer.StatusCode, made, err)
	}
	return made
}

const callback = "https://app.example.com/cb"

// request is one of a client that is made for it.
func (a *agent) request(change ...func(*authorization.Request)) *authorization.Request {
	a.t.Helper()
	a.api("/scopes", `{"name":"orders","description":"Read your orders","kind":"user"}`)
	a.api("/scopes", `{"name":"stock","kind":"user"}`)
	made := a.api("/clients", `{"name":"Billing sync","version":"2.1","kind":"web","description":"Copies orders.","redirect_uris":["`+callback+`"],"scopes":["openid","orders","stock"]}`)
	r := &authorization.Request{
		Query: "client_id=x", BegunAt: a.server.Clock.Now(), ClientID: made["id"].(string), RedirectURI: callback,
		Need: authorization.Agree, Scopes: []string{"openid", "orders", "stock"}, UILocales: "", LoginHint: "hint@example.com",
	}
	for _, c := range change {
		c(r)
	}
	return r
}

func (a *agent) desk() *authorization.Desk {
	return authorization.NewDesk(a.server.App.Ring, a.server.Clock.Now)
}

// with gives the path of a page with a request.
func (a *agent) with(path string, r *authorization.Request) string {
	a.t.Helper()
	text, err := a.desk().Seal(a.server.ApplicationID, r)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.at(path) + "?request=" + text
}

// back gives the request with which the browser goes back to the authorization
// endpoint.
func (a *agent) back(s shown) *authorization.Request {
	a.t.Helper()
	text, ok := strings.CutPrefix(s.to, a.at("/oauth2/authorize")+"?continue=")
	if s.status != http.StatusSeeOther || !ok {
		a.t.Fatalf("%d to %q\n%s", s.status, s.to, s.body)
	}
	text, err := url.QueryUnescape(text)
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := a.desk().Open(a.server.ApplicationID, text)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// asked is a consent page before a user who is signed in.
func asked(t *testing.T) (*agent, *user.User, *authorization.Request, shown) {
	t.Helper()
	a := start(t, servertest.Options{})
	u := a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	r := a.request()
	page := a.get(a.with("/consent", r))
	page.want(t, http.StatusOK, "Billing sync 2.1 asks for access", "Copies orders.", "Know you again", "Read your orders", "stock", ada, "app.example.com")
	if policy := page.header.Get("Content-Security-Policy"); policy == "" || strings.Contains(policy, "form-action") {
		t.Error(policy)
	}
	return a, u, r, page
}

func TestConsentIsRemembered(t *testing.T) {
	a, u, r, page := asked(t)
	back := a.back(a.send(page, "/consent", "answer", "allow"))
	if back.Denied || back.Once != nil || !back.BegunAt.Equal(r.BegunAt) || back.Query != r.Query {
		t.Errorf("the request goes back as %+v", back)
	}
	given, err := a.server.App.Consents.Find(t.Context(), a.server.ApplicationID, u.UUID, r.ClientID)
	if err != nil || !slices.Equal(given.Scopes, r.Scopes) {
		t.Errorf("%+v, %v", given, err)
	}
	a.get(a.at("/account")).want(t, http.StatusOK, "Billing sync 2.1", "Read your orders")
}

func TestConsentForOnce(t *testing.T) {
	a, u, r, page := asked(t)
	back := a.back(a.send(page, "/consent", "answer", "allow", "remember", ""))
	if back.Denied || back.Once == nil || !slices.Equal(back.Once.Scopes, r.Scopes) || back.Once.SID == "" {
		t.Errorf("the request goes back as %+v", back)
	}
	if given, err := a.server.App.Consents.Find(t.Context(), a.server.ApplicationID, u.UUID, r.ClientID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%+v, %v: it is remembered", given, err)
	}
}

func TestConsentIsRefused(t *testing.T) {
	for _, answer := range []string{"deny", "", "x"} {
		a, u, r, page := asked(t)
		if back := a.back(a.send(page, "/consent", "answer", answer)); !back.Denied || back.Once != nil {
			t.Errorf("%q: the request goes back as %+v", answer, back)
		}
		if _, err := a.server.App.Consents.Find(t.Context(), a.server.ApplicationID, u.UUID, r.ClientID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

// TestConsentIsForWhoWasAsked: another user who signed in meanwhile, in another
// tab, has agreed to nothing.
func TestConsentIsForWhoWasAsked(t *testing.T) {
	a, _, r, page := asked(t)
	eve := a.person("eve@example.com")
	a.signIn(a.at("/signin?again=account"), "eve@example.com", password).leads(t, a.at("/account"))
	if back := a.back(a.send(page, "/consent", "answer", "allow")); back.Denied || back.Once != nil {
		t.Errorf("the request goes back as %+v", back)
	}
	if _, err := a.server.App.Consents.Find(t.Context(), a.server.ApplicationID, eve.UUID, r.ClientID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}

func TestConsentToNothing(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	page := a.get(a.with("/consent", a.request(func(r *authorization.Request) { r.Scopes = nil })))
	page.want(t, http.StatusOK, "It asks for nothing but that you sign in.")
	if strings.Contains(page.body, "<ul") {
		t.Errorf("an empty list is on\n%s", page.body)
	}
}

func TestConsentWithoutASession(t *testing.T) {
	a := start(t, servertest.Options{})
	if back := a.back(a.get(a.with("/consent", a.request()))); back.Denied || back.Once != nil {
		t.Errorf("the request goes back as %+v", back)
	}
}

// TestARequestTravelsThroughTheSignIn, with what the client wishes of the page.
func TestARequestTravelsThroughTheSignIn(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	r := a.request(func(r *authorization.Request) { r.Need, r.UILocales = authorization.SignIn, "xx de" })
	path := a.with("/signin", r)
	page := a.get(path)
	page.want(t, http.StatusOK, "weiter zu Billing sync 2.1", `value="hint@example.com"`, "Abbrechen und zurück zu Billing sync 2.1")
	if back := a.back(a.send(page, "/cancel")); !back.Denied {
		t.Errorf("the request goes back as %+v", back)
	}
	wrong := a.send(page, "/signin", "email", ada, "password", "wrong")
	wrong.want(t, http.StatusBadRequest, "weiter zu Billing sync 2.1", `value="ada@example.com"`)
	if back := a.back(a.send(wrong, "/signin", "password", password)); back.Denied || back.Query != r.Query || back.Chosen != "" {
		t.Errorf("the request goes back as %+v", back)
	}
}

func TestAnAccountIsChosen(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	path := a.with("/signin", a.request(func(r *authorization.Request) { r.Need = authorization.Choose }))
	page := a.get(path)
	page.want(t, http.StatusOK, "Continue as ada@example.com", "Use another account")
	if back := a.back(a.send(page, "/choose")); back.Chosen == "" {
		t.Errorf("the request goes back as %+v", back)
	}
	other := a.get(path + "&other=1")
	other.want(t, http.StatusOK, "Sign in", "E-mail address")
	if back := a.back(a.send(other, "/signin", "email", ada, "password", password)); back.Chosen == "" {
		t.Errorf("the request goes back as %+v", back)
	}
}

func TestASecondFactorThatAClientAsksFor(t *testing.T) {
	a := start(t, servertest.Options{})
	a.person(ada)
	a.signIn(a.at("/signin"), ada, password)
	path := a.with("/signin", a.request(func(r *authorization.Request) { r.Need = authorization.SecondFactor }))
	a.get(path).want(t, http.StatusOK, "Billing sync 2.1 asks for a second factor")
	secret, _ := a.enrol()
	a.server.Clock.Advance(60e9)
	sent := a.get(path)
	if !strings.HasPrefix(sent.to, a.at("/signin/totp?request=")) {
		t.Fatalf("%d to %q", sent.status, sent.to)
	}
	a.back(a.send(a.get(sent.to), "/totp", "code", a.code(secret)))
}

func TestARequestThatTookTooLong(t *testing.T) {
	a := start(t, servertest.Options{})
	path := a.with("/signin", a.request())
	a.server.Clock.Advance(2 * authorization.Lifetime)
	a.get(path).want(t, http.StatusBadRequest, "This took too long", "begin again")
}
