package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// require_requested_scopes and its history: what an import brought stays until
// an edit, whatever the surface and whatever is written.
func TestImportedClientsMayGoUnscopedUntilTheyAreEdited(t *testing.T) {
	type edit = func(r *rig, c *client.Client) error
	patch := func(document string) edit {
		return func(r *rig, c *client.Client) error {
			_, err := r.ops.Patch(r.Context(), r.source, r.app, c.ID, []byte(document), nil)
			return err
		}
	}
	replace := func(document string) edit {
		return func(r *rig, c *client.Client) error {
			_, err := r.ops.ReplaceFrom(r.Context(), r.source, r.app, c.ID, r.fields(document), nil)
			return err
		}
	}
	document := func(uris string) edit {
		return func(r *rig, c *client.Client) error {
			d, err := client.ParseDocument(map[string]json.RawMessage{"redirect_uris": json.RawMessage(uris)}, false)
			if err != nil {
				return err
			}
			return r.ops.PutDocument(r.Context(), r.source, r.app, c.ID, d)
		}
	}
	for name, test := range map[string]struct {
		edit edit
		kept bool
	}{
		"a patch of another field":      {patch(`{"description":"x"}`), false},
		"a patch of nothing":            {patch(`{}`), true},
		"a patch of active alone":       {patch(`{"active":false}`), true},
		"a patch of active and another": {patch(`{"active":false,"tags":[]}`), false},
		"a replacement that writes it":  {replace(`{"scopes":["read"],"require_requested_scopes":false}`), false},
		"a replacement that does not":   {replace(`{"scopes":["read"]}`), false},
		"the Configuration API's update": {func(r *rig, c *client.Client) error {
			_, err := r.ops.Update(r.Context(), r.source, r.app, c.ID, client.Edit{Apply: func(*client.Client) {}})
			return err
		}, false},
		"PUT of what GET gave": {func(r *rig, c *client.Client) error {
			return replace(string(encode(r, r.shown(c.ID))))(r, c)
		}, false},
		"the feature metadata": {func(r *rig, c *client.Client) error {
			_, err := r.ops.SetMetadata(r.Context(), r.source, r.app, c.ID, true)
			return err
		}, false},
		"redirect URIs in a settings document": {document(`["https://app.example/cb"]`), false},
		"a settings document":                  {document(`[]`), true},
		"deactivation": {func(r *rig, c *client.Client) error {
			_, err := r.ops.SetActive(r.Context(), r.source, r.app.ID, c.ID, false)
			return err
		}, true},
		"a new secret": {func(r *rig, c *client.Client) error {
			_, _, _, err := r.ops.AddSecret(r.Context(), r.source, r.app, c.ID, client.SecretFields{}, nil)
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			f := r.fields(`{"name":"Old","kind":"service","scopes":["read"],"require_requested_scopes":false}`)
			c, _, err := r.ops.CreateFrom(t.Context(), r.source, r.app, f, client.CreateOptions{Import: true})
			if err != nil {
				t.Fatal(err)
			}
			if !c.Settings.Scopes.AllowUnscoped {
				t.Fatal("the import did not keep it")
			}
			if err := test.edit(r, c); err != nil {
				t.Fatal(err)
			}
			if got := r.stored(c.ID).Settings.Scopes.AllowUnscoped; got != test.kept {
				t.Errorf("kept: %v, want %v", got, test.kept)
			}
		})
	}
}

// A settings document that says nothing of redirect URIs leaves those that were
// set elsewhere; those that it named go with their name.
func TestSettingsDocumentsAndRedirectURIs(t *testing.T) {
	r := newRig(t)
	c := r.make(`"name":"Shop","kind":"web","redirect_uris":["https://shop.example/cb"]`)
	for _, step := range []struct {
		members string
		want    []string
	}{
		{`{"email_site_name":"X"}`, []string{"https://shop.example/cb"}},
		{`{"redirect_uris":["https://new.example/cb"]}`, []string{"https://new.example/cb"}},
		{`{"email_site_name":"X"}`, nil},
	} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(step.members), &members); err != nil {
			t.Fatal(err)
		}
		d, err := client.ParseDocument(members, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ops.PutDocument(t.Context(), r.source, r.app, c.ID, d); err != nil {
			t.Fatal(err)
		}
		if got := r.stored(c.ID).Settings.Redirect.URIs; !slices.Equal(got, step.want) {
			t.Errorf("after %s: %q, want %q", step.members, got, step.want)
		}
	}
}

// Once it is true it cannot be false again under `enforced`. A patch that asks
// for it is refused in any case: what it gets would be true.
func TestUnscopedIsRefusedWhereItIsNotShown(t *testing.T) {
	r := newRig(t)
	f := r.fields(`{"name":"Old","kind":"service","require_requested_scopes":false}`)
	old, _, err := r.ops.CreateFrom(t.Context(), r.source, r.app, f, client.CreateOptions{Import: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ops.Patch(t.Context(), r.source, r.app, old.ID, []byte(`{"require_requested_scopes":false}`), nil)
	if names := problems(t, err); !slices.Equal(names, []string{"require_requested_scopes"}) {
		t.Errorf("refused: %q", names)
	}
	c := r.make(`"kind":"service"`)
	_, err = r.ops.ReplaceFrom(t.Context(), r.source, r.app, c.ID, r.fields(`{"require_requested_scopes":false}`), nil)
	if names := problems(t, err); !slices.Equal(names, []string{"require_requested_scopes"}) {
		t.Errorf("refused: %q", names)
	}
	r.app.Settings.ScopePolicy = application.Optional
	if _, err := r.ops.ReplaceFrom(t.Context(), r.source, r.app, c.ID, r.fields(`{"require_requested_scopes":false}`), nil); err != nil {
		t.Error(err)
	}
}

// Of two writers who read the same, one wins and the other is told.
func TestRevisions(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"service"`)
	read := c.Revision
	writes := []func(ctx context.Context, revision *int64) error{
		func(ctx context.Context, revision *int64) error {
			_, err := r.ops.Patch(ctx, r.source, r.app, c.ID, []byte(`{"description":"`+ident.Record()+`"}`), revision)
			return err
		},
		func(ctx context.Context, revision *int64) error {
			_, err := r.ops.ReplaceFrom(ctx, r.source, r.app, c.ID, client.Fields{}, revision)
			return err
		},
		func(ctx context.Context, revision *int64) error {
			_, err := r.ops.Patch(ctx, r.source, r.app, c.ID, []byte(`{"active":false}`), revision)
			return err
		},
		func(ctx context.Context, revision *int64) error {
			_, _, _, err := r.ops.AddSecret(ctx, r.source, r.app, c.ID, client.SecretFields{}, revision)
			return err
		},
	}
	var wait sync.WaitGroup
	errs := make([]error, 4*len(writes))
	for i := range errs {
		wait.Go(func() { errs[i] = writes[i%len(writes)](t.Context(), &read) })
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wants(t, fault.Precondition, err)
		}
	}
	if now := r.stored(c.ID); won != 1 || now.Revision != read+1 || now.ETag() != strconv.Quote(strconv.FormatInt(read+1, 10)) {
		t.Errorf("%d of the writes won; the revision was %d and is %d, ETag %s", won, read, now.Revision, now.ETag())
	}
	wants(t, fault.Precondition, writes[0](t.Context(), &read))
	if err := writes[0](t.Context(), nil); err != nil {
		t.Error(err)
	}
	_, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{}`), &read)
	wants(t, fault.Precondition, err)
}

// A client that is deactivated by a write loses all that it was given, as by
// SetActive; one that stays inactive or active does not.
func TestDeactivationEndsTheEra(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"service"`)
	for i, test := range []struct {
		write string
		ends  bool
	}{
		{`{"description":"x"}`, false},
		{`{"active":true,"tags":[]}`, false},
		{`{"active":false,"tags":[]}`, true},
		{`{"active":false,"tags":["a"]}`, false},
		{`{"active":null,"tags":null}`, false},
		{`{"active":false}`, true},
		{`{"active":null}`, false},
	} {
		before := r.stored(c.ID)
		if _, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(test.write), nil); err != nil {
			t.Fatal(err)
		}
		after := r.stored(c.ID)
		if ended := after.Era != before.Era; ended != test.ends || after.Inactive != strings.Contains(test.write, "false") {
			t.Errorf("%d %s: ended %v, inactive %v", i, test.write, ended, after.Inactive)
		}
	}
}

func TestNamesInUse(t *testing.T) {
	r := newRig(t)
	first := r.make(`"kind":"web","version":"1"`)
	document := func(version string) string {
		return `{"name":"` + strings.ToUpper(first.Name) + `","kind":"web","version":"` + version + `"}`
	}
	_, _, err := r.ops.CreateFrom(t.Context(), r.source, r.app, r.fields(document("1")), client.CreateOptions{})
	wants(t, fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != "name" {
		t.Errorf("the conflict is about %q", f.Field)
	}
	second, _, err := r.ops.CreateFrom(t.Context(), r.source, r.app, r.fields(document("2")), client.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.ops.Patch(t.Context(), r.source, r.app, second.ID, []byte(`{"version":"1"}`), nil)
	wants(t, fault.Conflict, err)
	_, _, err = r.ops.CreateFrom(t.Context(), r.source, r.app, r.fields(`{"name":"x","kind":"web","id":"`+first.ID+`"}`), client.CreateOptions{})
	wants(t, fault.Conflict, err)
	if f, _ := errors.AsType[*fault.Error](err); f.Field != "id" {
		t.Errorf("the conflict is about %q", f.Field)
	}
}

func TestOwnersKeepWhatTheyAre(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"other","features":["owner"]`)
	r.source.Actor = "client:" + c.ID
	_, err := r.ops.ReplaceFrom(t.Context(), r.source, r.app, c.ID, client.Fields{}, nil)
	wants(t, fault.Denied, err)
	_, err = r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"features":["direct_access"]}`), nil)
	wants(t, fault.Denied, err)
	if _, err = r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"features":["owner","direct_access"]}`), nil); err != nil {
		t.Error(err)
	}
}

// The feature metadata is granted by itself, stays while it is written as it is,
// and can be taken away by anybody.
func TestMetadata(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"other","features":["direct_access"]`)
	if _, err := r.ops.SetMetadata(t.Context(), audit.System(), r.app, c.ID, true); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ patch, want string }{
		{`{"description":"x"}`, `["direct_access","metadata"]`},
		{`{"features":["metadata","direct_access"]}`, `["metadata","direct_access"]`},
		{`{"features":["direct_access"]}`, `["direct_access"]`},
	} {
		if _, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(test.patch), nil); err != nil {
			t.Fatalf("%s: %v", test.patch, err)
		}
		if got := r.field(c.ID, "features"); got != test.want {
			t.Errorf("%s: %s", test.patch, got)
		}
	}
	_, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"features":["metadata"]}`), nil)
	problems(t, err)
	for _, granted := range []bool{true, true, false, false} {
		_, err = r.ops.SetMetadata(t.Context(), audit.System(), r.app, c.ID, granted)
		if has := r.stored(c.ID).Settings.Features.Has(client.Metadata); has != granted {
			t.Errorf("granted %v: %v, %v", granted, has, err)
		}
	}
	wants(t, fault.Conflict, err)
	login := r.make(`"kind":"other","features":["login_client"]`)
	_, err = r.ops.SetMetadata(t.Context(), audit.System(), r.app, login.ID, true)
	wants(t, fault.Invalid, err)
}

// Who may make and edit what, by role. A guarded client has features or scopes
// of the server's own.
func TestRoles(t *testing.T) {
	const plain, guarded, reserved = `"kind":"web"`, `"kind":"other","features":["direct_access"]`, `"kind":"service","scopes":["ostiary:introspect"]`
	may := map[admin.Role][]string{
		admin.Owner:     {"create plain", "create guarded", "create reserved", "edit plain", "edit guarded", "edit own", "raise plain", "give secret", "reveal own"},
		admin.Manager:   {"create plain", "edit plain", "edit own"},
		admin.Developer: {"create plain", "edit own"},
		admin.Viewer:    nil,
		"":              nil,
	}
	for role, permitted := range may {
		r := newRig(t)
		r.app.Settings.SecretPolicy = application.Revealable
		others, locked := r.make(plain), r.make(guarded)
		own, _, err := r.ops.By(admin.Owner, "dev@example.com").CreateFrom(t.Context(), r.source, r.app, r.fields(`{"name":"Own",`+plain+`}`), client.CreateOptions{})
		if err != nil || r.field(own.ID, "owned_by") != `"dev@example.com"` {
			t.Fatal(err)
		}
		ops := r.ops.By(role, "dev@example.com")
		create := func(members string) func() error {
			return func() error {
				_, _, err := ops.CreateFrom(t.Context(), r.source, r.app, r.fields(`{"name":"`+ident.Record()+`",`+members+`}`), client.CreateOptions{})
				return err
			}
		}
		edit := func(c *client.Client, patch string) func() error {
			return func() error {
				_, err := ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(patch), nil)
				return err
			}
		}
		for name, try := range map[string]func() error{
			"create plain": create(plain), "create guarded": create(guarded), "create reserved": create(reserved),
			"edit plain": edit(others, `{"tags":["a"]}`), "edit guarded": edit(locked, `{"active":false}`), "edit own": edit(own, `{"tags":["a"]}`),
			"raise plain": edit(others, `{"features":["owner"]}`), "give secret": create(plain + `,"secret":"correct-horse-battery-staple"`),
			"reveal own": func() error {
				_, err := ops.Reveal(t.Context(), r.source, r.app, own.ID, own.Secrets[0].ID)
				return err
			},
		} {
			err := try()
			if want := slices.Contains(permitted, name); want != (err == nil) || err != nil && fault.KindOf(err) != fault.Denied {
				t.Errorf("%q, %s: %v", role, name, err)
			}
		}
	}
}

// A client as it is answered, to the letter: no key is ever left out.
func TestViewHasEveryKey(t *testing.T) {
	r := newRig(t)
	c, secret := r.makeWithSecret(`"kind":"web"`)
	got := string(encode(t, r.shown(c.ID)))
	want := `{"id":"` + c.ID + `","name":"` + c.Name + `","version":"","description":"","kind":"web","type":"confidential",` +
		`"token_endpoint_auth_method":"client_secret_basic","redirect_uris":[],"post_logout_redirect_uris":[],"allowed_origins":[],` +
		`"backchannel_logout_uri":null,"backchannel_logout_session_required":false,"grant_types":["authorization_code"],"scopes":[],` +
		`"require_requested_scopes":true,"require_pkce":true,"allowed_ips":[],"features":[],"access_token_lifetime":3600,` +
		`"access_token_format":"jwt","refresh_token_lifetime":2592000,"refresh_family_lifetime":"unlimited","refresh_limit":"unlimited",` +
		`"refresh_rotation":true,"active":true,"rate_limit":null,"tags":[],"contacts":[],"owned_by":null,"issue_secret":false,` +
		`"secrets":[{"id":"` + c.Secrets[0].ID + `","label":"","hint":"` + secret[len(secret)-4:] + `","created_at":"2026-03-04T05:06:07.890123Z",` +
		`"expires_at":null,"last_used_at":null}],"endpoints":{"issuer":"https://id.example/app",` +
		`"authorization":"https://id.example/app/oauth2/authorize","token":"https://id.example/app/oauth2/token",` +
		`"refresh":"https://id.example/app/oauth2/token","introspection":"https://id.example/app/oauth2/introspect",` +
		`"revocation":"https://id.example/app/oauth2/revoke","userinfo":"https://id.example/app/oauth2/userinfo",` +
		`"end_session":"https://id.example/app/oauth2/logout","jwks":"https://id.example/app/oauth2/jwks"},` +
		`"created_at":"2026-03-04T05:06:07.890123Z","updated_at":"2026-03-04T05:06:07.890123Z","last_used_at":null}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
