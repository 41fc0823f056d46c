package protocol_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/endpoint/protocol"
)

func TestParseForm(t *testing.T) {
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("p%d=x", i)
	}
	for _, c := range []struct {
		name, body string
		want       map[string]string
		refused    bool
	}{
		{name: "nothing", body: "", want: map[string]string{"a": ""}},
		{name: "plain", body: "a=b&c=d", want: map[string]string{"a": "b", "c": "d"}},
		{name: "encoded", body: "%61=b+c%2B%C3%A9", want: map[string]string{"a": "b c+é"}},
		{name: "empty is absent", body: "a=&b", want: map[string]string{"a": "", "b": ""}},
		{name: "an equals sign in the value", body: "a=b=c", want: map[string]string{"a": "b=c"}},
		{name: "a semicolon separates nothing", body: "a=b;c=d", want: map[string]string{"a": "b;c=d", "c": ""}},
		{name: "empty fields", body: "&&a=b&", want: map[string]string{"a": "b"}},
		{name: "50 parameters", body: strings.Join(many[:50], "&"), want: map[string]string{"p49": "x"}},
		{name: "51 parameters", body: strings.Join(many, "&"), refused: true},
		{name: "resource may repeat", body: "resource=a&resource=b", want: map[string]string{"resource": "a"}},
		{name: "repeated", body: "a=b&a=b", refused: true},
		{name: "repeated, one empty", body: "a=&a=b", refused: true},
		{name: "repeated under another encoding", body: "a=b&%61=c", refused: true},
		{name: "half an escape", body: "a=%2", refused: true},
		{name: "no hexadecimal", body: "a=%zz", refused: true},
		{name: "bad escape in a name", body: "%zz=a", refused: true},
		{name: "NUL", body: "a=%00", refused: true},
		{name: "a raw NUL", body: "a=\x00", refused: true},
		{name: "no UTF-8", body: "a=%ff", refused: true},
		{name: "raw bytes, no UTF-8", body: "a=\xff", refused: true},
	} {
		form, err := protocol.ParseForm(c.body)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v, refused should be %v", c.name, err, c.refused)
			continue
		}
		for name, want := range c.want {
			if got := form.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
	}
}

func FuzzParseForm(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "a=%", "%=a", "a=%00", "+=+", "a;b", "grant_type=client_credentials&scope=a+b", strings.Repeat("a&", 99)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := protocol.ParseForm(body)
		if err != nil {
			return
		}
		if strings.Contains(body, ";") {
			return // net/url refuses it
		}
		values, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("%q is borne, net/url: %v", body, err)
		}
		for name, vs := range values {
			if len(vs) > 1 && name != "resource" {
				t.Fatalf("%q: %q is there %d times", body, name, len(vs))
			}
			if form.Get(name) != vs[0] {
				t.Fatalf("%q: %q is %q, want %q", body, name, form.Get(name), vs[0])
			}
		}
	})
}

func BenchmarkParseForm(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = protocol.ParseForm("grant_type=client_credentials&scope=orders%3Aread+orders%3Awrite")
	}
}
