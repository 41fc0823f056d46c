package application_test

import (
	"testing"

	"github.com/ostiary/ostiary/internal/core/application"
)

// Of names what ApplicationOf reads, and nothing else does.
func TestIssuers(t *testing.T) {
	t.Parallel()
	const public = "https://id.example.com"
	for _, root := range []string{"", "shop"} {
		i := application.Issuers{PublicURL: public, Root: root}
		for _, id := range []string{"shop", "other"} {
			if got := i.ApplicationOf(i.Of(id)); got != id {
				t.Errorf("%q at the root: %s is %q", root, id, got)
			}
		}
		for _, issuer := range []string{"", "https://evil.example.com/shop", public + "evil", public + "/"} {
			if got := i.ApplicationOf(issuer); got != "" {
				t.Errorf("%q at the root: %q is %q", root, issuer, got)
			}
		}
	}
	if got := (application.Issuers{PublicURL: public, Root: "shop"}).ApplicationOf(public + "/shop"); got != "" {
		t.Errorf("the root application by another name: %q", got)
	}
}
