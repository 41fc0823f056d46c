package clienttest

import "strings"

// Members that stand beside a value in many cases.
const (
	spa     = `"kind":"spa"`
	native  = `"kind":"native"`
	service = `"kind":"service"`
	other   = `"kind":"other"`
	public  = `"kind":"other","type":"public"`
	refresh = `"grant_types":["authorization_code","refresh_token"]`
)

// written are the cases that no table gives.
var written = join(identity, addresses, grants, tokens, texts)

func join(lists ...[]Case) (all []Case) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// taken and refused are cases of one field: values and what comes of each.
func taken(field, with string, values ...[2]string) (cases []Case) {
	for _, v := range values {
		cases = append(cases, Case{Field: field, With: with, JSON: v[0], Want: v[1]})
	}
	return cases
}

func refused(field, with string, values ...[2]string) (cases []Case) {
	for _, v := range values {
		cases = append(cases, Case{Field: field, With: with, JSON: v[0], Refused: v[1]})
	}
	return cases
}

// same is a value that is answered as it was written.
func same(values ...string) (pairs [][2]string) {
	for _, v := range values {
		pairs = append(pairs, [2]string{v, v})
	}
	return pairs
}

// beside is values whose refusal stands beside one field.
func beside(field string, values ...string) (pairs [][2]string) {
	for _, v := range values {
		pairs = append(pairs, [2]string{v, field})
	}
	return pairs
}

var identity = join(
	taken("id", "", same(`"My.client_1~2-3"`, `"`+strings.Repeat("a", 128)+`"`)...),
	refused("id", "", beside("id", `"import"`, `"export"`, `"."`, `".."`, `""`, `"a b"`, `"a/b"`, `"é"`, `"`+strings.Repeat("a", 129)+`"`)...),
	taken("name", "", same(`"Named"`, text(255))...),
	taken("name", "", [2]string{`"  Trimmed\t"`, `"Trimmed"`}),
	refused("name", "", beside("name", `""`, `"  "`, `"a\u0000b"`, `"a\nb"`, text(256))...),
	taken("version", "", same(`"1.0 β"`, `" 1 "`, text(40))...),
	refused("version", "", beside("version", `"a\tb"`, text(41))...),
	taken("kind", "", same(`"web"`, `"spa"`, `"native"`, `"service"`, `"other"`)...),
	refused("kind", "", beside("kind", `"Web"`, `""`, `"desktop"`)...),
	taken("type", "", same(`"confidential"`)...),
	taken("type", "", [2]string{"", `"confidential"`}),
	taken("type", spa, [2]string{"", `"public"`}, [2]string{`"public"`, `"public"`}),
	taken("type", native, [2]string{"", `"public"`}),
	taken("type", service, [2]string{"", `"confidential"`}),
	taken("type", other, [2]string{"", `"confidential"`}, [2]string{`"public"`, `"public"`}),
	refused("type", "", beside("type", `"public"`, `"secret"`, `""`)...),
	refused("type", spa, beside("type", `"confidential"`)...),
	refused("type", native, beside("type", `"confidential"`)...),
	refused("type", service, beside("type", `"public"`)...),
	taken("token_endpoint_auth_method", "", same(`"client_secret_basic"`, `"client_secret_post"`)...),
	taken("token_endpoint_auth_method", "", [2]string{"", `"client_secret_basic"`}),
	taken("token_endpoint_auth_method", spa, [2]string{"", `"none"`}, [2]string{`"none"`, `"none"`}),
	refused("token_endpoint_auth_method", "", beside("token_endpoint_auth_method", `"none"`, `"private_key_jwt"`, `""`)...),
	refused("token_endpoint_auth_method", spa, beside("token_endpoint_auth_method", `"client_secret_basic"`)...),
	taken("features", other, same(`["owner"]`, `["direct_access","access_issuer"]`, `["login_client"]`, `["direct_read_access"]`)...),
	taken("features", other, [2]string{`["owner","direct_access","owner"]`, `["owner","direct_access"]`}),
	refused("features", other, [2]string{`["owner","admin"]`, "features[1]"}, [2]string{`["metadata"]`, "features"}, [2]string{`["login_client","owner"]`, "features"}),
	taken("active", "", same(`false`, `true`)...),
	taken("issue_secret", native, same(`true`, `false`)...),
	refused("issue_secret", "", beside("issue_secret", `true`)...),
	taken("secret", "", same(`"correct-horse-battery-staple"`, `"`+strings.Repeat("aB3$", 64)+`"`)...),
	taken("secret", native+`,"issue_secret":true`, same(`"correct-horse-battery-staple"`)...),
	refused("secret", "", beside("secret", `"`+strings.Repeat("a", 23)+`"`, `"`+strings.Repeat("a", 257)+`"`, `"with spaces in its many words"`, `"ünicode-ünicode-ünicode-ünicode"`)...),
	refused("secret", spa, beside("secret", `"correct-horse-battery-staple"`)...),
)

var addresses = join(
	taken("redirect_uris", "", same(
		`["https://app.example/cb"]`, `["https://app.example/cb?a=1","https://app.example:8443/","http://127.0.0.1:8000/cb","http://[::1]/cb","http://localhost/cb"]`,
		repeat(100, "https://app.example/%d"),
	)...),
	taken("redirect_uris", native, same(`["com.example.app:/cb","http://127.0.0.1/cb"]`)...),
	taken("redirect_uris", "", [2]string{`["https://a.example","https://a.example"]`, `["https://a.example"]`}),
	refused("redirect_uris", "", [2]string{`["https://a.example/","https://a.example/#x"]`, "redirect_uris[1]"}, [2]string{repeat(101, "https://app.example/%d"), "redirect_uris"}),
	refused("redirect_uris", "", beside("redirect_uris[0]",
		`["http://app.example/cb"]`, `["/cb"]`, `[""]`, `["https://"]`, `["https://user@app.example/"]`, `["https://*.example/"]`, `["https://a.example/ b"]`,
		`["https://a.example:99999/"]`, `["com.example.app:/cb"]`, `["javascript:alert(1)"]`, `["https://a.example/\\x"]`, `["https:a.example"]`, `[null]`,
		`["https://a.example/`+strings.Repeat("a", 2048)+`"]`)...),
	refused("redirect_uris", native, beside("redirect_uris[0]", `["javascript:alert(1)"]`, `["data:text/html,x"]`, `["file:///etc/passwd"]`, `["http://app.example/"]`)...),
	taken("post_logout_redirect_uris", "", same(`["https://app.example/bye"]`)...),
	taken("post_logout_redirect_uris", native, same(`["com.example.app:/bye"]`)...),
	refused("post_logout_redirect_uris", "", beside("post_logout_redirect_uris[0]", `["http://app.example/"]`, `["https://app.example/#"]`)...),
	refused("post_logout_redirect_uris", "", beside("post_logout_redirect_uris", repeat(101, "https://app.example/%d"))...),
	taken("allowed_origins", "", same(`["https://app.example","https://app.example:8443","http://localhost:3000"]`)...),
	refused("allowed_origins", "", beside("allowed_origins[0]", `["https://app.example/"]`, `["https://App.example"]`, `["https://app.example:443"]`, `["*"]`, `["null"]`, `["http://app.example"]`, `["app.example"]`)...),
	refused("allowed_origins", "", beside("allowed_origins", repeat(101, "https://app%d.example"))...),
	taken("backchannel_logout_uri", "", same(`"https://app.example/logout?a=1"`, `"http://127.0.0.1:8000/logout"`)...),
	refused("backchannel_logout_uri", "", beside("backchannel_logout_uri", `"http://app.example/logout"`, `"/logout"`, `"https://app.example/#x"`)...),
	refused("backchannel_logout_uri", native, beside("backchannel_logout_uri", `"com.example.app:/logout"`)...),
	taken("backchannel_logout_session_required", "", same(`true`)...),
	taken("allowed_ips", "", same(`["10.1.2.3/8","2001:db8::1/64"]`, `["0.0.0.0/0"]`, `["192.0.2.7/32"]`, repeat(1000, "2001:db8::%x/128"))...),
	taken("allowed_ips", "",
		[2]string{`["192.0.2.7","2001:db8::1"]`, `["192.0.2.7/32","2001:db8::1/128"]`},
		[2]string{`"10.0.0.0/8, 192.0.2.7,"`, `["10.0.0.0/8","192.0.2.7/32"]`}, [2]string{`""`, `[]`}),
	refused("allowed_ips", "", beside("allowed_ips[0]", `["10.0.0.0/33"]`, `["example.com"]`, `[""]`, `["fe80::1%eth0"]`, `["10.0.0.0/8,10.0.0.0/16"]`)...),
	refused("allowed_ips", "", [2]string{`"10.0.0.0/8,x"`, "allowed_ips[1]"}, [2]string{`", "`, "allowed_ips"}, [2]string{repeat(1001, "2001:db8::%x/128"), "allowed_ips"}),
)

var grants = join(
	taken("grant_types", "", [2]string{"", `["authorization_code"]`}, [2]string{`["authorization_code","refresh_token"]`, `["authorization_code","refresh_token"]`}),
	taken("grant_types", "", [2]string{`["authorization_code","authorization_code"]`, `["authorization_code"]`}),
	taken("grant_types", spa, [2]string{"", `["authorization_code"]`}),
	taken("grant_types", native, [2]string{"", `["authorization_code"]`}, [2]string{`["refresh_token","authorization_code"]`, `["refresh_token","authorization_code"]`}),
	taken("grant_types", service, [2]string{"", `["client_credentials"]`}, [2]string{`["client_credentials"]`, `["client_credentials"]`}),
	taken("grant_types", other, [2]string{"", `[]`}, [2]string{`[]`, `[]`}, [2]string{`["client_credentials","authorization_code","refresh_token"]`, `["client_credentials","authorization_code","refresh_token"]`}),
	taken("grant_types", other+`,"features":["login_client"]`, [2]string{"", `["authorization_code","refresh_token"]`}),
	taken("grant_types", other+`,"features":["direct_access"]`, [2]string{"", `["client_credentials"]`}),
	[]Case{
		{Field: "grant_types", JSON: `["authorization_code","password"]`, Want: `["authorization_code","password"]`, OAuth2: true},
		{Field: "grant_types", With: spa, JSON: `["implicit"]`, Want: `["implicit"]`, OAuth2: true},
		{Field: "grant_types", With: other, JSON: `["password"]`, Want: `["password"]`, OAuth2: true},
		{Field: "grant_types", With: public, JSON: `["implicit"]`, Want: `["implicit"]`, OAuth2: true},
		{Field: "grant_types", With: other, JSON: `["implicit"]`, Refused: "grant_types[0]", OAuth2: true},
		{Field: "grant_types", With: public, JSON: `["password"]`, Refused: "grant_types[0]", OAuth2: true},
		{Field: "grant_types", JSON: `["implicit"]`, Refused: "grant_types[0]", OAuth2: true},
		{Field: "grant_types", With: spa, JSON: `["password"]`, Refused: "grant_types[0]", OAuth2: true},
	},
	refused("grant_types", "", beside("grant_types[1]", `["authorization_code","password"]`, `["authorization_code","client_credentials"]`, `["authorization_code","nonsense"]`)...),
	refused("grant_types", spa, beside("grant_types[0]", `["implicit"]`)...),
	refused("grant_types", native, beside("grant_types", `[]`, `["refresh_token"]`)...),
	refused("grant_types", service, beside("grant_types", `[]`)...),
	refused("grant_types", public, beside("grant_types[0]", `["client_credentials"]`)...),
	taken("scopes", service, same(`["read"]`, `["machine","read"]`)...),
	taken("scopes", service, [2]string{`["read","read"]`, `["read"]`}),
	taken("scopes", "", same(`["person","read","openid","profile"]`)...),
	taken("scopes", other, same(`["read"]`)...),
	taken("scopes", other+`,"grant_types":["client_credentials","authorization_code"]`, same(`["machine","person"]`)...),
	refused("scopes", service, beside("scopes[0]", `["nowhere"]`, `["person"]`, `["openid"]`, `["Read"]`, `["a b"]`)...),
	refused("scopes", "", [2]string{`["read","machine"]`, "scopes[1]"}, [2]string{repeat(1001, "s%d"), "scopes"}),
	taken("require_requested_scopes", service+`,"scopes":["read"]`, same(`true`)...),
	[]Case{
		{Field: "require_requested_scopes", JSON: `false`, Want: `false`, Optional: true},
		{Field: "require_requested_scopes", JSON: `true`, Want: `true`, Optional: true},
		{Field: "require_requested_scopes", JSON: `false`, Refused: "require_requested_scopes", ImportTakes: true},
	},
	taken("require_pkce", "", same(`false`, `true`)...),
	taken("require_pkce", spa, same(`true`)...),
	refused("require_pkce", spa, beside("require_pkce", `false`)...),
	refused("require_pkce", native, beside("require_pkce", `false`)...),
)

var tokens = join(
	taken("access_token_lifetime", "", same(`1`, `60`, `3153600000`, `"never"`)...),
	refused("access_token_lifetime", "", beside("access_token_lifetime", `0`, `-1`, `3153600001`, `"60"`, `"Never"`, `60.0`, `6e1`, `true`, `9223372036854775808`)...),
	taken("access_token_format", "", same(`"jwt"`, `"opaque"`)...),
	taken("access_token_format", "", [2]string{"", `"jwt"`}),
	taken("access_token_format", `"access_token_lifetime":"never"`, [2]string{"", `"opaque"`}, [2]string{`"opaque"`, `"opaque"`}),
	refused("access_token_format", "", beside("access_token_format", `"JWT"`, `""`, `"paseto"`)...),
	refused("access_token_format", `"access_token_lifetime":"never"`, beside("access_token_format", `"jwt"`)...),
	taken("refresh_token_lifetime", refresh, same(`1`, `86400`, `3153600000`)...),
	refused("refresh_token_lifetime", refresh, beside("refresh_token_lifetime", `0`, `-1`, `3153600001`, `"never"`, `1.0`)...),
	refused("refresh_token_lifetime", "", beside("refresh_token_lifetime", `86400`)...),
	refused("refresh_token_lifetime", service, beside("refresh_token_lifetime", `86400`)...),
	taken("refresh_family_lifetime", "", same(`1`, `3153600000`, `"unlimited"`)...),
	refused("refresh_family_lifetime", "", beside("refresh_family_lifetime", `0`, `-1`, `3153600001`, `"never"`, `"1"`)...),
	taken("refresh_limit", "", same(`0`, `1`, `2147483647`, `"unlimited"`)...),
	refused("refresh_limit", "", beside("refresh_limit", `-1`, `2147483648`, `"0"`, `0.0`, `"infinite"`)...),
	taken("refresh_rotation", "", same(`false`, `true`)...),
	taken("refresh_rotation", spa, same(`true`)...),
	refused("refresh_rotation", spa, beside("refresh_rotation", `false`)...),
	taken("rate_limit", "", same(`{"per_second":1}`, `{"per_second":10,"burst":20,"per_day":1000}`, `{"per_day":1000000000000}`, `{"burst":5}`)...),
	taken("rate_limit", "", [2]string{`{}`, `null`}, [2]string{`{"per_second":null}`, `null`}),
	refused("rate_limit", "", beside("rate_limit", `5`, `[]`, `"5"`, `{"per_hour":1}`)...),
	refused("rate_limit", "", beside("rate_limit.per_second", `{"per_second":0}`, `{"per_second":"1"}`)...),
	refused("rate_limit", "", beside("rate_limit.per_day", `{"per_day":-1}`)...),
	refused("rate_limit", "", [2]string{`{"burst":0}`, "rate_limit.burst"}, [2]string{`{"per_second":1000001}`, "rate_limit.per_second"}, [2]string{`{"per_day":1000000000001}`, "rate_limit.per_day"}),
)

var texts = join(
	taken("description", "", same(`"What it is,\nin two lines"`, text(2000))...),
	refused("description", "", beside("description", text(2001), `"a\u0000b"`)...),
	taken("tags", "", same(`["billing","two words"]`, repeat(50, "t%d"))...),
	taken("tags", "", [2]string{`[" a ","a"]`, `["a"]`}),
	refused("tags", "", beside("tags[0]", `[""]`, `["a\nb"]`, "["+text(101)+"]")...),
	refused("tags", "", beside("tags", repeat(51, "t%d"))...),
	taken("contacts", "", same(`["team@example.com"]`, repeat(20, "t%d@example.com"))...),
	refused("contacts", "", beside("contacts[0]", `["team"]`, `["Team <team@example.com>"]`, `[""]`)...),
	refused("contacts", "", beside("contacts", repeat(21, "t%d@example.com"))...),
)
