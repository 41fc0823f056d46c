package client_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/core/ident"
)

// Each case of each field, at creation: accepted and answered, or refused beside
// the field.
func TestFieldCases(t *testing.T) {
	r := newRig(t)
	for _, c := range clienttest.Cases() {
		t.Run(c.Name(), func(t *testing.T) {
			r.app.Settings = c.Settings()
			got, refused := r.try(t, c, client.CreateOptions{})
			if c.Refused != "" {
				if !slices.Contains(refused, c.Refused) {
					t.Fatalf("refused %q, answered %s; want a refusal beside %s", refused, got, c.Refused)
				}
				for _, name := range refused {
					if name != c.Refused && !strings.HasPrefix(name, c.Field) {
						t.Errorf("%s is refused too", name)
					}
				}
				return
			}
			if refused != nil || got != compact(t, c.Want) {
				t.Errorf("answered %.200s, refused %q; want %.200s", got, refused, c.Want)
			}
		})
	}
}

// What an import takes beyond that.
func TestImportCases(t *testing.T) {
	r := newRig(t)
	for _, c := range clienttest.Cases() {
		if !c.ImportTakes {
			continue
		}
		r.app.Settings = c.Settings()
		if got, refused := r.try(t, c, client.CreateOptions{Import: true}); refused != nil || got != c.JSON {
			t.Errorf("%s: answered %s, refused %q", c.Name(), got, refused)
		}
	}
}

// try makes the client of a case and gives the field as answered, or what is
// refused.
func (r *rig) try(t *testing.T, c clienttest.Case, options client.CreateOptions) (got string, refused []string) {
	t.Helper()
	f, err := client.ParseFields(c.Document(ident.Request()))
	if err != nil {
		return "", problems(t, err)
	}
	made, secret, err := r.ops.CreateFrom(t.Context(), r.source, r.app, f, options)
	if err != nil {
		return "", problems(t, err)
	}
	t.Cleanup(func() { // ids and names are in use once
		if !made.Settings.Features.Has(client.Owner) {
			_ = r.ops.Delete(t.Context(), r.source, r.app.ID, made.ID)
		}
	})
	view := r.shown(made.ID)
	view.Secret = secret
	return member(t, view, c.Field), nil
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if s, ok := v.(string); ok {
		return string(encode(t, s))
	}
	return text
}

// Every field that is written has cases of each sort, so that none is forgotten.
func TestEveryFieldHasCases(t *testing.T) {
	type sorts struct{ accepted, refused, defaulted bool }
	seen := map[string]sorts{}
	for _, c := range clienttest.Cases() {
		s := seen[c.Field]
		s.refused = s.refused || c.Refused != ""
		s.accepted = s.accepted || c.Refused == "" && c.JSON != "" && c.JSON != "null"
		s.defaulted = s.defaulted || c.JSON == ""
		seen[c.Field] = s
	}
	for _, f := range client.FieldTable() {
		s := seen[f.Name]
		byItself := f.Name == "id" || f.Name == "secret" // made at random where they are not given
		if f.ReadOnly == (s.accepted || s.refused) || !f.ReadOnly && (!s.accepted || !s.refused || !s.defaulted && !byItself) {
			t.Errorf("%s: %+v", f.Name, s)
		}
	}
}

// The table, what is written and what is answered have the same members.
func TestTableIsWhatIsWrittenAndAnswered(t *testing.T) {
	var written, answered []string
	for _, f := range client.FieldTable() {
		if !f.ReadOnly {
			written = append(written, f.Name)
		}
		answered = append(answered, f.Name)
		if f.Doc == "" || !f.ReadOnly && f.Type == "" || !f.ReadOnly && !f.Required && f.Default == "" && f.Derived == "" {
			t.Errorf("%s lacks a text, a type or a default: %+v", f.Name, f)
		}
	}
	whole := `{"id":"x","name":"x","version":"","description":"","kind":"web","type":"confidential","token_endpoint_auth_method":"none",
		"redirect_uris":[],"post_logout_redirect_uris":[],"allowed_origins":[],"backchannel_logout_uri":"","backchannel_logout_session_required":true,
		"grant_types":[],"scopes":[],"require_requested_scopes":true,"require_pkce":true,"allowed_ips":[],"features":[],"access_token_lifetime":1,
		"access_token_format":"jwt","refresh_token_lifetime":1,"refresh_family_lifetime":1,"refresh_limit":1,"refresh_rotation":true,"active":true,
		"rate_limit":{},"tags":[],"contacts":[],"secret":"","issue_secret":true}`
	f, err := client.ParseFields([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	sameMembers(t, encode(t, f), written)
	c := client.Client{Kind: client.Web}
	view := c.View(newRig(t).app, issuer, client.Usage{})
	view.Secret = "shown once"
	sameMembers(t, encode(t, view), answered)
}

func sameMembers(t *testing.T, document []byte, want []string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range members {
		got = append(got, name)
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-table +members:\n%s", diff)
	}
}

func TestParseFieldsRefusesAllAtOnce(t *testing.T) {
	_, err := client.ParseFields([]byte(`{"name":5,"Kind":"web","kind":"web","redirect_uris":["a",1,null],"active":"yes","nonsense":{"x":1},"owned_by":"somebody","tags":null}`))
	want := []string{"name", "redirect_uris[1]", "redirect_uris[2]", "active", "Kind", "nonsense"}
	if diff := cmp.Diff(want, problems(t, err)); diff != "" {
		t.Error(diff)
	}
	for _, document := range []string{``, `null`, `[]`, `"x"`, `{`, `{}x`} {
		if _, err := client.ParseFields([]byte(document)); err == nil {
			t.Errorf("%q is taken", document)
		}
	}
	_, err = client.ParseFields([]byte(`{"` + strings.Repeat("é", 1000) + `":1}`))
	if names := problems(t, err); len([]rune(names[0])) != 65 {
		t.Errorf("a long name is answered whole: %d", len(names[0]))
	}
}

// FuzzFields: what is read can be written and read again, and is the same.
func FuzzFields(f *testing.F) {
	for _, c := range clienttest.Cases() {
		if len(c.JSON) < 200 {
			f.Add(c.Document("x"))
		}
	}
	f.Add([]byte(`{"name":"\ud800","rate_limit":{"per_second":1,"per_second":2},"allowed_ips":",,","access_token_lifetime":-0}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		fields, err := client.ParseFields(document)
		if err != nil {
			return
		}
		again, err := client.ParseFields(encode(t, fields))
		if err != nil {
			t.Fatalf("%s came back as %s, which is refused: %v", document, encode(t, fields), err)
		}
		if diff := cmp.Diff(fields, again); diff != "" {
			t.Errorf("%s: %s", document, diff)
		}
	})
}
