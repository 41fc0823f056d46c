package user_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/core/user"
)

func TestClaims(t *testing.T) {
	t.Parallel()
	ann := &user.User{
		UUID: "u", Email: "ann@example.com", EmailVerifiedAt: time.Unix(1, 0), UpdatedAt: time.Unix(1_700_000_000, 0), Roles: []string{"clerk"},
		Attributes: user.Attributes{
			"displayName": "Ann M.", "givenName": "Ann", "middleName": "B.", "familyName": "Miller", "nickname": "annie", "gender": "female",
			"birthday": "1980-02-29", "zoneinfo": "Europe/Berlin", "locale": "de-AT", "picture": "https://p.example/a", "website": "https://a.example",
			"phoneNumber": "+43 1 234", "phoneNumberVerified": "2026-01-01T00:00:00Z", "externalId": "secret of the operator",
			"primaryAddress": map[string]any{"address1": "Main 1", "address2": "Top 2", "city": "Wien", "stateAbbreviation": "W", "zip": "1010", "country": "AT", "phone": "7"},
		},
	}
	const profile = `"name":"Ann M.","given_name":"Ann","middle_name":"B.","family_name":"Miller","nickname":"annie","gender":"female",` +
		`"birthdate":"1980-02-29","zoneinfo":"Europe/Berlin","locale":"de-AT","picture":"https://p.example/a","website":"https://a.example","updated_at":1700000000`
	nobody := &user.User{UUID: "n", UpdatedAt: time.Unix(5, 0)}
	parts := &user.User{UUID: "p", Email: "p@example.com", Attributes: user.Attributes{
		"givenName": "Pat", "familyName": "Roe", "phoneNumber": "1", "primaryAddress": map[string]any{"zip": "1010", "phone": "7"},
	}}
	for _, test := range []struct {
		name      string
		user      *user.User
		scopes    []string
		requested string // the member userinfo
		want      string
	}{
		{"openid", ann, []string{"openid", "orders"}, ``, `{"sub":"u"}`},
		{"profile", ann, []string{"openid", "profile"}, ``, `{"sub":"u",` + profile + `}`},
		{"email", ann, []string{"email"}, ``, `{"sub":"u","email":"ann@example.com","email_verified":true}`},
		{"phone", ann, []string{"phone"}, ``, `{"sub":"u","phone_number":"+43 1 234","phone_number_verified":true}`},
		{"address", ann, []string{"address"}, ``, `{"sub":"u","address":{"street_address":"Main 1\nTop 2","locality":"Wien","region":"W","postal_code":"1010","country":"AT",` +
			`"formatted":"Main 1\nTop 2\nWien, W 1010\nAT"}}`},
		{"nothing is known", nobody, []string{"profile", "email", "phone", "address"}, `{"name":{"essential":true}}`, `{"sub":"n","updated_at":5}`},
		{"parts", parts, []string{"email", "phone", "address"}, `{"name":null}`, `{"sub":"p","name":"Pat Roe","email":"p@example.com","email_verified":false,` +
			`"phone_number":"1","address":{"postal_code":"1010","formatted":"1010"}}`},
		{
			"one by one", ann, nil, `{"email":{"essential":true},"nickname":null,"auth_time":null,"name#ja":null,"sub":{"value":"x"},"roles":null,"externalId":null}`,
			`{"sub":"u","email":"ann@example.com","nickname":"annie"}`,
		},
		{
			"a value", ann, nil, `{"email":{"value":"ann@example.com"},"nickname":{"value":"x"},"email_verified":{"value":true},"updated_at":{"value":1700000000}}`,
			`{"sub":"u","email":"ann@example.com","email_verified":true,"updated_at":1700000000}`,
		},
		{
			"values", ann, nil, `{"email":{"values":["x","ann@example.com"]},"nickname":{"values":["x",7]},"updated_at":{"values":[1.5,"1700000000"]},"gender":{"values":[]}}`,
			`{"sub":"u","email":"ann@example.com","gender":"female"}`,
		},
		{"a value, but a scope too", ann, []string{"email"}, `{"email":{"value":"x"}}`, `{"sub":"u","email":"ann@example.com","email_verified":true}`},
		{"an address by value", parts, nil, `{"address":{"value":{"postal_code":"1010","formatted":"1010"}}}`, `{"sub":"p","address":{"postal_code":"1010","formatted":"1010"}}`},
		{"another address", parts, nil, `{"address":{"value":{"postal_code":"1011","formatted":"1010"}}}`, `{"sub":"p"}`},
	} {
		var requested map[string]oauth.ClaimRequest
		if test.requested != "" {
			parsed, err := oauth.ParseClaims(`{"userinfo":` + test.requested + `}`)
			if err != nil {
				t.Fatal(err)
			}
			requested = parsed.UserInfo
		}
		var got, want any
		if err := json.Unmarshal([]byte(asJSON(t, test.user.Claims(test.scopes, requested))), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// The claims that are announced are those that a user can have.
func TestClaimNames(t *testing.T) {
	t.Parallel()
	u := &user.User{UUID: "u", Email: "a@example.com", Attributes: user.Attributes{"primaryAddress": map[string]any{"city": "x"}, "phoneNumberVerified": "2026-01-01T00:00:00Z"}}
	for _, d := range user.DefaultSchema() {
		if _, set := u.Attributes[d.Name]; !set {
			u.Attributes[d.Name] = "x"
		}
	}
	told := u.Claims([]string{"profile", "email", "address", "phone"}, nil)
	delete(told, "sub")
	if diff := cmp.Diff(user.ClaimNames(), slices.Collect(maps.Keys(told)), cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("announced and told are not the same:\n%s", diff)
	}
}
