package client_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
)

func members(t testing.TB, body string) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseDocument(t *testing.T) {
	for _, test := range []struct {
		name   string
		global bool
		body   string
		want   string // the members as they come back, or the message of the refusal
	}{
		{"nothing", false, `{}`, `"custom":{}`},
		{"known ones in the order of the options", false, `{"email_site_name":"S","login_attempts": 5}`, `"login_attempts":5,"email_site_name":"S","custom":{}`},
		{"unknown ones go under custom", false, `{"colour":"red","login_attempts":5}`, `"login_attempts":5,"custom":{"colour":"red"}`},
		{"custom comes back by name, values as they were", false, `{"custom":{"b":[1, {"x": null}],"a":1e400}}`, `"custom":{"a":1e400,"b":[1,{"x":null}]}`},
		{"names are case-sensitive", false, `{"Login_attempts":"5"}`, `"custom":{"Login_attempts":"5"}`},
		{"a known name under custom is custom", false, `{"custom":{"login_attempts":"many"}}`, `"custom":{"login_attempts":"many"}`},
		{"the top level wins over custom", false, `{"custom":{"x":1},"x":2}`, `"custom":{"x":2}`},
		{"underscored names are ignored", false, `{"_self":1,"_global":{"login_attempts":3},"_x":null}`, `"custom":{}`},
		{"global ones are ignored on a client", false, `{"vendor_name":7,"invitation_search_allow_empty":"x"}`, `"custom":{}`},
		{"global ones of an application", true, `{"vendor_name":"V","invitation_search_allow_empty":true}`, `"invitation_search_allow_empty":true,"vendor_name":"V","custom":{}`},
		{"an array", false, `{"redirect_uris":[ "https://a.example/cb" , "https://b.example" ]}`, `"redirect_uris":["https://a.example/cb","https://b.example"],"custom":{}`},
		{"markup is not escaped", false, `{"<a>":"<b>&"}`, `"custom":{"<a>":"<b>&"}`},
		{"no string", false, `{"default_flow_name":5}`, "Not a valid string."},
		{"null is no string", false, `{"default_flow_name":null}`, "Not a valid string."},
		{"a string is no integer", false, `{"login_attempts":"5"}`, "Not a valid integer."},
		{"5.0 is no integer", false, `{"login_attempts":5.0}`, "Not a valid integer."},
		{"1e1 is no integer", false, `{"login_attempts":1e1}`, "Not a valid integer."},
		{"true is no integer", false, `{"login_attempts":true}`, "Not a valid integer."},
		{"beyond 64 bits", false, `{"login_attempts":9223372036854775808}`, "Not a valid integer."},
		{"1 is no boolean", true, `{"invitation_search_allow_empty":1}`, "Not a valid boolean."},
		{"null is no boolean", true, `{"invitation_search_allow_empty":null}`, "Not a valid boolean."},
		{"a string is no array", false, `{"redirect_uris":"https://a.example"}`, "Not a valid array."},
		{"an array of numbers", false, `{"redirect_uris":[1]}`, "Not a valid string."},
		{"custom that is no object", false, `{"custom":[]}`, "Not a valid object."},
		{"custom that is null", false, `{"custom":null}`, "Not a valid object."},
		{"the first option that is wrong answers", false, `{"redirect_uris":1,"email_site_name":1,"login_attempts":"x"}`, "Not a valid integer."},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := client.ParseDocument(members(t, test.body), test.global)
			got := string(d.AppendMembers(nil))
			if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
				got = f.Message
			} else if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("%s gave %s, want %s", test.body, got, test.want)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	want := []string{
		"login_attempts", "login_attempts_threshold", "recover_code_lifetime", "default_flow_name", "default_flow_version",
		"password_recover_url", "verify_email_url", "email_sponsor_name", "email_site_name", "redirect_uris", "vendor_name",
	}
	var names []string
	for _, o := range client.Options() {
		if slices.Contains(names, o.Name) || o.Name == "custom" || strings.HasPrefix(o.Name, "_") {
			t.Errorf("%s cannot be the name of an option, or is there twice", o.Name)
		}
		names = append(names, o.Name)
		if o.Values == nil || o.Group == "" {
			t.Errorf("%s lacks its group or its values", o.Name)
		}
		if o.Name == "vendor_name" && !o.GlobalOnly {
			t.Error("vendor_name is of applications only")
		}
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not known", name)
		}
	}
}

// What comes back can be sent again and is the same.
func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"login_attempts":5,"custom":{"a":[1,2,{"b":"\u0000"}]},"x":null}`, `{"redirect_uris":["a"],"_self":1}`,
		`{"vendor_name":"V","invitation_search_allow_empty":false}`, `{"custom":{"custom":{}}}`, `{"\ud800":1,"\u003c":2}`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, body string, global bool) {
		var sent map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &sent) != nil {
			t.Skip()
		}
		d, err := client.ParseDocument(sent, global)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		first := "{" + string(d.AppendMembers(nil)) + "}"
		again, err := client.ParseDocument(members(t, first), global)
		if err != nil {
			t.Fatalf("%s came back as %s, which is refused: %v", body, first, err)
		}
		if second := "{" + string(again.AppendMembers(nil)) + "}"; second != first {
			t.Errorf("%s came back as %s, and that as %s", body, first, second)
		}
	})
}
