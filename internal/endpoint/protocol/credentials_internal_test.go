package protocol

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

func basic(plain string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(plain))
}

func TestReadCredentials(t *testing.T) {
	for _, c := range []struct {
		name   string
		header []string
		body   string
		id     string
		secret string
		sent   string
		code   string
	}{
		{name: "basic", header: []string{basic("c:s")}, id: "c", secret: "s"},
		{name: "basic, colons in the secret", header: []string{basic("c:s:t")}, id: "c", secret: "s:t"},
		{name: "basic, form-encoded", header: []string{basic("c:%3A%25+%2B")}, id: "c", secret: ":% +", sent: "%3A%25+%2B"},
		{name: "basic, as it is", header: []string{basic("c:a/b+c=")}, id: "c", secret: "a/b c=", sent: "a/b+c="},
		{name: "basic, as it is, no form encoding", header: []string{basic("c:100%+zz")}, id: "c", secret: "100%+zz"},
		{name: "basic, encoded NUL", header: []string{basic("c:%00")}, id: "c", secret: "%00"},
		{name: "basic, another case, more spaces", header: []string{"bAsIc   " + basic("c:s")[6:]}, id: "c", secret: "s"},
		{name: "basic, no secret: none", header: []string{basic("c:")}, id: "c"},
		{name: "basic and the same client_id", header: []string{basic("c:s")}, body: "client_id=c", id: "c", secret: "s"},
		{name: "basic and an empty client_secret", header: []string{basic("c:s")}, body: "client_secret=", id: "c", secret: "s"},
		{name: "post", body: "client_id=c&client_secret=s%2B+", id: "c", secret: "s+ "},
		{name: "none", body: "client_id=c", id: "c"},
		{name: "nothing", code: "invalid_client"},
		{name: "a secret of nobody", body: "client_secret=s", code: "invalid_client"},
		{name: "two ways", header: []string{basic("c:s")}, body: "client_id=c&client_secret=s", code: "invalid_request"},
		{name: "two ways, no secret in basic", header: []string{basic("c:")}, body: "client_secret=s", code: "invalid_request"},
		{name: "two clients", header: []string{basic("c:s")}, body: "client_id=d", code: "invalid_request"},
		{name: "two headers", header: []string{basic("c:s"), basic("c:s")}, code: "invalid_client"},
		{name: "an empty header", header: []string{""}, body: "client_id=c&client_secret=s", code: "invalid_client"},
		{name: "another scheme", header: []string{"Bearer abc"}, code: "invalid_client"},
		{name: "no base64", header: []string{"Basic %%%"}, code: "invalid_client"},
		{name: "no colon", header: []string{basic("cs")}, code: "invalid_client"},
		{name: "no id", header: []string{basic(":s")}, code: "invalid_client"},
		{name: "bad percent-encoding", header: []string{basic("%zz:s")}, code: "invalid_client"},
		{name: "NUL", header: []string{basic("c:\x00")}, code: "invalid_client"},
		{name: "NUL in an id", header: []string{basic("%00:s")}, code: "invalid_client"},
		{name: "no UTF-8", header: []string{basic("c:\xff")}, code: "invalid_client"},
	} {
		form, err := ParseForm(c.body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readCredentials(c.header, form)
		code := ""
		if e, ok := errors.AsType[*oauth.Error](err); ok {
			code = e.Code
		}
		if code != c.code || code == "" && got != (credentials{c.id, c.secret, c.sent}) {
			t.Errorf("%s: got %+v, %q; want %q %q %q, %q", c.name, got, code, c.id, c.secret, c.sent, c.code)
		}
	}
}

func FuzzParseBasic(f *testing.F) {
	for _, seed := range []string{"", "Basic", "Basic ", basic("c:s"), basic("c%3Ad:s"), "basic\t" + basic("c:s")[6:], "Basic " + strings.Repeat("A", 4097), basic("\x00:\xff")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got, ok := parseBasic(line)
		if !ok {
			return
		}
		if all := got.id + got.secret + got.sent; got.id == "" || !utf8.ValidString(all) || strings.Contains(all, "\x00") || got.sent == got.secret && got.sent != "" {
			t.Fatalf("%q gave %+v", line, got)
		}
		again, ok := parseBasic(basic(url.QueryEscape(got.id) + ":" + url.QueryEscape(got.secret)))
		if !ok || again.id != got.id || again.secret != got.secret {
			t.Fatalf("%q gave %+v, and that %+v", line, got, again)
		}
	})
}

func TestPlausible(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "A-z0.9_~": true, strings.Repeat("a", 128): true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "é": false, "a/b": false, "a\n": false,
	} {
		if got := plausible(id); got != want {
			t.Errorf("%q: %v, want %v", id, got, want)
		}
	}
}
