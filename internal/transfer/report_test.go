package transfer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/application"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/transfer"
)

func reported(t *testing.T, r *rig, text string, options transfer.Options) (*transfer.Report, error) {
	t.Helper()
	last := transfer.Summary{}
	report, err := transfer.Reported(t.Context(), r.to, strings.NewReader(text), options, func(s transfer.Summary) error {
		if s.Lines != last.Lines+1 {
			t.Errorf("after %+v comes %+v", last, s)
		}
		last = s
		return nil
	})
	if err == nil && last.Lines != report.End.Summary.Lines {
		t.Errorf("told of %+v, of %+v", last, report.End.Summary)
	}
	return report, err
}

// A report names what was refused, up to a bound, and every secret that was made.
func TestReport(t *testing.T) {
	r := newRig(t, application.Settings{})
	text := strings.Repeat("{}\n", transfer.MaxRefusals+5) + `{"name":"A","kind":"service"}` + "\n" + `{"name":"B","kind":"spa"}`
	report, err := reported(t, r, text, transfer.Options{ImportOptions: client.ImportOptions{MakeSecrets: true}})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Rows); n != transfer.MaxRefusals+1 || report.Rows[n-1].Secret == "" {
		t.Errorf("%d rows", n)
	}
	if want := (transfer.Summary{Lines: transfer.MaxRefusals + 7, Created: 2, Refused: transfer.MaxRefusals + 5}); report.End.Summary != want {
		t.Errorf("%+v", report.End)
	}
	lines, err := report.Lines()
	if err != nil || strings.Count(string(lines), "\n") != len(report.Rows)+1 || !strings.Contains(string(lines), `{"summary":{"lines":10007,`) {
		t.Errorf("%v, %s", err, lines[max(0, len(lines)-300):])
	}
}

// Another product's file is imported as it is; what has no counterpart is said.
func TestImportOfAnotherProduct(t *testing.T) {
	for _, product := range transfer.Sources() {
		text, err := os.ReadFile(filepath.Join("testdata", product.Name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		r := newRig(t, application.Settings{SecurityProfile: application.OAuth2})
		report, err := reported(t, r, string(text), transfer.Options{CreateScopes: true, From: product})
		if err != nil {
			t.Fatal(err)
		}
		refused, created, noted := 0, 0, 0
		for _, e := range convert(t, product.Name, string(text)) {
			if e.Record == nil {
				refused++
			} else {
				created++
			}
			if e.Record != nil && len(e.Notes) > 0 {
				noted++
			}
		}
		if s := report.End.Summary; s.Refused != refused || s.Created != created || len(report.Rows) != refused+noted {
			t.Errorf("%s: %+v, %d rows; want %d made, %d refused, %d noted", product.Name, s, len(report.Rows), created, refused, noted)
		}
		if _, err := reported(t, r, `{"items": nonsense`, transfer.Options{From: product}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: nonsense: %v", product.Name, err)
		}
	}
}

func TestWhoMakesScopes(t *testing.T) {
	r := newRig(t, application.Settings{})
	r.to.Role = admin.Developer
	if _, err := reported(t, r, `{"name":"A","kind":"service"}`, transfer.Options{CreateScopes: true}); fault.KindOf(err) != fault.Denied {
		t.Errorf("a developer makes scopes: %v", err)
	}
	if _, ok := transfer.SourceOf("nobody"); ok {
		t.Error("there is a product of any name")
	}
}
