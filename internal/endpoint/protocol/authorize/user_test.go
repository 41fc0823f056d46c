package authorize_test

import (
	"slices"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/authorization"
)

// The way of a user who is new to the client: to the sign-in page, to the consent
// page, and back with a code.
func TestTheWayThroughThePages(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	sealed := r.wantVisit(r.get(request("spa", "scope=openid email", "login_hint=ann@example.com", "ui_locales=de en").Encode()), "/signin", authorization.SignIn)
	if sealed.ClientID != "spa" || sealed.LoginHint != "ann@example.com" || sealed.UILocales != "de en" || sealed.RedirectURI != callback || !sealed.BegunAt.Equal(r.server.Clock.Now()) {
		t.Errorf("the page is told %+v", sealed)
	}
	r.server.Clock.Advance(time.Minute)
	r.signIn("ann@example.com", "1")
	sealed = r.wantVisit(r.back(sealed), "/consent", authorization.Agree)
	if want := []string{"openid", "email"}; !slices.Equal(sealed.Scopes, want) {
		t.Errorf("the page asks for %q, want %q", sealed.Scopes, want)
	}
	r.agree("spa", sealed.Scopes...)
	got := r.back(sealed).to(callback, "query")
	if got.Get("code") == "" || got.Get("iss") != r.issuer || got.Get("state") != "s t&a" || len(got) != 3 {
		t.Errorf("answered %v", got)
	}
	// Once known, no page is needed.
	for _, mode := range []string{"query", "fragment", "form_post"} {
		if got := r.get(request("spa", "prompt=none", "response_mode="+mode).Encode()).to(callback, mode); got.Get("code") == "" {
			t.Errorf("%s: answered %v", mode, got)
		}
	}
}

// The pages on which a request ends are in the languages that it asks for.
func TestTheLastPageHasItsLanguage(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	for name, a := range map[string]answer{
		"a form": r.get(request("spa", "prompt=none", "response_mode=form_post", "ui_locales=de").Encode()),
		"an error after a page": r.back(&authorization.Request{
			Query: request("gone", "ui_locales=de").Encode(), BegunAt: r.server.Clock.Now(), ClientID: "gone", RedirectURI: callback,
		}),
	} {
		if a.pages.locales != "de" {
			t.Errorf("%s: in %q", name, a.pages.locales)
		}
	}
}

func TestAUserWhoDeclines(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	sealed := r.wantVisit(r.get(request("spa", "response_mode=fragment").Encode()), "/signin", authorization.SignIn)
	sealed.Denied = true
	r.wantError(r.back(sealed), callback, "fragment", "access_denied")
}

// A request that came back is judged anew: what was taken from the client
// meanwhile is refused.
func TestARequestThatCameBackIsJudgedAnew(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	sealed := r.wantVisit(r.get(request("spa").Encode()), "/signin", authorization.SignIn)
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	patch := func(document string) {
		t.Helper()
		if _, err := r.server.App.Operations.Patch(t.Context(), source, r.app, "spa", []byte(document), nil); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"scopes":["email"]}`)
	r.wantError(r.back(sealed), callback, "query", "invalid_scope")
	patch(`{"redirect_uris":["https://elsewhere.example/"]}`)
	r.wantPage(r.back(sealed), 400, "invalid_request")
	patch(`{"active":false}`)
	r.wantPage(r.back(sealed), 400, "invalid_request")
	r.server.Clock.Advance(authorization.Lifetime + time.Second)
	r.wantPage(r.back(sealed), 400, "invalid_request")
}

func TestPrompts(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	r.server.Clock.Advance(10 * time.Second)
	code := func(name string, a answer) {
		t.Helper()
		if got := a.to(callback, "query"); got.Get("code") == "" {
			t.Errorf("%s: answered %v", name, got)
		}
	}
	code("max_age that is not over", r.get(request("spa", "max_age=10").Encode()))
	code("a max_age without end", r.get(request("spa", "max_age=9999999999999").Encode()))
	r.wantError(r.get(request("spa", "max_age=9", "prompt=none").Encode()), callback, "query", "login_required")
	for _, wish := range []string{"prompt=login", "max_age=9", "max_age=0"} {
		sealed := r.wantVisit(r.get(request("spa", wish).Encode()), "/signin", authorization.SignInAgain)
		r.wantVisit(r.back(sealed), "/signin", authorization.SignInAgain) // came back without having done so
		r.signIn("ann@example.com", "1")
		r.server.Clock.Advance(10 * time.Second)
		code(wish, r.back(sealed))
	}

	sealed := r.wantVisit(r.get(request("spa", "prompt=consent").Encode()), "/consent", authorization.Agree)
	r.wantVisit(r.back(sealed), "/consent", authorization.Agree)
	r.server.Clock.Advance(time.Second)
	r.agree("spa", "openid")
	code("prompt=consent", r.back(sealed))

	r.wantError(r.get(request("spa", "scope=openid email", "prompt=none").Encode()), callback, "query", "consent_required")
}

// Asked at the very moment of the sign-in, a fresh request still wants another.
func TestPromptLoginIsNeverMetByWhatWasBefore(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	r.wantVisit(r.get(request("spa", "prompt=login").Encode()), "/signin", authorization.SignInAgain)
	r.wantVisit(r.get(request("spa", "prompt=consent").Encode()), "/consent", authorization.Agree)
}

func TestConsentForOnce(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	mine := r.signIn("ann@example.com", "1")
	sealed := r.wantVisit(r.get(request("spa", "scope=openid email").Encode()), "/consent", authorization.Agree)
	for _, c := range []struct {
		name string
		once authorization.Once
		good bool
	}{
		{"another session's", authorization.Once{SID: "other", Scopes: sealed.Scopes}, false},
		{"to less", authorization.Once{SID: mine.SID, Scopes: []string{"openid"}}, false},
		{"to all", authorization.Once{SID: mine.SID, Scopes: sealed.Scopes}, true},
	} {
		answered := *sealed
		answered.Once = &c.once
		a := r.back(&answered)
		if !c.good {
			again := r.wantVisit(a, "/consent", authorization.Agree)
			if again.Once != nil {
				t.Errorf("%s: it is carried on", c.name)
			}
			continue
		}
		if got := a.to(callback, "query"); got.Get("code") == "" {
			t.Errorf("%s: answered %v", c.name, got)
		}
	}
	r.wantVisit(r.get(request("spa", "scope=openid email").Encode()), "/consent", authorization.Agree) // not remembered
}

func TestChoosingAnAccount(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	mine := r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	r.wantError(r.get(request("spa", "prompt=select_account none").Encode()), callback, "query", "invalid_request")
	sealed := r.wantVisit(r.get(request("spa", "prompt=select_account").Encode()), "/signin", authorization.Choose)
	sealed.Chosen = "another"
	sealed = r.wantVisit(r.back(sealed), "/signin", authorization.Choose)
	sealed.Chosen = mine.SID
	if got := r.back(sealed).to(callback, "query"); got.Get("code") == "" {
		t.Errorf("answered %v", got)
	}
}

// A client that means a certain user gets that one or none.
func TestTheUserWhoIsMeant(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	r.signIn("ann@example.com", "1")
	ann := r.user.UUID
	other := r.signIn("bob@example.com", "1")
	r.agree("spa", "openid")
	meant := `claims={"id_token":{"sub":{"value":"` + ann + `"}}}`
	r.wantError(r.get(request("spa", meant, "prompt=none").Encode()), callback, "query", "login_required")
	sealed := r.wantVisit(r.get(request("spa", meant).Encode()), "/signin", authorization.Choose)
	if sealed.LoginHint != "" {
		t.Errorf("who knows an id is told the address %q", sealed.LoginHint)
	}
	stubborn := *sealed
	stubborn.Chosen = other.SID
	r.wantError(r.back(&stubborn), callback, "query", "login_required")
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	if got := r.back(sealed).to(callback, "query"); got.Get("code") == "" {
		t.Errorf("answered %v", got)
	}
}

// Two factors are asked for where they are essential, not where they are a wish.
func TestStepUp(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	code := func(sent string) {
		t.Helper()
		if got := r.get(request("spa", sent).Encode()).to(callback, "query"); got.Get("code") == "" {
			t.Errorf("%s: answered %v", sent, got)
		}
	}
	essential := `claims={"id_token":{"acr":{"essential":true,"values":["9","2"]}}}`
	code("acr_values=2")
	code(`claims={"id_token":{"acr":{"values":["2"]}}}`)
	code(`claims={"id_token":{"acr":{"essential":true}}}`)
	code(`claims={"id_token":{"acr":{"essential":true,"values":["2","1"]}}}`)
	r.wantError(r.get(request("spa", essential, "prompt=none").Encode()), callback, "query", "interaction_required")
	r.wantVisit(r.get(request("spa", essential).Encode()), "/signin", authorization.SecondFactor)
	r.signIn("ann@example.com", "2")
	code(essential)
	code(`claims={"id_token":{"acr":{"essential":true,"value":"1"}}}`)
}

// A claim is told to a client that is allowed the scope that stands for it, once
// the user has agreed to it.
func TestClaimsTakeConsent(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	sealed := r.wantVisit(r.get(request("spa", `claims={"userinfo":{"email":null,"name":null,"phone_number":null},"id_token":{"email":null}}`).Encode()), "/consent", authorization.Agree)
	if want := []string{"openid", "email", "profile"}; !slices.Equal(sealed.Scopes, want) {
		t.Errorf("the page asks for %q, want %q: the client is not allowed the scope phone", sealed.Scopes, want)
	}
}

func TestASessionThatEnded(t *testing.T) {
	r := newRig(t)
	r.spa("spa")
	mine := r.signIn("ann@example.com", "1")
	r.agree("spa", "openid")
	if err := r.server.App.Sessions.End(t.Context(), source, mine); err != nil {
		t.Fatal(err)
	}
	r.wantVisit(r.get(request("spa").Encode()), "/signin", authorization.SignIn)
	r.signIn("ann@example.com", "1")
	if _, err := r.server.App.People.Patch(t.Context(), source, r.app.ID, r.user.UUID, []byte(`{"active":false}`), nil); err != nil {
		t.Fatal(err)
	}
	r.wantVisit(r.get(request("spa").Encode()), "/signin", authorization.SignIn)
}
