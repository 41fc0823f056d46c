package secret_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule/secret"
	"github.com/ostiary/ostiary/internal/core/ident"
	"github.com/ostiary/ostiary/internal/core/key"
)

func TestLooksMade(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                 false,
		"correct-horse-battery-staple":     false,
		"correcthorsebatterystaple2024":    false,
		"2024correcthorsebatterystaple99":  false,
		"1-2-3-4-a-b-c-d-e-5-6-7-8":        false,
		"55324vxdz3n35hjui77hh2qpoe6dbgs":  true,
		"k3jh5g2f9d8s7a6p4q2w3e5r6t7y8u9i": true,
	} {
		if got := secret.LooksMade(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestSecretsOfTheIdentityCloudAreStrong wants hardly one of them to be hashed slowly:
// a hundred thousand clients are moved in a minute.
func TestSecretsOfTheIdentityCloudAreStrong(t *testing.T) {
	const n = 10_000
	weak := 0
	for range n {
		text := ident.PlainSecret()
		if bits := key.EstimatedBits(text); bits < secret.StrongBits && (bits < secret.MadeBits || !secret.LooksMade(text)) {
			weak++
		}
	}
	if weak > n/200 {
		t.Errorf("%d of %d are taken for weak", weak, n)
	}
}
