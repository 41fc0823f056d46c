package transfer_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/client/clienttest"
	"github.com/ostiary/ostiary/internal/transfer"
)

// documents are those of the table of fields that are taken: each is a client
// with something that is not the default.
func documents(optional bool) (lines []string) {
	for n, c := range clienttest.Cases() {
		if c.Refused == "" && !c.OAuth2 && c.Optional == optional && c.Field != "id" && c.Field != "name" {
			lines = append(lines, string(c.Document(fmt.Sprintf("client %d", n))))
		}
	}
	return lines
}

// TestExportImportExport wants an export, imported into an empty application, to
// be exported again just so, and to be nothing new where it is from.
func TestExportImportExport(t *testing.T) {
	all := documents(false)
	r := newRig(t, application.Settings{SecretPolicy: application.Revealable})
	applications := 0
	rapid.Check(t, func(rt *rapid.T) {
		applications++
		from, to := r.in(fmt.Sprintf("from-%d", applications)), r.in(fmt.Sprintf("to-%d", applications))
		lines := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 20, rapid.ID).Draw(rt, "clients")
		options := transfer.Options{}
		options.MakeSecrets = rapid.Bool().Draw(rt, "with made secrets")
		if s, rows := from.take(options, lines...); s.Created != len(lines) {
			rt.Fatalf("%+v", rows)
		}
		looks := client.ExportOptions{WithSecrets: true}
		first := from.give(looks)
		if s, rows := to.take(transfer.Options{}, first); s.Created != len(lines) {
			rt.Fatalf("%+v", rows)
		}
		if second := to.give(looks); second != first {
			rt.Fatalf("exported again:\n%s\nrather than\n%s", second, first)
		}
		if s, rows := from.take(transfer.Options{}, first); s.Unchanged != len(lines) {
			rt.Fatalf("%+v", rows)
		}
	})
}

func TestExportGoesOnAfterAClient(t *testing.T) {
	r := newRig(t, application.Settings{})
	var lines []string
	for n := range 250 {
		lines = append(lines, fmt.Sprintf(`{"id":"c%d","name":"C%d","kind":"service"}`, n, n))
	}
	r.take(transfer.Options{}, lines...)
	whole := r.give(client.ExportOptions{})
	if n := strings.Count(whole, "\n"); n != 250 {
		t.Fatalf("%d lines", n)
	}
	at := 0
	for range 137 {
		at += strings.IndexByte(whole[at:], '\n') + 1
	}
	if rest := r.give(client.ExportOptions{After: "c136"}); rest != whole[at:] {
		t.Error("the rest is another one")
	}
}

func TestExportShowsSecretsOnlyWhereTheyMayBeSeen(t *testing.T) {
	r := newRig(t, application.Settings{})
	r.take(transfer.Options{}, `{"id":"a","name":"A","kind":"service","secret":"`+strong+`"}`)
	err := r.to.Clients.Export(t.Context(), r.to.Source, r.to.Application, client.ExportOptions{WithSecrets: true}, nil)
	if err == nil {
		t.Error("secrets that are shown once were exported")
	}
	r = newRig(t, application.Settings{SecretPolicy: application.Revealable})
	r.take(transfer.Options{}, `{"id":"a","name":"A","kind":"service","secret":"`+strong+`"}`)
	if strings.Contains(r.give(client.ExportOptions{}), strong) {
		t.Error("a secret was exported without being asked for")
	}
	if slices.Contains(r.events(), "client.secret.reveal") {
		t.Error("a look was audited that nobody had")
	}
	var record struct{ Secret string }
	if err := json.Unmarshal([]byte(r.give(client.ExportOptions{WithSecrets: true})), &record); err != nil || record.Secret != strong {
		t.Errorf("%v, %v", record, err)
	}
	if events := r.events(); events[len(events)-1] != "client.secret.reveal" {
		t.Errorf("events %v", events)
	}
}

// BenchmarkImport measures what a move takes: clients a second.
func BenchmarkImport(b *testing.B) {
	r := newRig(b, application.Settings{})
	pipe := &generated{left: b.N}
	b.ResetTimer()
	s, err := transfer.Import(b.Context(), r.to, pipe, transfer.Options{}, func(transfer.Row) error { return nil })
	if err != nil || s.Created != b.N {
		b.Fatal(s, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "clients/s")
	b.StopTimer()
	again, err := transfer.Import(b.Context(), r.to, &generated{left: b.N}, transfer.Options{}, func(transfer.Row) error { return nil })
	if err != nil || again.Unchanged != b.N {
		b.Fatal(again, err)
	}
}

// generated is a file of so many clients, each with a secret of its own.
type generated struct {
	left, made int
	rest       []byte
}

// Read implements io.Reader.
func (g *generated) Read(p []byte) (int, error) {
	for len(g.rest) == 0 {
		if g.left == 0 {
			return 0, io.EOF
		}
		g.left, g.made = g.left-1, g.made+1
		g.rest = fmt.Appendf(nil, `{"id":"client-%d","name":"Client %d","kind":"service","secret":"ost_cs_q7w8e9r2t3y4u5k6j7h8g9f2d3s4a5z6%06d",`+
			`"scopes":["read","machine"],"allowed_ips":["192.0.2.0/24","2001:db8::/32"],"tags":["moved"],"contacts":["team@example.com"]}`+"\n", g.made, g.made, g.made)
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}
