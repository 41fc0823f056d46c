package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/servertest"
)

// Every case of every field that the form of a kind has: taken and kept, or
// refused beside its field, with all that was typed still there.
func TestFieldCases(t *testing.T) {
	for _, settings := range [][]string{nil, {"security_profile=oauth2"}, {"scope_policy=optional"}} {
		t.Run(strings.Join(settings, " "), func(t *testing.T) {
			r := start(t, servertest.Options{Settings: settings})
			for name, kind := range clienttest.Scopes {
				r.api("POST", "/scopes", fmt.Sprintf(`{"name":%q,"kind":%q}`, name, kind))
			}
			forms, tried := map[string]string{}, 0
			for i, c := range clienttest.Cases() {
				if c.OAuth2 != slices.Contains(settings, "security_profile=oauth2") || c.Optional != slices.Contains(settings, "scope_policy=optional") {
					continue
				}
				fields := map[string]any{}
				decoder := json.NewDecoder(bytes.NewReader(c.Document(fmt.Sprintf("Case %d", i))))
				decoder.UseNumber()
				if err := decoder.Decode(&fields); err != nil {
					t.Fatal(err)
				}
				kind, _ := fields["kind"].(string)
				if forms[kind] == "" && slices.Contains([]string{"web", "spa", "native", "service", "other"}, kind) {
					forms[kind] = r.get(r.at("/new-client?kind=" + kind)).body
				}
				if form, ok := typed(forms[kind], fields); ok {
					r.fieldCase(c, form)
					tried++
				}
			}
			t.Logf("%d cases", tried)
			if least := map[bool]int{true: 200, false: 2}[settings == nil]; tried < least {
				t.Errorf("only %d cases were tried", tried)
			}
		})
	}
}

func (r *rig) fieldCase(c clienttest.Case, form url.Values) {
	r.t.Helper()
	a := r.do(http.MethodPost, r.at("/new-client"), form)
	if c.Refused != "" {
		field, _, _ := strings.Cut(c.Refused, "[")
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, `id="problem-`+field+`"`) {
			r.t.Errorf("%s: %d, and nothing beside %s", c.Name(), a.status, field)
			return
		}
		if got := inputs(a.body); !cmp.Equal(ticked(got), ticked(form)) {
			r.t.Errorf("%s: what was typed is lost: %s", c.Name(), cmp.Diff(form, got))
		}
		return
	}
	if a.status != http.StatusCreated {
		r.t.Errorf("%s: %d %v", c.Name(), a.status, problems(a.body))
		return
	}
	made := r.api("GET", "/clients/"+r.madeID(a), "")
	var want any
	if err := json.Unmarshal([]byte(c.Want), &want); err != nil {
		r.t.Fatal(err)
	}
	if diff := cmp.Diff(inOrder(want), inOrder(made[c.Field])); diff != "" && c.Field != "secret" {
		r.t.Errorf("%s: %s", c.Name(), diff)
	}
	if c.Field == "secret" && !strings.Contains(a.body, html.EscapeString(want.(string))) {
		r.t.Errorf("%s: the secret is not shown", c.Name())
	}
}

// inOrder gives a list of boxes in the order of its words: ticks have none.
func inOrder(value any) any {
	if list, ok := value.([]any); ok {
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
	return value
}

// ticked is a form with its boxes in one order.
func ticked(form url.Values) url.Values {
	for _, values := range form {
		slices.Sort(values)
	}
	return form
}

// typed fills the fields of a document into a form, as somebody would who types;
// false: the form has no such input, or nobody can type that into it.
func typed(page string, fields map[string]any) (url.Values, bool) {
	form := inputs(page)
	for name, value := range fields {
		if _, ok := form[name]; !ok && !strings.Contains(page, `name="`+name+`"`) && !strings.Contains(page, `name="`+name+`.`) {
			return nil, false
		}
		switch value := value.(type) {
		case nil:
			if name == "name" {
				form.Set(name, "")
			}
		case bool:
			if !strings.Contains(page, `type="checkbox" id="field-`+name+`"`) {
				return nil, false
			}
			form.Del(name)
			if value {
				form.Set(name, "true")
			}
		case json.Number:
			switch name {
			case "refresh_token_lifetime":
				form.Set(name+".unit", "seconds")
				form.Set(name, value.String())
			case "access_token_lifetime", "refresh_family_lifetime", "refresh_limit":
				form.Set(name, "number")
				form.Set(name+".number", value.String())
			default:
				return nil, false
			}
		case string:
			radios, list := strings.Contains(page, `type="radio" name="`+name+`"`), strings.Contains(page, `<select id="field-`+name)
			if radios && !strings.Contains(page, `name="`+name+`" value="`+value+`"`) || list && !strings.Contains(page, `<option value="`+value+`"`) {
				return nil, false
			}
			if value == "" && name != "name" || name == "rate_limit" || strings.Contains(value, "\x00") {
				return nil, false // that is to say nothing, or more than there are inputs for
			}
			if name == "refresh_token_lifetime" || strings.Contains(value, "\n") && !strings.Contains(page, `<textarea id="field-`+name) {
				return nil, false
			}
			form.Set(name, value)
		case []any:
			if !typedList(page, form, name, value) {
				return nil, false
			}
		case map[string]any:
			if name != "rate_limit" {
				return nil, false
			}
			for member, n := range value {
				if _, ok := form[name+"."+member]; !ok {
					return nil, false
				}
				if digits, ok := n.(json.Number); ok {
					form.Set(name+"."+member, digits.String())
				} else if n != nil {
					return nil, false
				}
			}
		}
	}
	return form, true
}

// typedList fills in a list: boxes that there are, or lines.
func typedList(page string, form url.Values, name string, list []any) bool {
	boxes := strings.Contains(page, `type="checkbox" name="`+name+`"`)
	if !boxes && !strings.Contains(page, `<textarea id="field-`+name) {
		return false
	}
	if boxes {
		form.Del(name)
		form.Set(name+".from", "chosen")
		if _, derives := inputs(page)[name+".from"]; !derives {
			form.Del(name + ".from")
		}
	}
	var lines []string
	for _, entry := range list {
		text, ok := entry.(string)
		if !ok || strings.TrimSpace(text) == "" || strings.ContainsAny(text, "\n\x00") {
			return false
		}
		if boxes {
			if !strings.Contains(page, `name="`+name+`" value="`+text+`"`) || slices.Contains(form[name], text) {
				return false
			}
			form.Add(name, text)
		}
		if name == "allowed_ips" && strings.Contains(text, ",") {
			return false
		}
		lines = append(lines, text)
	}
	if !boxes {
		form.Set(name, strings.Join(lines, "\n"))
	}
	return true
}

var (
	tags      = regexp.MustCompile(`(?s)<input\b([^>]*)>|<textarea\b([^>]*)>\n?([^<]*)</textarea>|<select\b([^>]*)>(.*?)</select>`)
	attribute = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
	chosen    = regexp.MustCompile(`<option value="([^"]*)" selected`)
	problem   = regexp.MustCompile(`<p class="problem">([^<]*)</p>`)
)

// inputs gives what a browser would send of the page's form.
func inputs(page string) url.Values {
	form := url.Values{}
	if _, below, ok := strings.Cut(page, `<form class="sections"`); ok {
		page = below
	}
	for _, tag := range tags.FindAllStringSubmatch(page, -1) {
		of := map[string]string{}
		for _, a := range attribute.FindAllStringSubmatch(tag[1]+tag[2]+tag[4], -1) {
			of[a[1]] = html.UnescapeString(a[2])
		}
		_, disabled := of["disabled"]
		_, checked := of["checked"]
		tick := of["type"] == "checkbox" || of["type"] == "radio"
		if of["name"] == "" || disabled || tick && !checked {
			continue
		}
		value := of["value"]
		if tag[2] != "" {
			value = html.UnescapeString(tag[3])
		}
		if found := chosen.FindStringSubmatch(tag[5]); found != nil {
			value = html.UnescapeString(found[1])
		}
		form.Add(of["name"], value)
	}
	return form
}

func problems(page string) (list []string) {
	for _, p := range problem.FindAllStringSubmatch(page, -1) {
		list = append(list, html.UnescapeString(p[1]))
	}
	return list
}

// madeID gives the id of the client that a page says was made.
func (r *rig) madeID(a *answer) string {
	r.t.Helper()
	found := regexp.MustCompile(`href="` + r.at("/clients/") + `([^"/?]+)">To the client`).FindStringSubmatch(a.body)
	if found == nil {
		r.t.Fatalf("no client was made: %d %v", a.status, problems(a.body))
	}
	return found[1]
}

// api asks the management API.
func (r *rig) api(method, path, document string) map[string]any {
	r.t.Helper()
	a := r.Do(method, "/api/v1/applications/"+r.ApplicationID+path, r.OwnerID, r.OwnerSecret, "application/json", document)
	var got map[string]any
	if err := json.NewDecoder(a.Body).Decode(&got); err != nil || a.StatusCode >= http.StatusBadRequest {
		r.t.Fatalf("%s %s: %d %v %v", method, path, a.StatusCode, got, err)
	}
	return got
}
