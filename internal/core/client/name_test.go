package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
)

func TestCleanName(t *testing.T) {
	for _, test := range []struct {
		name, given, want string
		err               error
	}{
		{"as it is", "Billing", "Billing", nil},
		{"trimmed", " \t Billing\u00a0\n", "Billing", nil},
		{"white space inside stays", "Billing  app", "Billing  app", nil},
		{"empty", "", "", client.ErrNoName},
		{"white space only", " \t\r\n\u2003", "", client.ErrNoName},
		{"255 characters", strings.Repeat("a", 255), strings.Repeat("a", 255), nil},
		{"256 characters", strings.Repeat("a", 256), "", client.ErrBadName},
		{"255 characters of 4 bytes", strings.Repeat("𝔸", 255), strings.Repeat("𝔸", 255), nil},
		{"256 characters of 2 bytes", strings.Repeat("é", 256), "", client.ErrBadName},
		{"255 characters after trimming", " " + strings.Repeat("a", 255) + " ", strings.Repeat("a", 255), nil},
		{"NUL", "a\x00b", "", client.ErrBadName},
		{"a line break inside", "a\nb", "", client.ErrBadName},
		{"a C1 control character inside", "a\u0085b", "", client.ErrBadName},
		{"DEL", "a\x7fb", "", client.ErrBadName},
		{"broken UTF-8", "a\xffb", "", client.ErrBadName},
		{"markup is text", "<b>&amp;</b>", "<b>&amp;</b>", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := client.CleanName(test.given)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("CleanName(%q) = %q, %v; want %q, %v", test.given, got, err, test.want, test.err)
			}
		})
	}
}

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"3bchk5hsx6v58dkn288nbybmxfyk32u7": true,
		"A.b_c~d-9":                        true,
		strings.Repeat("a", 128):           true,
		strings.Repeat("a", 129):           false,
		"":                                 false,
		"a b":                              false,
		"a/b":                              false,
		"a\x00":                            false,
		"é":                                false,
		"\xff":                             false,
	} {
		if got := client.ValidID(id); got != want {
			t.Errorf("ValidID(%q) = %v", id, got)
		}
	}
}
