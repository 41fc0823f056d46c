package secret_test

import (
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
)

func TestRefusal(t *testing.T) {
	for text, want := range map[string]bool{
		strings.Repeat("a", 24):          true, // weak, and so kept under a slow hash
		strings.Repeat("~", 256):         true,
		strings.Repeat("a", 23):          false,
		strings.Repeat("a", 257):         false,
		strings.Repeat("a", 24) + " ":    false,
		strings.Repeat("a", 24) + "\x7f": false,
		strings.Repeat("é", 24):          false,
		"":                               false,
	} {
		if got := secret.Refusal(text) == ""; got != want {
			t.Errorf("%d bytes: taken %v", len(text), got)
		}
	}
}

func TestLabelRefusal(t *testing.T) {
	for label, want := range map[string]bool{
		"": true, "Rotation of May": true, strings.Repeat("é", 100): true,
		strings.Repeat("é", 101): false, "a\nb": false, "\xff": false,
	} {
		if got := secret.LabelRefusal(label) == ""; got != want {
			t.Errorf("%q: taken %v", label, got)
		}
	}
}
