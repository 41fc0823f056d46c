package transfer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/transfer"
)

func source(t testing.TB, name string) transfer.Source {
	t.Helper()
	i := slices.IndexFunc(transfer.Sources(), func(s transfer.Source) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no source %s", name)
	}
	return transfer.Sources()[i]
}

// entry is an Entry as the files of testdata have it.
type entry struct {
	Record  *client.Record     `json:"record,omitempty"`
	Refused []transfer.Refusal `json:"refused,omitempty"`
	Notes   []string           `json:"notes,omitempty"` // their fields
}

func convert(t testing.TB, name, text string) (entries []entry) {
	t.Helper()
	err := source(t, name).Convert(strings.NewReader(text), func(e *transfer.Entry) error {
		got := entry{Refused: e.Refused}
		if len(e.Refused) == 0 {
			got.Record = &e.Record
		}
		for _, n := range e.Notes {
			got.Notes = append(got.Notes, n.Field)
		}
		entries = append(entries, got)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestOtherProducts converts testdata/PRODUCT.json, wants PRODUCT.golden, and
// imports what comes of it.
func TestOtherProducts(t *testing.T) {
	for _, s := range transfer.Sources() {
		t.Run(s.Name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", s.Name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			entries := convert(t, s.Name, string(text))
			var got strings.Builder
			var lines []string
			for _, e := range entries {
				encoded, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				got.Write(append(encoded, '\n'))
				if e.Record != nil {
					line, err := json.Marshal(e.Record)
					if err != nil {
						t.Fatal(err)
					}
					lines = append(lines, string(line))
				}
			}
			golden := filepath.Join("testdata", s.Name+".golden")
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, got.String())
			}
			r := newRig(t, application.Settings{SecurityProfile: application.OAuth2})
			if summary, rows := r.take(transfer.Options{CreateScopes: true}, lines...); summary.Created != len(lines) {
				t.Errorf("%+v", rows)
			}
		})
	}
}

// TestSecretsOfOtherProductsGoOnWorking authenticates with what the clients of
// testdata had.
func TestSecretsOfOtherProductsGoOnWorking(t *testing.T) {
	for name, secrets := range map[string]map[string]string{
		"hydra":    {"machine": "some-secret-of-a-machine", "web": "some-secret-of-the-web-app"},
		"keycloak": {"orders": "Zk3vT8qLmN5wXr2pYb7cHd9sJf4gKa6e"},
		"akamai":   {"3bchk5hsx6v58dkn288nbybmxfyk32u7": "55324vxdz3n35hjui77hh2qpoe6dbgs"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, application.Settings{SecurityProfile: application.OAuth2})
			var lines []string
			for _, e := range convert(t, name, string(text)) {
				if e.Record != nil {
					line, _ := json.Marshal(e.Record)
					lines = append(lines, string(line))
				}
			}
			r.take(transfer.Options{CreateScopes: true}, lines...)
			for id, secret := range secrets {
				for range 2 { // the first time remakes a hash
					if _, err := r.registry.Authenticate(t.Context(), "app", id, secret); err != nil {
						t.Errorf("%s: %v", id, err)
					}
				}
				if _, err := r.registry.Authenticate(t.Context(), "app", id, secret+"x"); err == nil {
					t.Errorf("%s: a wrong secret is taken", id)
				}
			}
		})
	}
}

func TestFormsOfAFile(t *testing.T) {
	for text, want := range map[string]int{
		``:                                      0,
		`[]`:                                    0,
		`[{"client_id":"a"},{"client_id":"b"}]`: 2,
		`{"items":[{"client_id":"a"}],"next_page_token":"x"}`: 1,
		`{"client_id":"a"}`: 1,
		"{\"client_id\":\"a\"}\n{\"client_id\":\"b\"}\n{\"client_id\":\"c\"}": 3,
		`{"users":[{"a":[{}]}],"items":[{"client_id":"a"}]}`:                  1,
		"\uFEFF[{\"client_id\":\"a\"}]":                                       1,
	} {
		if got := len(convert(t, "hydra", text)); got != want {
			t.Errorf("%s: %d clients, want %d", text, got, want)
		}
	}
	if e := convert(t, "hydra", "[{\"client_id\":\"a\",\"client_name\":\"B\xfcro\"}]"); len(e) != 1 || len(e[0].Refused) == 0 {
		t.Errorf("what is not UTF-8 is taken: %+v", e)
	}
	for _, text := range []string{`"a"`, `[`, `[{]`, `{"items":[{}`, `nonsense`, `5`} {
		err := source(t, "hydra").Convert(strings.NewReader(text), func(*transfer.Entry) error { return nil })
		if err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// FuzzConvert wants every entry to have a record, whose form an import takes, or
// a reason.
func FuzzConvert(f *testing.F) {
	for i, s := range transfer.Sources() {
		text, err := os.ReadFile(filepath.Join("testdata", s.Name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), string(text))
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		s := transfer.Sources()[int(which)%len(transfer.Sources())]
		_ = s.Convert(strings.NewReader(text), func(e *transfer.Entry) error {
			if len(e.Refused) > 0 {
				return nil
			}
			line, err := json.Marshal(e.Record)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.ParseRecord(line); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			return nil
		})
	})
}

// FuzzParseRecord wants what was read to be read again just so.
func FuzzParseRecord(f *testing.F) {
	f.Add(`{"id":"a","name":"A","kind":"service","secret_hash":"$2b$10$` + strings.Repeat("a", 53) + `","created_at":"2019-05-06T07:08:09Z"}`)
	for _, line := range documents(false) {
		if len(line) < 1000 {
			f.Add(line)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := client.ParseRecord([]byte(text))
		if err != nil {
			return
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := client.ParseRecord(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if second, _ := json.Marshal(again); string(second) != string(line) {
			t.Errorf("%s became %s", line, second)
		}
	})
}
