package granttype_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client/rule"
	"github.com/ostiary/ostiary/internal/core/client/rule/granttype"
	"github.com/ostiary/ostiary/internal/core/oauth"
)

// The defaults of each kind, and of kind other by features.
func TestInForce(t *testing.T) {
	code, machine := []oauth.GrantType{oauth.AuthorizationCode}, []oauth.GrantType{oauth.ClientCredentials}
	user := []oauth.GrantType{oauth.AuthorizationCode, oauth.RefreshToken}
	for _, test := range []struct {
		name    string
		setting granttype.Setting
		subject rule.Subject
		want    []oauth.GrantType
	}{
		{"web", nil, rule.Subject{Kind: "web"}, code},
		{"spa", nil, rule.Subject{Kind: "spa", Public: true}, code},
		{"native", nil, rule.Subject{Kind: "native", Public: true}, code},
		{"service", nil, rule.Subject{Kind: "service"}, machine},
		{"other without features", nil, rule.Subject{Kind: "other"}, nil},
		{"other with login_client", nil, rule.Subject{Kind: "other", Features: []string{"login_client"}}, user},
		{"other with direct_access", nil, rule.Subject{Kind: "other", Features: []string{"direct_access"}}, machine},
		{"other with owner", nil, rule.Subject{Kind: "other", Features: []string{"owner"}}, machine},
		{"a public one proves nothing by client credentials", nil, rule.Subject{Kind: "other", Public: true, Features: []string{"owner"}}, nil},
		{"features of another kind change nothing", nil, rule.Subject{Kind: "web", Features: []string{"owner"}}, code},
		{"chosen", granttype.Setting{oauth.RefreshToken}, rule.Subject{Kind: "web"}, []oauth.GrantType{oauth.RefreshToken}},
		{"none chosen on purpose", granttype.Setting{}, rule.Subject{Kind: "service"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.setting.InForce(&test.subject); !slices.Equal(got, test.want) {
				t.Errorf("in force: %v, want %v", got, test.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	all := granttype.Setting{oauth.Password, oauth.Implicit, oauth.ClientCredentials}
	for _, test := range []struct {
		name    string
		setting granttype.Setting
		subject rule.Subject
		grant   oauth.GrantType
		code    string
	}{
		{"the client's", nil, rule.Subject{Kind: "service"}, oauth.ClientCredentials, ""},
		{"not the client's", nil, rule.Subject{Kind: "web"}, oauth.ClientCredentials, "unauthorized_client"},
		{"none at all", nil, rule.Subject{Kind: "other"}, oauth.ClientCredentials, "unauthorized_client"},
		{"password under oauth2.1", all, rule.Subject{Kind: "other"}, oauth.Password, "unsupported_grant_type"},
		{"implicit under oauth2.1", all, rule.Subject{Kind: "other"}, oauth.Implicit, "unsupported_grant_type"},
		{"password under oauth2", all, rule.Subject{Kind: "other", OAuth2: true}, oauth.Password, ""},
		{"password under oauth2, not the client's", nil, rule.Subject{Kind: "web", OAuth2: true}, oauth.Password, "unauthorized_client"},
		{"client credentials under either", all, rule.Subject{Kind: "other"}, oauth.ClientCredentials, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.setting.Check(&test.subject, &rule.Request{GrantType: test.grant})
			code := ""
			if e, ok := errors.AsType[*oauth.Error](err); ok {
				code = e.Code
			}
			if code != test.code || (err == nil) != (test.code == "") {
				t.Errorf("answered %v, want %q", err, test.code)
			}
		})
	}
}
