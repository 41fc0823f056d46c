package user_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/user"
)

// typed has an attribute of each type.
var typed = func() user.Schema {
	schema, err := user.ParseSchema([]byte(`[
		{"name": "s", "type": "string", "length": 3}, {"name": "any", "type": "string"},
		{"name": "i", "type": "integer"}, {"name": "d", "type": "decimal"}, {"name": "b", "type": "boolean"},
		{"name": "day", "type": "date"}, {"name": "at", "type": "dateTime"}, {"name": "j", "type": "json"},
		{"name": "o", "type": "object", "attr_defs": [{"name": "s", "type": "string"}, {"name": "o", "type": "object", "attr_defs": [{"name": "i", "type": "integer"}]}]},
		{"name": "p", "type": "plural", "attr_defs": [{"name": "s", "type": "string"}, {"name": "p", "type": "plural", "attr_defs": [{"name": "b", "type": "boolean"}]}]}
	]`))
	if err != nil {
		panic(err)
	}
	return schema
}()

func decoded(t testing.TB, text string) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestSchemaClean(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 25) + strings.Repeat(`]`, 25)
	for _, test := range []struct{ sent, want, refused string }{
		{`{}`, `null`, ``},
		{`{"s": "äöü", "any": "line\nline", "i": -9223372036854775808, "d": 1.50, "b": false}`, `{"any":"line\nline","b":false,"d":1.50,"i":-9223372036854775808,"s":"äöü"}`, ``},
		{`{"s": "", "i": null, "o": {"s": null, "o": {}}, "p": []}`, `null`, ``},
		{`{"s": "abcd", "any": "a\u0007", "i": 1.0, "d": "1", "b": 0}`, ``, `attributes.any attributes.b attributes.d attributes.i attributes.s`},
		{`{"i": 9223372036854775808, "d": 1e999, "s": 1}`, ``, `attributes.d attributes.i attributes.s`},
		{`{"d": 1` + strings.Repeat("0", 40) + `}`, ``, `attributes.d`},
		{`{"day": "2026-02-28", "at": "2026-02-28T12:00:00.1234567+01:00"}`, `{"at":"2026-02-28T11:00:00.123456Z","day":"2026-02-28"}`, ``},
		{`{"at": "2026-02-28 12:00:00.5 +0100"}`, `{"at":"2026-02-28T11:00:00.5Z"}`, ``},
		{`{"day": "2026-02-30", "at": "2026-02-28"}`, ``, `attributes.at attributes.day`},
		{`{"day": 7, "at": "0000-01-01T00:00:00Z"}`, ``, `attributes.at attributes.day`},
		{`{"x": 1, "o": {"y": 1, "o": {"i": "z"}}}`, ``, `attributes.o.o.i attributes.o.y attributes.x`},
		{`{"o": [], "p": {}, "b": {}}`, ``, `attributes.b attributes.o attributes.p`},
		{`{"p": [{"s": "a"}, {"p": [{"b": true}]}, {}]}`, `{"p":[{"s":"a"},{"p":[{"b":true}]},{}]}`, ``},
		{`{"p": [{"s": 1}, 7, {"p": [{"b": 1}, {"c": 1}]}]}`, ``, `attributes.p[0].s attributes.p[1] attributes.p[2].p[0].b attributes.p[2].p[1].c`},
		{`{"j": {"a": [1, null, "x", {"b": 1.5e3}]}}`, `{"j":{"a":[1,null,"x",{"b":1.5e3}]}}`, ``},
		{`{"j": ` + deep + `}`, ``, `attributes.j`},
		{`{"j": ["a\u0000"]}`, ``, `attributes.j`},
		{`{"j": {"a\u0000": 1}}`, ``, `attributes.j`},
		{`{"j": [` + strings.Repeat("0,", 1000) + `0]}`, ``, `attributes.j`},
		{`{"p": [` + strings.Repeat("{},", 1000) + `{}]}`, ``, `attributes.p`},
		{`{"any": "` + strings.Repeat("x", 64<<10) + `"}`, ``, `attributes`},
		{`{"` + strings.Repeat("x", 100) + `": 1}`, ``, `attributes.` + strings.Repeat("x", 64) + `…`},
	} {
		clean, problems := typed.Clean(decoded(t, test.sent))
		var fields []string
		for _, p := range problems {
			fields = append(fields, p.Field)
		}
		if got := strings.Join(fields, " "); got != test.refused {
			t.Errorf("%.80s is refused for %q, want %q", test.sent, got, test.refused)
		}
		if got := asJSON(t, clean); test.refused == "" && got != test.want {
			t.Errorf("%.80s is kept as %s, want %s", test.sent, got, test.want)
		}
	}
	many := map[string]any{}
	for i := range 1000 {
		many[fmt.Sprint("x", i)] = "y"
	}
	if _, problems := typed.Clean(many); len(problems) != 50 {
		t.Errorf("%d problems are told", len(problems))
	}
}

// The default schema has what the user-record API and the claims are made of.
func TestDefaultSchema(t *testing.T) {
	t.Parallel()
	known := map[string]user.Type{}
	for _, d := range user.DefaultSchema() {
		known[d.Name] = d.Type
	}
	for name, want := range map[string]user.Type{
		"givenName": user.String, "middleName": user.String, "familyName": user.String, "displayName": user.String, "birthday": user.Date,
		"gender": user.String, "locale": user.String, "phoneNumber": user.String, "primaryAddress": user.Object, "profiles": user.Plural,
	} {
		if known[name] != want {
			t.Errorf("%s is %q, want %q", name, known[name], want)
		}
	}
}

func TestParseSchemaRefuses(t *testing.T) {
	t.Parallel()
	for _, document := range []string{
		`{}`, `[{"name": "a", "type": "blob"}]`, `[{"name": "", "type": "string"}]`, `[{"name": "a.b", "type": "string"}]`,
		`[{"name": "a", "type": "string"}, {"name": "a", "type": "date"}]`, `[{"name": "a", "type": "object"}]`,
		`[{"name": "a", "type": "string", "attr_defs": [{"name": "b", "type": "string"}]}]`,
		`[{"name": "a", "type": "plural", "attr_defs": [{"name": "b", "type": "x"}]}]`,
	} {
		if _, err := user.ParseSchema([]byte(document)); err == nil {
			t.Errorf("%s is taken", document)
		}
	}
}

// FuzzPatch: whatever is sent as a user, what is kept is within the bounds, is
// kept the same when it is written back, and no refusal repeats a value.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{"email": "a@example.com", "attributes": {"givenName": "x", "primaryAddress": {"city": "y"}}, "roles": ["r"], "password": "qqqqqqqqq7"}`,
		`{"attributes": {"birthday": "2000-02-29", "phoneNumberVerified": "2020-01-01 00:00:00 +0000", "photos": [{"value": "z"}], "profiles": [{"profile": [1e5]}]}}`,
		`{"attributes": {"x": {"y": [null]}}, "active": false, "email_verified": true}`, `null`, `[]`, `{"attributes":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		var fields user.Fields
		if err := fields.Patch(document); err != nil {
			return
		}
		clean, problems := user.DefaultSchema().Clean(fields.Attributes)
		if len(problems) > 0 {
			for _, p := range problems {
				if !utf8.ValidString(p.Field) || len(p.Field) > 5000 {
					t.Errorf("the place is %q", p.Field)
				}
			}
			return
		}
		text := asJSON(t, clean)
		if len(text) > user.MaxAttributes {
			t.Errorf("%d bytes are kept", len(text))
		}
		if clean == nil {
			return
		}
		again, problems := user.DefaultSchema().Clean(decoded(t, text))
		if len(problems) > 0 {
			t.Fatalf("%s cannot be written back: %v", text, problems)
		}
		if diff := cmp.Diff(clean, again); diff != "" {
			t.Errorf("written back it is another:\n%s", diff)
		}
	})
}

// FuzzCleanEmail: an address that is taken is kept as it is when it comes again.
func FuzzCleanEmail(f *testing.F) {
	for _, seed := range []string{"a@b.c", " Jose\u0301@x.y ", "@", "a@", "a@b@c", "\"a\"@b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, email string) {
		clean, err := user.CleanEmail(email)
		if err != nil {
			if strings.Contains(err.Error(), email) && len(email) > 12 {
				t.Errorf("the refusal repeats %q", email)
			}
			return
		}
		again, err := user.CleanEmail(clean)
		if err != nil || again != clean || len(clean) > 254 || strings.ContainsAny(clean, " \x00\n") {
			t.Errorf("%q is kept as %q, which becomes %q: %v", email, clean, again, err)
		}
	})
}
