package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/servertest"
	"github.com/ostiary/ostiary/internal/transfer"
)

const ndjson = "Content-Type: " + transfer.ContentType

// report reads the lines that an import answers: the rows, and the summary.
func report(t *testing.T, answer *reply) (rows []transfer.Row, summary transfer.Summary) {
	t.Helper()
	if got := answer.Header.Get("Content-Type"); got != transfer.ContentType {
		t.Errorf("Content-Type %s", got)
	}
	lines := strings.Split(strings.TrimSpace(answer.text), "\n")
	for i, line := range lines {
		var last struct{ Summary *transfer.Summary }
		var row transfer.Row
		if i == len(lines)-1 {
			if json.Unmarshal([]byte(line), &last) != nil || last.Summary == nil {
				t.Fatalf("no summary: %s", answer.text)
			}
			return rows, *last.Summary
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows, summary
}

func TestClientsMoveOverHTTP(t *testing.T) {
	r := start(t, servertest.Options{})
	lines := `{"id":"a","name":"A","kind":"service","scopes":["orders"],"require_requested_scopes":false}
{"id":"b","name":"B","kind":"web","redirect_uris":["nowhere"]}`
	path := "/clients/import?create_scopes=true&make_secrets=true"
	_, dry := report(t, r.lines(http.StatusOK, http.MethodPost, path+"&dry_run=true", lines, ndjson))
	if want := (transfer.Summary{Lines: 2, Created: 1, Refused: 1, ScopesMade: 1, DryRun: true}); dry != want {
		t.Errorf("%+v", dry)
	}
	rows, summary := report(t, r.lines(http.StatusOK, http.MethodPost, path, lines, ndjson))
	if want := (transfer.Summary{Lines: 2, Created: 1, Refused: 1, ScopesMade: 1}); summary != want || len(rows) != 2 ||
		rows[0].Secret == "" || rows[1].Line != 2 || rows[1].Reasons[0].Field != "redirect_uris[0]" {
		t.Fatalf("%+v, %+v", rows, summary)
	}
	_, again := report(t, r.lines(http.StatusOK, http.MethodPost, path, lines, ndjson))
	if again.Unchanged != 1 || again.Refused != 1 {
		t.Errorf("%+v", again)
	}
	exported := r.lines(http.StatusOK, http.MethodGet, "/clients/export?after="+r.OwnerID, "")
	if strings.Count(exported.text, "\n") != 1 || !strings.Contains(exported.text, `"id":"a"`) || strings.Contains(exported.text, rows[0].Secret) {
		t.Errorf("%s", exported.text)
	}
	if whole := r.lines(http.StatusOK, http.MethodGet, "/clients/export", ""); strings.Count(whole.text, "\n") != 2 {
		t.Errorf("%s", whole.text)
	}
}

func TestTransfersThatAreRefused(t *testing.T) {
	r := start(t, servertest.Options{})
	r.lines(http.StatusUnsupportedMediaType, http.MethodPost, "/clients/import", "{}", "Content-Type: application/json")
	r.lines(http.StatusConflict, http.MethodGet, "/clients/export?with_secrets=true", "")
	for query, place := range map[string]string{
		"import?dry_run=yes":                "query.dry_run",
		"import?dry_run=true&dry_run=false": "query.dry_run",
		"import?nothing=1":                  "query.nothing",
		"export?after=nobody":               "query.after",
		"export?dry_run=true":               "query.dry_run",
	} {
		method := http.MethodPost
		if strings.HasPrefix(query, "export") {
			method = http.MethodGet
		}
		if got := r.lines(http.StatusUnprocessableEntity, method, "/clients/"+query, "", ndjson).refusals(); got != place {
			t.Errorf("%s: refused %s", query, got)
		}
	}
	r.auth = "none"
	r.lines(http.StatusUnauthorized, http.MethodPost, "/clients/import", "{}", ndjson)
	r.lines(http.StatusUnauthorized, http.MethodGet, "/clients/export", "")
}

// lines is want for operations that answer lines.
func (r *rig) lines(status int, method, path, body string, headers ...string) *reply {
	r.t.Helper()
	request, out := r.exchange(method, path, body, headers...)
	if out.StatusCode != status {
		r.t.Fatalf("%s %s: got %d, want %d\n%s", method, path, out.StatusCode, status, out.text)
	}
	if status >= http.StatusBadRequest {
		if err := json.Unmarshal([]byte(out.text), &out.object); err != nil {
			r.t.Fatal(err)
		}
		r.validate(request, out)
	}
	return out
}
