package key_test

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/ostiary/ostiary/internal/core/key"
)

// hashes of "correct horse battery staple" in the forms that others write. The
// PBKDF2 ones were made by another program than ours.
func hashes(t testing.TB) map[string]string {
	t.Helper()
	made, err := bcrypt.GenerateFromPassword([]byte(horse), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"argon2id":      key.HashPassword(horse),
		"pbkdf2-sha256": "$pbkdf2-sha256$i=25000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$P1j74j3FGD4WPVh9vm6TDMHuXbVOTG6Qlom1dBwdwKc",
		"pbkdf2-sha512": "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$5bTW2oeyDJyGJPcmEr+mRDE11ghpozWrDGnSNhRXo2ZCu0KHRDiUMAVEGzLJC+oDhRoeIja9J1iLIv9ptDJMfQ",
		"bcrypt 2a":     string(made),
		"bcrypt 2y":     strings.Replace(string(made), "$2a$", "$2y$", 1),
	}
}

const horse = "correct horse battery staple"

func TestHashesFromElsewhere(t *testing.T) {
	s, c := open(t)
	ring := ringOf(t, s, c, 1)
	for name, text := range hashes(t) {
		t.Run(name, func(t *testing.T) {
			if err := key.CheckHash(text); err != nil {
				t.Fatal(err)
			}
			for secret, want := range map[string]bool{horse: true, horse + " ": false, "": false} {
				got, err := ring.VerifySecret(t.Context(), "app", "client", secret, []byte(text), 0)
				if err != nil || got != want {
					t.Errorf("%q: %v, %v", secret, got, err)
				}
			}
			if got := key.OwnHash(text); got != (name == "argon2id") {
				t.Errorf("own: %v", got)
			}
		})
	}
}

// TestBcryptTakesNoLongerSecret wants what bcrypt would cut off to be refused:
// else the first 72 bytes of a longer secret would be one too.
func TestBcryptTakesNoLongerSecret(t *testing.T) {
	long := strings.Repeat("x", 72)
	made, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s, c := open(t)
	ring := ringOf(t, s, c, 1)
	for secret, want := range map[string]bool{long: true, long + "y": false} {
		if got, err := ring.VerifySecret(t.Context(), "app", "client", secret, made, 0); err != nil || got != want {
			t.Errorf("%d bytes: %v, %v", len(secret), got, err)
		}
	}
}

func TestHashesThatAreNotTaken(t *testing.T) {
	salt, want := "MDEyMzQ1Njc4OWFiY2RlZg", strings.Repeat("A", 43)
	for _, text := range []string{
		"", "$", "$$$", "secret", "$1$abc$def", "$argon2id$v=19$m=19456,t=2,p=1$" + salt,
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + want, "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + want,
		"$argon2id$v=19$m=1048576,t=2,p=1$" + salt + "$" + want, "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + want,
		"$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + want, "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$AAAA",
		"$pbkdf2-sha1$i=1000,l=32$" + salt + "$" + want, "$pbkdf2-sha256$i=1000,l=31$" + salt + "$" + want,
		"$pbkdf2-sha256$i=99999999,l=32$" + salt + "$" + want, "$pbkdf2-sha256$i=1000$" + salt + "$" + want,
		"$2b$31$" + strings.Repeat("a", 53), "$2b$10$" + strings.Repeat("a", 52), "$2x$10$" + strings.Repeat("a", 53),
		"$2b$10$" + strings.Repeat("*", 53), "x$2b$10$" + strings.Repeat("a", 53),
	} {
		if key.CheckHash(text) == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func FuzzCheckHash(f *testing.F) {
	for _, text := range hashes(f) {
		f.Add(text)
	}
	f.Add("$argon2id$v=19$m=,t=2,p=1$$")
	f.Fuzz(func(t *testing.T, text string) {
		if key.CheckHash(text) == nil && (len(text) > 512 || text[0] != '$') {
			t.Errorf("taken: %q", text)
		}
	})
}
