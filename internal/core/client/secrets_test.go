package client_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// works reports whether the client authenticates with a secret now.
func (r *rig) works(c *client.Client, secret string) bool {
	r.Helper()
	_, err := r.clients.Authenticate(r.Context(), r.app.ID, c.ID, secret)
	if err != nil && fault.KindOf(err) != fault.Denied {
		r.Fatal(err)
	}
	return err == nil
}

func (r *rig) addSecret(c *client.Client, f client.SecretFields) (id, text string) {
	r.Helper()
	_, made, text, err := r.ops.AddSecret(r.Context(), r.source, r.app, c.ID, f, nil)
	if err != nil {
		r.Fatal(err)
	}
	return made.ID, text
}

func TestWhoHasASecret(t *testing.T) {
	r := newRig(t)
	for members, want := range map[string]bool{
		`"kind":"web"`: true, `"kind":"service"`: true, `"kind":"spa"`: false, `"kind":"native"`: false,
		`"kind":"native","issue_secret":true`: true, `"kind":"other"`: true, `"kind":"other","type":"public"`: false,
	} {
		c, secret := r.makeWithSecret(members)
		if (secret != "") != want || len(c.Secrets) > 1 || want && (!strings.HasPrefix(secret, ident.SecretPrefix) || !r.works(c, secret)) {
			t.Errorf("%s: %d secrets", members, len(c.Secrets))
		}
		_, _, _, err := r.ops.AddSecret(t.Context(), r.source, r.app, c.ID, client.SecretFields{}, nil)
		if (err == nil) != want || err != nil && fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: one more: %v", members, err)
		}
	}
}

// A secret that was given works; one of little entropy is kept under a slow
// hash.
func TestGivenSecrets(t *testing.T) {
	r := newRig(t)
	for given, slow := range map[string]bool{
		strings.Repeat("ab", 12):                   true,
		"correct-horse-battery-staple":             true,
		"kJ8#vQ2!mZ5@xW9$pL4%nR7^tB3&yD6*hF1(gC0)": false,
	} {
		c, shown := r.makeWithSecret(`"kind":"service","secret":"` + given + `"`)
		stored := r.stored(c.ID).Secrets[0]
		if shown != given || (stored.DigestKey == 0) != slow || stored.Hint != given[len(given)-4:] {
			t.Errorf("%d characters: key %d, hint %q", len(given), stored.DigestKey, stored.Hint)
		}
		if !r.works(c, given) || r.works(c, given+"x") {
			t.Errorf("%d characters: it does not work, or another does", len(given))
		}
	}
}

func TestSecretsOverlapAndEnd(t *testing.T) {
	r := newRig(t)
	c, first := r.makeWithSecret(`"kind":"service"`)
	label, day := "rotation", r.clock().Add(24*time.Hour)
	secondID, second := r.addSecret(c, client.SecretFields{Label: &label, ExpiresAt: &day})
	if !r.works(c, first) || !r.works(c, second) {
		t.Fatal("both work at first")
	}
	views := r.shown(c.ID).Secrets
	if views[1].ID != secondID || views[1].Label != label || !views[1].ExpiresAt.Equal(day.Truncate(time.Microsecond)) || views[0].ExpiresAt != nil {
		t.Errorf("shown: %+v", views)
	}
	hours := int64(2)
	_, third := r.addSecret(c, client.SecretFields{RetireOthersInHours: &hours})
	r.advance(2*time.Hour - time.Second)
	if !r.works(c, first) || !r.works(c, second) || !r.works(c, third) {
		t.Error("all work for two hours")
	}
	r.advance(time.Second)
	if r.works(c, first) || r.works(c, second) || !r.works(c, third) {
		t.Error("the third alone works after two hours")
	}
	now := int64(0)
	fourthID, fourth := r.addSecret(c, client.SecretFields{RetireOthersInHours: &now})
	if r.works(c, third) || !r.works(c, fourth) {
		t.Error("the fourth alone works from now on")
	}
	if _, err := r.ops.RetireSecret(t.Context(), r.source, r.app, c.ID, fourthID, nil); err != nil {
		t.Fatal(err)
	}
	if r.works(c, fourth) {
		t.Error("one that was retired works")
	}
	_, err := r.ops.RetireSecret(t.Context(), r.source, r.app, c.ID, fourthID, nil)
	wants(t, fault.NotFound, err)
}

func TestTenSecretsAtMost(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"service"`)
	soon := r.clock().Add(time.Minute)
	for range client.MaxSecrets - 1 {
		r.addSecret(c, client.SecretFields{ExpiresAt: &soon})
	}
	_, _, _, err := r.ops.AddSecret(t.Context(), r.source, r.app, c.ID, client.SecretFields{}, nil)
	wants(t, fault.Conflict, err)
	r.advance(time.Minute)
	r.addSecret(c, client.SecretFields{}) // those that are over make room
	if n := len(r.stored(c.ID).Secrets); n != 2 {
		t.Errorf("%d secrets, want the first and the new one", n)
	}
	for range client.MaxSecrets - 2 {
		r.addSecret(c, client.SecretFields{})
	}
	now := int64(0)
	_, last := r.addSecret(c, client.SecretFields{RetireOthersInHours: &now})
	if n := len(r.stored(c.ID).Secrets); n != 1 || !r.works(c, last) {
		t.Errorf("%d secrets", n)
	}
}

func TestSecretFieldsAreRefused(t *testing.T) {
	r := newRig(t)
	c := r.make(`"kind":"service"`)
	long, control, past, far := strings.Repeat("é", 101), "a\nb", r.clock(), r.clock().AddDate(101, 0, 0)
	many, negative := int64(169), int64(-1)
	for _, test := range []struct {
		fields client.SecretFields
		want   []string
	}{
		{client.SecretFields{Label: &long, ExpiresAt: &past, RetireOthersInHours: &many}, []string{"label", "expires_at", "retire_others_in_hours"}},
		{client.SecretFields{Label: &control, ExpiresAt: &far, RetireOthersInHours: &negative}, []string{"label", "expires_at", "retire_others_in_hours"}},
	} {
		_, _, _, err := r.ops.AddSecret(t.Context(), r.source, r.app, c.ID, test.fields, nil)
		if names := problems(t, err); !slices.Equal(names, test.want) {
			t.Errorf("refused: %q", names)
		}
	}
	if n := len(r.stored(c.ID).Secrets); n != 1 {
		t.Errorf("%d secrets", n)
	}
	_, _, _, err := r.ops.AddSecret(t.Context(), r.source, r.app, "nobody", client.SecretFields{}, nil)
	wants(t, fault.NotFound, err)
}

// A native client's secret is checked where it is sent, and can be taken away
// only once it has none.
func TestIssuedSecretOfANativeClient(t *testing.T) {
	r := newRig(t)
	c, secret := r.makeWithSecret(`"kind":"native","issue_secret":true`)
	if !r.works(c, secret) || r.works(c, ident.Secret()) || !c.Public || c.AuthMethod() != client.AuthNone {
		t.Error("it is public, and its secret is checked")
	}
	_, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"issue_secret":false}`), nil)
	if names := problems(t, err); !slices.Equal(names, []string{"issue_secret"}) {
		t.Errorf("refused: %q", names)
	}
	if _, err := r.ops.RetireSecret(t.Context(), r.source, r.app, c.ID, c.Secrets[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ops.Patch(t.Context(), r.source, r.app, c.ID, []byte(`{"issue_secret":false}`), nil); err != nil {
		t.Fatal(err)
	}
}

// Under `revealable` a secret can be seen again, one that was given too.
func TestRevealOfGivenAndAddedSecrets(t *testing.T) {
	r := newRig(t)
	r.app.Settings.SecretPolicy = application.Revealable
	c, given := r.makeWithSecret(`"kind":"service","secret":"correct-horse-battery-staple"`)
	id, added := r.addSecret(c, client.SecretFields{})
	for secretID, want := range map[string]string{c.Secrets[0].ID: given, id: added} {
		got, err := r.ops.Reveal(t.Context(), r.source, r.app, c.ID, secretID)
		if err != nil || got != want {
			t.Errorf("seen again: %v", err)
		}
	}
	r.app.Settings.SecretPolicy = application.Once
	_, err := r.ops.Reveal(t.Context(), r.source, r.app, c.ID, id)
	wants(t, fault.Conflict, err)
}

// Where secrets are brought later none is made, and a given one is kept.
func TestNoSecretIsMade(t *testing.T) {
	r := newRig(t)
	for document, want := range map[string]int{
		`{"name":"Without","kind":"service"}`:                                      0,
		`{"name":"With","kind":"service","secret":"correct-horse-battery-staple"}`: 1,
	} {
		c, _, err := r.ops.CreateFrom(t.Context(), r.source, r.app, r.fields(document), client.CreateOptions{NoSecret: true})
		if err != nil || len(r.stored(c.ID).Secrets) != want {
			t.Errorf("%s: %v", document, err)
		}
	}
}

// A dry run stores nothing and refuses what a run would.
func TestPrepareStoresNothing(t *testing.T) {
	r := newRig(t)
	p, err := r.ops.Prepare(t.Context(), r.source, r.app, r.fields(`{"name":"Dry","kind":"web"}`), client.CreateOptions{Import: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.db.Clients().Get(t.Context(), r.app.ID, p.Client.ID)
	wants(t, fault.NotFound, err)
	if err := r.ops.Keep(t.Context(), p); err != nil || !r.works(p.Client, p.Secret) {
		t.Error(errors.Join(err, errors.New("it is kept, and its secret works")))
	}
	_, err = r.ops.Prepare(t.Context(), r.source, r.app, r.fields(`{"name":"","kind":"web"}`), client.CreateOptions{})
	problems(t, err)
}
