package key_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ostiary/ostiary/internal/core/audit"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/store/temporary"
)

func open(t *testing.T) (key.Store, *temporary.Clock) {
	t.Helper()
	c := temporary.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	return temporary.Open(t, t.TempDir(), c.Now).Keys(), c
}

func ringOf(t *testing.T, s key.Store, c *temporary.Clock, master byte) *key.Ring {
	t.Helper()
	r, err := key.OpenRing(t.Context(), s, [32]byte{master}, c.Now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verify(t *testing.T, r *key.Ring, client, secret string, digest []byte, number int32) bool {
	t.Helper()
	ok, err := r.VerifySecret(t.Context(), "app", client, secret, digest, number)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestSecretsOutliveARestart(t *testing.T) {
	s, c := open(t)
	digest, number := ringOf(t, s, c, 1).DigestSecret("app", "client", "secret")
	again := ringOf(t, s, c, 1)
	if !verify(t, again, "client", "secret", digest, number) {
		t.Error("a right secret is refused after a restart")
	}
	if verify(t, again, "client", "other", digest, number) {
		t.Error("a wrong secret is accepted")
	}
	if verify(t, again, "another client", "secret", digest, number) {
		t.Error("a digest opens another client")
	}
	if verify(t, again, "client", "secret", digest, 99) {
		t.Error("a digest under an unknown key is accepted")
	}
}

func TestAnotherMasterKeyOpensNothing(t *testing.T) {
	s, c := open(t)
	ringOf(t, s, c, 1)
	if _, err := key.OpenRing(t.Context(), s, [32]byte{2}, c.Now); !errors.Is(err, key.ErrMasterKey) {
		t.Errorf("OpenRing = %v, want ErrMasterKey", err)
	}
	keys, err := s.DataKeys(t.Context())
	if err != nil || len(keys) != 3 {
		t.Errorf("%d data keys after the refusal (%v), want 3", len(keys), err)
	}
}

func TestRewrapChangesTheMasterKeyAlone(t *testing.T) {
	s, c := open(t)
	r := ringOf(t, s, c, 1)
	sealed := r.Seal([]byte("text"), "context")
	if err := r.Rewrap(t.Context(), [32]byte{1}, [32]byte{2}, audit.System()); err != nil {
		t.Fatal(err)
	}
	if plain, err := ringOf(t, s, c, 2).Open(sealed, "context"); err != nil || string(plain) != "text" {
		t.Errorf("Open = %q, %v", plain, err)
	}
	if _, err := key.OpenRing(t.Context(), s, [32]byte{1}, c.Now); !errors.Is(err, key.ErrMasterKey) {
		t.Errorf("the old master key: %v, want ErrMasterKey", err)
	}
	if err := r.Rewrap(t.Context(), [32]byte{1}, [32]byte{3}, audit.System()); !errors.Is(err, key.ErrMasterKey) {
		t.Errorf("rewrap from a wrong key: %v, want ErrMasterKey", err)
	}
}

func TestRotatedDataKeysGoOnVerifying(t *testing.T) {
	s, c := open(t)
	r := ringOf(t, s, c, 1)
	digest, before := r.DigestSecret("app", "client", "secret")
	sealed := r.Seal([]byte("text"), "context")
	for _, p := range []key.Purpose{key.Digest, key.Sealing, key.Token} {
		if err := r.Rotate(t.Context(), [32]byte{1}, p, audit.System()); err != nil {
			t.Fatal(err)
		}
	}
	if _, after := r.DigestSecret("app", "client", "secret"); after == before {
		t.Error("new digests are still made under the old key")
	}
	if !verify(t, r, "client", "secret", digest, before) {
		t.Error("a digest under the old key is refused")
	}
	if plain, err := r.Open(sealed, "context"); err != nil || string(plain) != "text" {
		t.Errorf("Open = %q, %v", plain, err)
	}
}

func TestSealsAreBoundToTheirContext(t *testing.T) {
	s, c := open(t)
	r := ringOf(t, s, c, 1)
	sealed := r.Seal([]byte("text"), "a", "b")
	for _, context := range [][]string{{"a"}, {"a", "c"}, {"ab", ""}, {"", "ab"}, {"a", "b", ""}} {
		if _, err := r.Open(sealed, context...); !errors.Is(err, key.ErrSealed) {
			t.Errorf("Open under %q: %v, want ErrSealed", context, err)
		}
	}
	for i := range sealed {
		changed := append([]byte(nil), sealed...)
		changed[i] ^= 1
		if _, err := r.Open(changed, "a", "b"); !errors.Is(err, key.ErrSealed) {
			t.Errorf("with byte %d changed: %v, want ErrSealed", i, err)
		}
	}
	if _, err := r.Open(nil, "a", "b"); !errors.Is(err, key.ErrSealed) {
		t.Errorf("nothing: %v, want ErrSealed", err)
	}
}

func TestPasswords(t *testing.T) {
	s, c := open(t)
	r := ringOf(t, s, c, 1)
	phc := key.HashPassword("correct horse")
	if strings.Contains(phc, "horse") || phc == key.HashPassword("correct horse") {
		t.Fatal("the hash is not salted")
	}
	for range 2 { // the second time from memory
		if !verify(t, r, "client", "correct horse", []byte(phc), 0) {
			t.Error("the right password is refused")
		}
		if verify(t, r, "client", "wrong horse", []byte(phc), 0) {
			t.Error("a wrong password is accepted")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, _ := r.VerifySecret(ctx, "app", "client", "wrong horse", []byte("$argon2id$v=19$m=1,t=0,p=0$$"), 0); ok {
		t.Error("a malformed hash accepts")
	}
}

func TestEstimatedBits(t *testing.T) {
	for _, c := range []struct {
		secret string
		weak   bool
	}{
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
		{"abababababababababababababababababababab", true},
		{"correct horse battery staple", true},
		{"55324vxdz3n35hjui77hh2qpoe6dbgs8", false},
	} {
		if bits := key.EstimatedBits(c.secret); (bits < 128) != c.weak {
			t.Errorf("%q: %.0f bits", c.secret, bits)
		}
	}
}

// A key made ahead is published, signs when its time comes, and verifies as long
// as a token that it signed lives, all without a restart.
func TestSignersFollowTheSchedule(t *testing.T) {
	s, c := open(t)
	signers := key.NewSigners(s, ringOf(t, s, c, 1), c.Now, key.Schedule{Period: 10 * 24 * time.Hour, PublishAhead: 24 * time.Hour})
	sign := func(life time.Duration) string {
		t.Helper()
		text, err := signers.Sign(t.Context(), "app", "ES256", "at+jwt", []byte(`{}`), c.Now().Add(life))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	published := func() int {
		t.Helper()
		document, _, err := signers.JWKS(t.Context(), "app")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(document), `"kid"`)
	}
	tend := func() {
		t.Helper()
		if err := signers.Tend(t.Context(), "app", "ES256"); err != nil {
			t.Fatal(err)
		}
	}
	first := sign(20 * 24 * time.Hour)
	headerOf := func(token string) string { return token[:strings.IndexByte(token, '.')] }
	if published() != 1 {
		t.Fatalf("%d keys at first", published())
	}
	c.Advance(9 * 24 * time.Hour)
	tend()
	if published() != 2 || headerOf(sign(time.Hour)) != headerOf(first) {
		t.Fatalf("a day ahead: %d keys are published, and the old one must sign", published())
	}
	c.Advance(24 * time.Hour)
	tend()
	if headerOf(sign(time.Hour)) == headerOf(first) {
		t.Fatal("on the day the new key must sign")
	}
	c.Advance(9 * 24 * time.Hour)
	tend()
	if _, err := signers.Verify(t.Context(), "app", first, "at+jwt"); err != nil {
		t.Errorf("a token that lives is refused: %v", err)
	}
	if _, err := signers.Verify(t.Context(), "other", first, "at+jwt"); !errors.Is(err, key.ErrToken) {
		t.Errorf("in another application: %v", err)
	}
	if _, err := signers.Verify(t.Context(), "app", first, "JWT"); !errors.Is(err, key.ErrToken) {
		t.Errorf("as another type: %v", err)
	}
	c.Advance(5 * 24 * time.Hour)
	tend()
	if _, err := signers.Verify(t.Context(), "app", first, "at+jwt"); !errors.Is(err, key.ErrToken) {
		t.Errorf("the first key is still published: %v", err)
	}
}

func TestAnotherAlgorithmActsAtOnce(t *testing.T) {
	s, c := open(t)
	signers := key.NewSigners(s, ringOf(t, s, c, 1), c.Now, key.DefaultSchedule)
	var tokens []string
	for _, algorithm := range key.Algorithms {
		text, err := signers.Sign(t.Context(), "app", algorithm, "at+jwt", []byte(`{}`), c.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, text)
		for _, before := range tokens {
			if _, err := signers.Verify(t.Context(), "app", before, "at+jwt"); err != nil {
				t.Errorf("after the change to %s: %v", algorithm, err)
			}
		}
	}
}
