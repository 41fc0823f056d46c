package oauth_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/oauth"
)

func TestParseClaims(t *testing.T) {
	type claims = map[string]oauth.ClaimRequest
	for _, c := range []struct {
		name, in string
		want     *oauth.ClaimsRequest
		refused  bool
	}{
		{name: "absent", in: ""},
		{name: "asks for nothing", in: `{}`},
		{name: "unknown members only", in: `{"elsewhere":{"email":null}}`},
		{name: "null is no object", in: `null`, refused: true},
		{name: "a list is none", in: `[]`, refused: true},
		{name: "two values", in: `{} {}`, refused: true},
		{name: "cut off", in: `{"userinfo":`, refused: true},
		{name: "a claim is asked for by an object or null", in: `{"userinfo":{"email":true}}`, refused: true},
		{name: "essential is a boolean", in: `{"userinfo":{"email":{"essential":"yes"}}}`, refused: true},
		{name: "no name", in: `{"userinfo":{"":null}}`, refused: true},
		{name: "too long", in: `{"userinfo":{"email":{"value":"` + strings.Repeat("a", 5000) + `"}}}`, refused: true},
		{
			name: "both places",
			in:   `{"userinfo":{"email":null},"id_token":{"acr":{"essential":true,"values":["2","1"]},"sub":{"value":"u"}},"other":1}`,
			want: &oauth.ClaimsRequest{
				UserInfo: claims{"email": {}},
				IDToken:  claims{"acr": {Essential: true, Values: []any{"2", "1"}}, "sub": {Value: "u"}},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := oauth.ParseClaims(c.in)
			if e, ok := errors.AsType[*oauth.Error](err); (err != nil) != c.refused || c.refused && (!ok || e.Code != "invalid_request") {
				t.Fatalf("answered %v", err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWhatIsWantedOfAClaim(t *testing.T) {
	c := oauth.ClaimRequest{Value: "2", Values: []any{"1", 3, "2"}}
	if got := c.Wants(); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("got %q", got)
	}
	if got := (oauth.ClaimRequest{}).Wants(); got != nil {
		t.Errorf("a claim of which nothing is said wants %q", got)
	}
}

func TestNarrowedClaims(t *testing.T) {
	type claims = map[string]oauth.ClaimRequest
	all := &oauth.ClaimsRequest{UserInfo: claims{"email": {Essential: true}, "name": {}}, IDToken: claims{"acr": {}}}
	got := all.Only(func(claim string) bool { return claim == "email" })
	if want := (&oauth.ClaimsRequest{UserInfo: claims{"email": {Essential: true}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if len(all.UserInfo) != 2 || len(all.IDToken) != 1 {
		t.Errorf("what was narrowed is %+v", all)
	}
	none := func(string) bool { return false }
	if got := all.Only(none); got != nil {
		t.Errorf("got %+v of which nothing is left", got)
	}
	if got := (*oauth.ClaimsRequest)(nil).Only(none); got != nil {
		t.Errorf("got %+v of nothing", got)
	}
}

// What is kept of a request is what was asked for.
func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", `{"userinfo":{"email":null}}`, `{"id_token":{"acr":{"essential":true,"values":["2"]}}}`,
		`{"userinfo":{"n":{"value":1e400}}}`, `{"userinfo":{"n":{"value":9007199254740993}}}`, `{"userinfo":{"\u0000":{"values":[{}]}}}`,
		strings.Repeat("[", 3000), `{"userinfo":{"a":null,"a":{"essential":true}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := oauth.ParseClaims(text)
		if err != nil || got == nil {
			return
		}
		kept, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%q cannot be kept: %v", text, err)
		}
		if len(kept) > 4096 {
			return // escapes made it longer
		}
		again, err := oauth.ParseClaims(string(kept))
		if err != nil {
			t.Fatalf("%q was kept as %q, which is refused: %v", text, kept, err)
		}
		if second, _ := json.Marshal(again); string(second) != string(kept) {
			t.Fatalf("%q was kept as %q, and then as %q", text, kept, second)
		}
	})
}
