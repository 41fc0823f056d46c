package signin

import (
	"testing"

	"github.com/ostiary/ostiary/internal/endpoint/page"
)

// A template is parsed with the first page that is made of it; here all are.
func TestEveryTemplateParses(t *testing.T) {
	static, err := page.Static()
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Deps{Static: static})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.set.Parse(); err != nil {
		t.Error(err)
	}
}
