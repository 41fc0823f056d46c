package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/servertest"
)

// upload sends a file, and other fields: names and values in turn.
func (r *rig) upload(path, file, text string, pairs ...string) *answer {
	r.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = form.WriteField(pairs[i], pairs[i+1])
	}
	part, err := form.CreateFormFile("file", file)
	if err != nil {
		r.t.Fatal(err)
	}
	_, _ = part.Write([]byte(text))
	_ = form.Close()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.URL+path, &body)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	return r.send(request)
}

// settled gives the page once nothing goes on with the upload.
func (r *rig) settled(path string) *answer {
	r.t.Helper()
	for {
		a := r.get(path).shows(http.StatusOK)
		if !strings.Contains(a.body, `<meta http-equiv="refresh"`) {
			return a
		}
		a.shows(http.StatusOK, `hx-trigger="every 1s"`, "<progress")
	}
}

func TestImportAndExport(t *testing.T) {
	r := start(t, servertest.Options{})
	page := r.at("/transfer")
	r.get(r.at("/clients")).shows(http.StatusOK, page)
	r.get(page).shows(http.StatusOK, "Look at the file", "Make the scopes", "Secrets are not among them").lacks("in clear")
	text := `{"id":"one","name":"One <b>","kind":"service","scopes":["orders"],"require_requested_scopes":false}
{"id":"two","name":"Two","kind":"web","redirect_uris":["nowhere"]}

{"name":"Three","kind":"spa"}`
	a := r.upload(page+"/import", `"><script>.ndjson`, text, "from", "", "create_scopes", "true").shows(http.StatusSeeOther)
	r.settled(a.location).shows(http.StatusOK, "What an import would do", "scopes to be made", "<code>redirect_uris[0]</code>", ">2</td>", "Import them").lacks("<script>.")
	r.get(r.at("/clients/one/activity")).shows(http.StatusNotFound)
	r.as(admin.Viewer).get(page).shows(http.StatusOK, "Download").lacks("Import them", "Look at the file", ".ndjson")
	r.post(page + "/store").shows(http.StatusSeeOther)
	r.settled(page).shows(http.StatusOK, "Imported:", "scopes made", "<code>redirect_uris[0]</code>").lacks("Import them")
	r.post(page+"/store").shows(http.StatusConflict, "nothing to import")
	r.get(r.at("/clients/one/activity")).shows(http.StatusOK, "One &lt;b&gt;", "admin:"+r.AdminEmail)
	report := r.get(page+"/report").shows(http.StatusOK, `"line":2`, `"summary":{"lines":3,"created":2,"unchanged":0,"refused":1`)
	if got := report.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename="+r.ApplicationID) {
		t.Errorf("the report is kept as %s", got)
	}
	exported := r.post(page+"/export").shows(http.StatusOK, `"id":"one"`)
	if exported.header.Get("Content-Type") != "application/x-ndjson" || strings.Count(exported.body, "\n") != 3 {
		t.Errorf("%v %s", exported.header, exported.body)
	}
	r.upload(page+"/import", "again.ndjson", exported.body).shows(http.StatusSeeOther)
	r.settled(page).shows(http.StatusOK, "<dt>there already, just so</dt><dd>3</dd>").lacks("Import them")
	r.post(page + "/discard").shows(http.StatusSeeOther)
	r.get(page).shows(http.StatusOK).lacks("again.ndjson")
	r.get(page + "/report").shows(http.StatusNotFound)
}

func TestImportOfOtherProducts(t *testing.T) {
	r := start(t, servertest.Options{Preset: "appdirect"})
	page := r.at("/transfer")
	for _, product := range []string{"akamai", "hydra", "keycloak"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "transfer", "testdata", product+".json"))
		if err != nil {
			t.Fatal(err)
		}
		r.upload(page+"/import", product+".json", string(text), "from", product, "create_scopes", "true").shows(http.StatusSeeOther)
		r.settled(page).shows(http.StatusOK, product+".json", `<span class="tag">note</span>`, "Import them")
		r.post(page + "/store").shows(http.StatusSeeOther)
		r.settled(page).shows(http.StatusOK, "Imported:").lacks("<dt>made</dt><dd>0</dd>")
		r.upload(page+"/import", "broken.json", `{"clients": [`, "from", product).shows(http.StatusSeeOther)
		r.settled(page).shows(http.StatusOK, "Not imported:", "The file cannot be read as one of "+product)
	}
}

func TestImportIsRefused(t *testing.T) {
	r := start(t, servertest.Options{})
	page := r.at("/transfer")
	line := `{"name":"A","kind":"service"}`
	r.upload(page+"/import", "empty", "").shows(http.StatusUnprocessableEntity, `id="problem-file"`)
	r.upload(page+"/import", "a", line, "from", "nobody").shows(http.StatusUnprocessableEntity, `id="problem-from"`)
	r.upload(page+"/import", "large", strings.Repeat("x", 32<<20+1)).shows(http.StatusUnprocessableEntity, "larger than 32 MB")
	r.post(page+"/import", "file", line).shows(http.StatusBadRequest)
	r.post(page + "/store").shows(http.StatusConflict)
	viewer, developer := r.as(admin.Viewer), r.as(admin.Developer)
	for _, path := range []string{"/import", "/store", "/discard"} {
		viewer.upload(page+path, "a", line).shows(http.StatusForbidden)
	}
	developer.get(page).shows(http.StatusOK, "Look at the file").lacks("Make the scopes")
	developer.upload(page+"/import", "a", line, "create_scopes", "true").shows(http.StatusSeeOther)
	developer.settled(page).shows(http.StatusOK, "Not imported:", "You need the role")
	viewer.post(page+"/export", "with_secrets", "true").shows(http.StatusForbidden)
	r.post(page+"/export", "with_secrets", "true").shows(http.StatusConflict, "cannot be seen again")
}

func TestExportWithSecrets(t *testing.T) {
	r := start(t, servertest.Options{Settings: []string{"secret_policy=revealable"}})
	id, secret := r.client(`"name":"A","kind":"service"`)
	page := r.at("/transfer")
	r.get(page).shows(http.StatusOK, "With secrets, in clear")
	r.post(page+"/export").shows(http.StatusOK, id).lacks(secret)
	r.post(page+"/export", "with_secrets", "true").shows(http.StatusOK, secret)
	manager := r.as(admin.Manager)
	manager.get(page).shows(http.StatusOK).lacks("in clear")
	manager.post(page+"/export", "with_secrets", "true").shows(http.StatusForbidden).lacks(secret)
}
