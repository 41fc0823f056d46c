package protocol_test

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/rule/lifetime"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/resource"
	"github.com/ostiary/ostiary/internal/core/scope"
)

const (
	orders  = "https://api.example.com/orders"
	billing = "urn:example:billing"
)

func (r *rig) resourceOperations() *resource.Operations {
	return resource.NewOperations(r.db.Resources(), r.parts.Resources, r.clock.Now)
}

func (r *rig) scopeOperations() *scope.Operations {
	return scope.NewOperations(r.db.Scopes(), r.parts.Scopes, r.clock.Now)
}

func (r *rig) resource(fields resource.Fields) {
	r.t.Helper()
	r.scopes(fields.Scopes...)
	if _, err := r.resourceOperations().Create(r.t.Context(), audit.System(), r.app, fields); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) patchResource(identifier, patch string) {
	r.t.Helper()
	if _, err := r.resourceOperations().Patch(r.t.Context(), audit.System(), r.app, identifier, []byte(patch), nil); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) patchScope(name, patch string) {
	r.t.Helper()
	if _, err := r.scopeOperations().Patch(r.t.Context(), audit.System(), r.app, name, []byte(patch), nil); err != nil {
		r.t.Fatal(err)
	}
}

// named gives the parameters that name resources.
func named(identifiers ...string) string {
	var b strings.Builder
	for _, identifier := range identifiers {
		b.WriteString("&resource=" + url.QueryEscape(identifier))
	}
	return b.String()
}

func unscoped(c *client.Client) { c.Settings.Scopes.AllowUnscoped = true }

// RFC 8707 §2: `aud` is what was named, in the token and in introspection.
func TestTokensForResources(t *testing.T) {
	r := newRig(t)
	r.resource(resource.Fields{Identifier: orders, Scopes: []string{"a", "b"}})
	r.resource(resource.Fields{Identifier: billing, Scopes: []string{"c"}})
	r.resource(resource.Fields{Identifier: "urn:open"})
	some, all, none := r.client(scoped("a", "b", "c")), r.client(scoped("a", "c"), unscoped), r.client()
	for _, c := range []struct {
		name       string
		client     creds
		body       string
		aud, scope any
	}{
		{"none", some, "scope=a", r.issuer(), "a"},
		{"an empty one", some, "scope=a&resource=", r.issuer(), "a"},
		{"one", some, "scope=b+a" + named(orders), orders, "b a"},
		{"the same twice", some, "scope=a" + named(orders, orders), orders, "a"},
		{"two", some, "scope=c+a" + named(billing, orders), []any{billing, orders}, "c a"},
		{"one that takes any scope", some, "scope=c" + named("urn:open"), "urn:open", "c"},
		{"no scope, for a client that has none", none, named(orders), orders, nil},
		{"no scope named: what the resource takes", all, named(orders), orders, "a"},
		{"no scope named, two resources", all, named(orders, billing), []any{orders, billing}, "a c"},
	} {
		for _, set := range []func(*client.Client){func(c *client.Client) { c.Settings.AccessToken.Format = "" }, opaque} {
			r.change(c.client, set)
			got := r.tokenBy("basic", c.client, c.body)
			got.wantStatus(t, c.name, 200)
			if got.body["scope"] != c.scope {
				t.Errorf("%s: answered scope %v, want %v", c.name, got.body["scope"], c.scope)
			}
			text, _ := got.body["access_token"].(string)
			if !strings.HasPrefix(text, "ost_at_") {
				if _, payload := parts(t, text); !reflect.DeepEqual(payload["aud"], c.aud) || payload["scope"] != c.scope || payload["iss"] != r.issuer() {
					t.Errorf("%s: JWT %v", c.name, payload)
				}
			}
			for range 2 { // from the store, then from memory
				if found := r.introspect(c.client, text); !reflect.DeepEqual(found.body["aud"], c.aud) || found.body["scope"] != c.scope {
					t.Errorf("%s: introspection %v", c.name, found.body)
				}
			}
		}
	}
}

func TestResourceErrors(t *testing.T) {
	r := newRig(t)
	r.resource(resource.Fields{Identifier: orders, Scopes: []string{"a"}})
	r.resource(resource.Fields{Identifier: billing, Scopes: []string{"c"}, AccessTokenFormat: lifetime.Opaque})
	r.resource(resource.Fields{Identifier: "urn:jwt", AccessTokenFormat: lifetime.JWT})
	some, other := r.client(scoped("a", "b")), r.client(scoped("b"), unscoped)
	for _, c := range []struct {
		name   string
		client creds
		body   string
		code   string
	}{
		{"unknown", some, "scope=a" + named("https://api.example.com/other"), "invalid_target"},
		{"unknown by a slash", some, "scope=a" + named(orders+"/"), "invalid_target"},
		{"known and unknown", some, "scope=a" + named(orders, "urn:x"), "invalid_target"},
		{"no URI", some, "scope=a" + named("orders"), "invalid_target"},
		{"a fragment", some, "scope=a" + named(orders+"#x"), "invalid_target"},
		{"the issuer is none", some, "scope=a" + named(r.issuer()), "invalid_target"},
		{"different formats", some, "scope=a" + named(billing, "urn:jwt"), "invalid_target"},
		{"a scope that it does not take", some, "scope=a+b" + named(orders), "invalid_scope"},
		{"a scope of another resource", some, "scope=a" + named(billing), "invalid_scope"},
		{"no scope named where one is needed", some, named(orders), "invalid_scope"},
		{"none of the allowed ones", other, named(orders), "invalid_scope"},
		{"a scope beyond the client's", other, "scope=a" + named(orders), "invalid_scope"},
	} {
		r.tokenBy("basic", c.client, c.body).wantError(t, c.name, 400, c.code)
	}
	elsewhere := r.otherApplication()
	r.in(elsewhere.application).tokenBy("basic", elsewhere.creds, named(orders)).wantError(t, "another application's", 400, "invalid_target")
	if n := r.families(); n != 0 {
		t.Errorf("%d families were stored by refused requests", n)
	}
}

// The resource's format beats the client's, save where the token never expires.
func TestResourceFormat(t *testing.T) {
	r := newRig(t)
	r.resource(resource.Fields{Identifier: "urn:opaque", AccessTokenFormat: lifetime.Opaque})
	r.resource(resource.Fields{Identifier: "urn:jwt", AccessTokenFormat: lifetime.JWT})
	r.resource(resource.Fields{Identifier: "urn:either"})
	plain, closed, endless := r.client(), r.client(opaque), r.client(never)
	for _, c := range []struct {
		client   creds
		resource string
		opaque   bool
	}{
		{plain, "urn:opaque", true},
		{plain, "urn:jwt", false},
		{plain, "urn:either", false},
		{closed, "urn:opaque", true},
		{closed, "urn:jwt", false},
		{closed, "urn:either", true},
		{endless, "urn:jwt", true},
		{endless, "urn:either", true},
	} {
		text := r.mint(c.client, named(c.resource))
		if strings.HasPrefix(text, "ost_at_") != c.opaque {
			t.Errorf("%s: %.10s…, opaque should be %v", c.resource, text, c.opaque)
		}
		r.wantActive(c.resource, c.client, text, true)
	}
	if text := r.mint(plain, named("urn:either", "urn:opaque")); !strings.HasPrefix(text, "ost_at_") {
		t.Errorf("two resources, one of which says opaque: %.10s…", text)
	}
}

// Who introspects for a resource sees the tokens for it, and no others.
func TestIntrospectionForAResource(t *testing.T) {
	r := newRig(t)
	reader, public := r.client(), r.client(public)
	r.resource(resource.Fields{Identifier: orders, IntrospectingClients: []string{reader.id, public.id}})
	r.resource(resource.Fields{Identifier: billing})
	c, boss := r.client(opaque), r.client(owner)
	ours, both, theirs, plain := r.mint(c, named(orders)), r.mint(c, named(billing, orders)), r.mint(c, named(billing)), r.mint(c, "")
	want := func(name string, texts ...string) {
		t.Helper()
		for i, text := range []string{ours, both, theirs, plain} {
			if got := r.introspect(reader, text); got.body["active"] != slices.Contains(texts, text) {
				t.Errorf("%s, token %d: %v", name, i, got.body)
			}
		}
	}
	want("at first", ours, both)
	if got := r.introspect(creds{public.id, ""}, ours); got.body["active"] == true {
		t.Errorf("a public client: %v", got.body)
	}
	r.patchResource(billing, `{"introspecting_clients": ["`+reader.id+`"]}`)
	want("for both", ours, both, theirs)
	r.patchResource(orders, `{"introspecting_clients": null}`)
	want("for one of them", both, theirs)
	r.patchResource(orders, `{"introspecting_clients": ["`+reader.id+`"]}`)

	if err := r.resourceOperations().Delete(t.Context(), audit.System(), r.app, billing, nil); err != nil {
		t.Fatal(err)
	}
	want("one resource deleted", ours, both)
	r.wantActive("its token lives on", boss, theirs, true)
	r.tokenBy("basic", c, named(billing)).wantError(t, "no new one", 400, "invalid_target")

	r.remove(reader)
	reader = r.client(func(made *client.Client) { made.ID = reader.id })
	want("a client made anew under the id")
	r.restart()
	want("after a restart")
}

// A scope's kind acts at each issue, whenever it was changed.
func TestKindsOfScopesAct(t *testing.T) {
	r := newRig(t)
	named, unnamed := r.client(scoped("a", "b", "openid")), r.client(scoped("a", "b", "openid"), unscoped)
	r.tokenBy("basic", named, "scope=a+b").wantStatus(t, "of any kind", 200)
	r.tokenBy("basic", named, "scope=openid").wantError(t, "OpenID Connect's", 400, "invalid_scope")
	if got := r.tokenBy("basic", unnamed, ""); got.body["scope"] != "a b" {
		t.Errorf("none named: %v", got.body)
	}
	r.patchScope("b", `{"kind": "user"}`)
	r.tokenBy("basic", named, "scope=a+b").wantError(t, "b is for users", 400, "invalid_scope")
	r.tokenBy("basic", named, "scope=a").wantStatus(t, "a is not", 200)
	if got := r.tokenBy("basic", unnamed, ""); got.body["scope"] != "a" {
		t.Errorf("none named, one of them for users: %v", got.body)
	}
	r.patchScope("a", `{"kind": "user"}`)
	r.tokenBy("basic", unnamed, "").wantError(t, "all for users", 400, "invalid_scope")
	r.patchScope("a", `{"kind": "system"}`)
	r.tokenBy("basic", named, "scope=a").wantStatus(t, "a is for systems", 200)
	r.exec(`DELETE FROM scope WHERE name = 'a'`)
	r.restart()
	r.tokenBy("basic", named, "scope=a").wantError(t, "a scope that is not there", 400, "invalid_scope")
}

func TestScopesCostNoSQL(t *testing.T) {
	r := newRig(t)
	r.resource(resource.Fields{Identifier: orders, Scopes: []string{"a", "b"}})
	cost := func(c creds, body string) int64 {
		least := int64(1000) // a commit may help the checkpointer
		for range 5 {
			before := r.statements()
			r.mint(c, body)
			least = min(least, r.statements()-before)
		}
		return least
	}
	plain, scoped := cost(r.client(), ""), cost(r.client(scoped("a", "b")), "scope=a+b"+named(orders))
	if plain != scoped {
		t.Errorf("%d statements for a token with scopes for a resource, %d for one without", scoped, plain)
	}
}

// Of a deletion of a scope and a client being given it, one fails; and once the
// scope is gone nobody gets a token with it.
func TestAScopeIsDeletedWhileItIsGiven(t *testing.T) {
	r := newRig(t)
	for range 20 {
		c := r.client()
		r.scopes("contended")
		errs := make([]error, 2)
		var both sync.WaitGroup
		both.Go(func() {
			errs[0] = r.scopeOperations().Delete(t.Context(), audit.System(), r.app, "contended", nil)
		})
		both.Go(func() {
			_, errs[1] = r.db.Clients().Change(t.Context(), r.app, c.id, client.NameAndVersion, func(stored *client.Client) (audit.Event, error) {
				stored.Settings.Scopes.Allowed = []string{"contended"}
				return r.event("client.update", "client:"+c.id), nil
			})
			r.parts.Clients.Void(r.app, c.id)
		})
		both.Wait()
		switch got := r.tokenBy("basic", c, "scope=contended"); {
		case errs[0] == nil && fault.KindOf(errs[1]) == fault.Invalid:
			got.wantError(t, "deleted", 400, "invalid_scope")
		case errs[1] == nil && fault.KindOf(errs[0]) == fault.Conflict:
			got.wantStatus(t, "given", 200)
			r.remove(c)
		default:
			t.Fatal(errors.Join(errs...), errs)
		}
	}
}

// RFC 8414 §2: the scopes that a grant can give, as long as they are there.
func TestMetadataNameScopes(t *testing.T) {
	r := newRig(t)
	var tags []string
	want := func(names ...any) {
		t.Helper()
		names = append([]any{"address", "email", "offline_access", "openid", "phone", "profile"}, names...)
		for _, path := range documents(r)[:2] {
			got := r.do("GET", path, "", nil)
			if supported, _ := got.body["scopes_supported"].([]any); !slices.Equal(supported, names) {
				t.Errorf("%s: %v, want %v", path, supported, names)
			}
			if tag := got.header.Get("ETag"); !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
			if again := r.do("GET", path, "", http.Header{"If-None-Match": {got.header.Get("ETag")}}); again.status != 304 {
				t.Errorf("%s: %d by its own tag", path, again.status)
			}
		}
	}
	want()
	for _, name := range []string{"b", "A"} {
		if _, err := r.scopeOperations().Create(t.Context(), audit.System(), r.app, scope.Fields{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	want("A", "b")
	r.patchScope("A", `{"kind": "user"}`)
	want("A", "b")
	r.patchScope("b", `{"kind": "system"}`)
	want("A", "b")
	if err := r.scopeOperations().Delete(t.Context(), audit.System(), r.app, "b", nil); err != nil {
		t.Fatal(err)
	}
	want("A")
	if len(tags) != 3 {
		t.Errorf("%d tags of 3 documents", len(tags))
	}
}
