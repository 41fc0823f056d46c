package transfer_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/core/key"
	"github.com/ostiary/ostiary/internal/transfer"
)

const (
	weak   = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	strong = "ost_cs_k3jh5g2f9d8s7a6p4q2w3e5r6t7y8u9i"
)

func TestRowsAreRefusedAlone(t *testing.T) {
	r := newRig(t, application.Settings{})
	summary, rows := r.take(
		transfer.Options{},
		"\uFEFF"+`{"id":"one","name":"One","kind":"service","created_at":"2019-05-06T07:08:09Z"}`,
		`{"id":"two","name":"Two","kind":"web","redirect_uris":["https://ok.example/","http://bad.example/"],"scopes":["nowhere"]}`,
		``,
		`not json`,
		`{"id":"one","name":"Other","kind":"service"}`,
		`{"name":"ONE","kind":"service"}`,
		`{"id":"three","name":"Three","kind":"service","require_requested_scopes":false}`,
		`{"name":"Four","kind":"spa","secret_hash":"`+key.HashPassword(weak)+`"}`,
		`{"name":"Five","kind":"service","secret_hash":"plain","created_at":"yesterday"}`,
		`{"name":"Six","kind":"service","created_at":"2030-01-01T00:00:00Z"}`,
		`{"name":"Seven","kind":"service","secret":"`+weak+`","secret_hash":"`+key.HashPassword(weak)+`"}`,
		"{\"name\":\"B\xfcro\",\"kind\":\"service\"}",
	)
	if want := (transfer.Summary{Lines: 11, Created: 2, Refused: 9}); summary != want {
		t.Errorf("summary %+v, want %+v", summary, want)
	}
	got := map[int]string{}
	for _, row := range rows {
		fields := []string{row.Outcome, row.ID}
		for _, reason := range row.Reasons {
			fields = append(fields, reason.Field)
		}
		got[row.Line] = strings.Join(fields, " ")
	}
	want := map[int]string{
		1: "created one", 2: "refused two redirect_uris[1] scopes[0]", 4: "refused  ", 5: "refused one id", 6: "refused  name",
		7: "created three", 8: "refused  secret_hash", 9: "refused  created_at secret_hash", 10: "refused  created_at", 11: "refused  secret_hash",
		12: "refused  ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	c, err := r.registry.Get(t.Context(), "app", "one")
	if err != nil || c.CreatedAt.Year() != 2019 || len(c.Secrets) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if three, err := r.registry.Get(t.Context(), "app", "three"); err != nil || !three.Settings.Scopes.AllowUnscoped {
		t.Errorf("require_requested_scopes was not kept: %v", err)
	}
	if events := r.events(); !slices.Equal(events[len(events)-2:], []string{"client.create", "client.create"}) {
		t.Errorf("events %v", events)
	}
}

func TestAnImportCanBeBegunAgain(t *testing.T) {
	r := newRig(t, application.Settings{})
	hash := key.HashPassword("an imported secret of much entropy: 9f3jk2l5")
	lines := []string{
		`{"id":"a","name":"A","kind":"service","secret":"` + strong + `"}`,
		`{"id":"b","name":"B","kind":"service","secret":"` + weak + `"}`,
		`{"id":"c","name":"C","kind":"service","secret_hash":"` + hash + `"}`,
		`{"name":"D","version":"2","kind":"spa","redirect_uris":["https://d.example/"]}`,
	}
	if s, rows := r.take(transfer.Options{}, lines...); s.Created != 4 {
		t.Fatalf("%+v", rows)
	}
	before := len(r.events())
	if s, rows := r.take(transfer.Options{}, lines...); s.Unchanged != 4 {
		t.Fatalf("%+v", rows)
	}
	if n := len(r.events()); n != before {
		t.Errorf("%d events were written about nothing", n-before)
	}
	// The hash is remade at the first use: then it cannot be compared any more.
	if _, err := r.registry.Authenticate(t.Context(), "app", "c", "an imported secret of much entropy: 9f3jk2l5"); err != nil {
		t.Fatal(err)
	}
	c, err := r.registry.Get(t.Context(), "app", "c")
	if err != nil || c.Secrets[0].DigestKey == 0 || c.Secrets[0].Hint != "k2l5" {
		t.Errorf("not remade: %+v, %v", c.Secrets, err)
	}
	if _, err := r.registry.Authenticate(t.Context(), "app", "c", "an imported secret of much entropy: 9f3jk2l5"); err != nil {
		t.Error(err)
	}
	if s, rows := r.take(transfer.Options{}, lines...); s.Unchanged != 4 {
		t.Errorf("%+v", rows)
	}
	for _, other := range []string{
		`{"id":"a","name":"A","kind":"service","secret":"` + strong + `x"}`,
		`{"id":"a","name":"A","kind":"service","secret":"` + strong + `","tags":["new"]}`,
		`{"id":"a","name":"A2","kind":"service"}`,
	} {
		if s, rows := r.take(transfer.Options{}, other); s.Refused != 1 {
			t.Errorf("%s: %+v", other, rows)
		}
	}
}

func TestDryRunStoresNothing(t *testing.T) {
	r := newRig(t, application.Settings{})
	before := r.events()
	options := transfer.Options{CreateScopes: true}
	options.DryRun = true
	lines := []string{
		`{"id":"a","name":"A","kind":"service","scopes":["novel","read"]}`,
		`{"id":"a","name":"B","kind":"service"}`,
		`{"id":"c","name":"C","kind":"service","scopes":["not good"]}`,
	}
	summary, rows := r.take(options, lines...)
	if want := (transfer.Summary{Lines: 3, Created: 1, Refused: 2, ScopesMade: 1, DryRun: true}); summary != want {
		t.Errorf("%+v, want %+v: %+v", summary, want, rows)
	}
	if r.give(client.ExportOptions{}) != "" || !slices.Equal(r.events(), before) {
		t.Error("something was stored")
	}
	options.DryRun = false
	if summary, rows = r.take(options, lines...); summary.Created != 1 || summary.ScopesMade != 1 {
		t.Errorf("%+v: %+v", summary, rows)
	}
	if _, err := r.to.Scopes.Get(t.Context(), "app", "novel"); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreMadeWhereAsked(t *testing.T) {
	r := newRig(t, application.Settings{})
	options := transfer.Options{}
	options.MakeSecrets = true
	_, rows := r.take(
		options,
		`{"id":"a","name":"A","kind":"service"}`,
		`{"id":"b","name":"B","kind":"service","secret":"`+strong+`"}`,
		`{"id":"c","name":"C","kind":"spa"}`,
	)
	if rows[0].Secret == "" || rows[1].Secret != "" || rows[2].Secret != "" {
		t.Fatalf("%+v", rows)
	}
	for id, secret := range map[string]string{"a": rows[0].Secret, "b": strong} {
		if _, err := r.registry.Authenticate(t.Context(), "app", id, secret); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestEachField imports each case of the table of fields.
func TestEachField(t *testing.T) {
	rigs := map[application.Settings]*rig{}
	for n, c := range clienttest.Cases() {
		settings := c.Settings()
		if rigs[settings] == nil {
			rigs[settings] = newRig(t, settings)
		}
		r := rigs[settings]
		t.Run(c.Name(), func(t *testing.T) {
			_, rows := r.take(transfer.Options{}, string(c.Document(fmt.Sprintf("case %d", n))))
			if c.Refused != "" && !c.ImportTakes {
				for _, reason := range rows[0].Reasons {
					if reason.Field == c.Refused {
						return
					}
				}
				t.Fatalf("want a refusal of %s: %+v", c.Refused, rows)
			}
			if rows[0].Outcome != transfer.Created {
				t.Fatalf("%+v", rows)
			}
			made, err := r.db.Clients().Get(t.Context(), "app", rows[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			view, err := json.Marshal(made.View(r.to.Application, "https://id.example/app", client.Usage{})) //nolint:gosec // a view has none (G117)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]json.RawMessage
			if err := json.Unmarshal(view, &got); err != nil {
				t.Fatal(err)
			}
			want := c.Want
			if c.ImportTakes {
				want = c.JSON
			}
			if c.Field != "secret" && !same(t, want, got[c.Field]) {
				t.Errorf("%s is %s, want %s", c.Field, got[c.Field], want)
			}
		})
	}
}

func same(t *testing.T, want string, got json.RawMessage) bool {
	t.Helper()
	var a, b any
	if want != "" && json.Unmarshal([]byte(want), &a) != nil || len(got) > 0 && json.Unmarshal(got, &b) != nil {
		t.Fatalf("%s and %s are not both JSON", want, got)
	}
	return cmp.Equal(a, b)
}
