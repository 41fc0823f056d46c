package oauth_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

// The example of RFC 7636, appendix B.
const (
	exampleVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	exampleChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestVerifyPKCE(t *testing.T) {
	for _, c := range []struct {
		name, challenge, verifier string
		want                      bool
	}{
		{"the example of RFC 7636", exampleChallenge, exampleVerifier, true},
		{"another verifier", exampleChallenge, exampleVerifier[:42] + "l", false},
		{"none", exampleChallenge, "", false},
		{"neither", "", "", false},
		{"plain", exampleVerifier, exampleVerifier, false},
		{"the challenge itself", exampleChallenge, exampleChallenge, false},
		{"too short", "JKFNNmBRYzDgAjHTjPUIXFkzzGyRZzTy_-RSEyTkm-Y", strings.Repeat("a", 42), false},
		{"a character that no verifier has", exampleChallenge, exampleVerifier[:42] + "+", false},
		{"too long", exampleChallenge, strings.Repeat("a", 129), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := oauth.VerifyPKCE(c.challenge, c.verifier); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestValidChallenge(t *testing.T) {
	for _, c := range []struct {
		challenge string
		want      bool
	}{
		{exampleChallenge, true},
		{"", false},
		{exampleChallenge + "=", false},
		{exampleChallenge[:42], false},
		{exampleChallenge[:42] + "N", true}, // its last bits say nothing
		{exampleChallenge[:42] + "\n", false},
		{strings.ReplaceAll(exampleChallenge, "-", "+"), false},
	} {
		if got := oauth.ValidChallenge(c.challenge); got != c.want {
			t.Errorf("%q: got %v", c.challenge, got)
		}
	}
}

func FuzzPKCE(f *testing.F) {
	f.Add(exampleChallenge, exampleVerifier)
	f.Add("", "")
	f.Add(strings.Repeat("A", 43), strings.Repeat("~", 128))
	f.Fuzz(func(t *testing.T, challenge, verifier string) {
		if !oauth.VerifyPKCE(challenge, verifier) {
			return
		}
		if !oauth.ValidChallenge(challenge) || len(verifier) < 43 || len(verifier) > 128 || challenge == verifier {
			t.Errorf("%q proves %q", verifier, challenge)
		}
	})
}
