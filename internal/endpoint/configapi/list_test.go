package configapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// names gives the names of a list's clients.
func names(t testing.TB, a answer) []string {
	t.Helper()
	var list []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal([]byte(a.text), &list); err != nil || a.status != 200 || list == nil {
		t.Fatalf("%d %s: %v", a.status, a.text, err)
	}
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name
	}
	return out
}

func TestListIsInOrderOfCreation(t *testing.T) {
	r := newRig(t)
	want := []string{"First owner"}
	for i := range 250 { // several pages
		name := fmt.Sprintf("Client %d", 1000-i)
		r.create(`{"name":"` + name + `"}`)
		want = append(want, name)
	}
	if got := names(t, r.ask("GET", r.path("/clients"), "")); !slices.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
}

func TestListElementsAreClientObjects(t *testing.T) {
	r := newRig(t)
	made := r.create(`{"name":"A & B","features":["login_client"]}`)
	want := "[" + r.shape(r.owner.id, `"First owner"`, `["0.0.0.0/0"]`, "null", `["owner"]`) + "," +
		r.shape(made.id, `"A & B"`, `["0.0.0.0/0"]`, "null", `["login_client"]`) + "]"
	if a := r.ask("GET", r.path("/clients"), ""); a.text != want {
		t.Errorf("listed %s\nwant   %s", a.text, want)
	}
}

func TestHasFeature(t *testing.T) {
	r := newRig(t)
	r.create(`{"name":"none"}`)
	r.create(`{"name":"reader","features":["direct_read_access"]}`)
	r.create(`{"name":"both","features":["direct_access","direct_read_access"]}`)
	for query, want := range map[string][]string{
		"":                               {"First owner", "none", "reader", "both"},
		"has_feature=owner":              {"First owner"},
		"has_feature=direct_read_access": {"reader", "both"},
		"has_feature=direct_read_access&has_feature=direct_access": {"both"},
		"has_feature=direct_access&has_feature=direct_access":      {"both"},
		"has_feature=owner&has_feature=direct_access":              {},
		"has_feature=%zz": {},
		"has_feature=owner;has_feature=direct_access": {},
		"has_feature=login_client":                    {},
		"has_feature=metadata":                        {},
		"has_feature=unknown":                         {},
		"has_feature=owner&has_feature=unknown":       {},
		"has_feature=":                                {},
		"has_feature=owner,direct_access":             {},
		"feature=owner":                               {"First owner", "none", "reader", "both"},
	} {
		a := r.ask("GET", r.path("/clients?"+query), "")
		if got := names(t, a); !slices.Equal(got, want) {
			t.Errorf("?%s listed %v, want %v", query, got, want)
		}
		if len(want) == 0 && a.text != "[]" {
			t.Errorf("?%s: an empty list is %q", query, a.text)
		}
	}
}

// A list that cannot be read to its end is not taken for a whole one: the
// connection breaks off.
func TestAListBreaksOff(t *testing.T) {
	r := newRig(t)
	for i := range 150 {
		r.create(fmt.Sprintf(`{"name":"Client %d"}`, i))
	}
	w := &failing{ResponseRecorder: httptest.NewRecorder(), after: 10}
	defer func() {
		if v := recover(); v != http.ErrAbortHandler { //nolint:errorlint // the very value
			t.Errorf("recovered %v", v)
		}
	}()
	r.handler.ServeHTTP(w, r.request("GET", r.path("/clients"), "", r.owner))
	t.Error("it ended as if it were whole")
}

// failing is a connection that goes away after some writes.
type failing struct {
	*httptest.ResponseRecorder
	after int
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, http.ErrHandlerTimeout
	}
	return f.ResponseRecorder.Write(p)
}

// 64 parallel creations of one name: one is made, all others are told.
func TestParallelCreationsOfOneName(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.handler)
	defer server.Close()
	const parallel = 64
	var wait sync.WaitGroup
	statuses := make([]int, parallel)
	for i := range parallel {
		wait.Go(func() {
			name := "Wanted"
			if i%2 == 1 {
				name = "WANTED"
			}
			request, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+r.path("/clients"), strings.NewReader(`{"name":"`+name+`"}`))
			if err != nil {
				t.Error(err)
				return
			}
			request.SetBasicAuth(r.owner.id, r.owner.secret)
			answer, err := server.Client().Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			statuses[i] = answer.StatusCode
			_ = answer.Body.Close()
		})
	}
	wait.Wait()
	slices.Sort(statuses)
	if statuses[0] != 201 || statuses[1] != 409 || statuses[parallel-1] != 409 {
		t.Errorf("answered %v", statuses)
	}
	if got := names(t, r.ask("GET", r.path("/clients"), "")); len(got) != 2 {
		t.Errorf("there are %v", got)
	}
}
