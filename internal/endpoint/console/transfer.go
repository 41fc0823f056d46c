package console

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/endpoint/page"
	"github.com/ostiary/ostiary/internal/transfer"
	"github.com/ostiary/ostiary/internal/web"
)

func transferRoutes(s *routes) {
	const all = inApplication + "/transfer"
	edit := to(admin.EditOwnClients)
	s.get(all, toRead, func(v *visit) error { return v.showTransfer(http.StatusOK, nil, nil) })
	s.post(all+"/export", toRead, (*visit).export)
	s.upload(all+"/import", edit, (*visit).receive)
	s.post(all+"/store", edit, (*visit).storeUpload)
	s.post(all+"/discard", edit, (*visit).discardUpload)
	s.get(all+"/report", edit, (*visit).report)
}

type transferData struct {
	Path    string
	Export  *field   // whether with secrets; nil: not his to see
	Import  []*field // of the form; nil: not his to do, or something is under way
	Refused bool     // something was, of the form
	Upload  *uploadView
	Limit   string
}

// uploadView is what the page shows of an upload.
type uploadView struct {
	look

	Name, Product string
	Running       bool
	Elsewhere     string // path of the application that it is for; "": this one
	Percent       int64
	Rows          []transfer.Row // the first ones that were refused, or lost something
	More          int            // how many are in the report only
	Figures       []figure
	Ready         bool // it may be stored now
}

// figure is a number with what it counts.
type figure struct {
	Name string
	N    int64
}

// shownRows is how many rows of a report are on the page.
const shownRows = 100

// products are those whose files are read, and ours.
var products = []option{
	{Label: "Ostiary: an export, a client a line (NDJSON)"},
	{Value: "akamai", Label: "Akamai Identity Cloud: GET /config/{app}/clients"},
	{Value: "hydra", Label: "Ory Hydra: hydra list clients --format json"},
	{Value: "keycloak", Label: "Keycloak: the export of a realm"},
}

// showTransfer is the page for export and import, with what was refused of the
// form.
func (v *visit) showTransfer(status int, form map[string]string, problems []page.Problem) error {
	d := transferData{Path: v.at("transfer"), Limit: "32 MB"}
	if v.may(admin.RevealSecrets) && v.app.Settings.Revealable() {
		d.Export = &field{Name: "with_secrets", Label: "With secrets, in clear", Kind: "box", Help: "A look at all of them, and audited. Keep the file as you would keep the secrets."}
	}
	one := v.uploads.get(v.who.Email)
	refresh := false
	if one != nil && v.may(admin.EditOwnClients) {
		d.Upload = v.viewOf(one)
		refresh = d.Upload.Running
	}
	if v.may(admin.EditOwnClients) && !refresh {
		d.Import = v.importFields(form)
		beside(problems, d.Import...)
	}
	return v.show(status, "transfer", pageOf{
		Title: "Import and export", Section: "clients", Crumbs: []crumb{{"API clients", v.at("clients")}}, Problems: problems, Refresh: refresh, Data: d,
	})
}

func (v *visit) importFields(form map[string]string) []*field {
	list := []*field{
		{Name: "from", Label: "The file is of", Kind: "select", Options: products},
		{Name: "file", Label: "File", Kind: "file", Required: true, Help: "At most 32 MB. Larger ones go by the command line: ostiary client import."},
	}
	if v.may(admin.EditScopes) {
		list = append(list, &field{Name: "create_scopes", Label: "Make the scopes that are not there", Kind: "box"})
	}
	for _, f := range list {
		f.Value = form[f.Name]
	}
	return list
}

func (v *visit) viewOf(one *upload) *uploadView {
	u := &uploadView{look: one.look(), Name: one.name, Product: one.product}
	u.Running = u.running()
	u.Ready = u.Stage == judged && u.Summary.Created > 0
	if one.app != v.app.ID {
		u.Elsewhere = Home + "/apps/" + one.app + "/transfer"
	}
	if u.Size > 0 {
		u.Percent = 100 * u.Read / u.Size
	}
	made, scopes := "made", "scopes made"
	if u.Summary.DryRun {
		made, scopes = "to be made", "scopes to be made"
	}
	s := &u.Summary
	u.Figures = []figure{
		{"clients read", int64(s.Lines)}, {made, int64(s.Created)}, {"there already, just so", int64(s.Unchanged)}, {"refused", int64(s.Refused)},
	}
	if s.ScopesMade > 0 {
		u.Figures = append(u.Figures, figure{scopes, int64(s.ScopesMade)})
	}
	if u.Report != nil && !u.Running {
		u.Rows = u.Report.Rows[:min(len(u.Report.Rows), shownRows)]
		u.More = len(u.Report.Rows) - len(u.Rows)
	}
	return u
}

// export answers with a file.
func (v *visit) export() error {
	options := client.ExportOptions{WithSecrets: v.checked("with_secrets")}
	return transfer.Export(v.r.Context(), v.operations(), v.source, v.app, options, func() io.Writer {
		v.sendLines("clients")
		return web.PatientWriter(v.w)
	})
}

// sendLines begins an answer of lines, which browsers keep as a file.
func (v *visit) sendLines(name string) {
	h := v.w.Header()
	h.Set("Content-Type", transfer.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": v.app.ID + "-" + name + ".ndjson"}))
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusOK)
}

func (v *visit) target() transfer.Target {
	return transfer.Target{Application: v.app, Clients: v.operations(), Scopes: v.Scopes, Source: v.source, Role: v.role}
}

// receive takes a file, and begins to find out what an import of it would do.
func (v *visit) receive() error {
	one, form, err := v.readUpload()
	if err == nil {
		err = v.uploads.put(v.who.Email, one)
	}
	if err != nil {
		status, problems, err := refusedForm(err)
		if err != nil {
			return err
		}
		return v.showTransfer(status, form, problems)
	}
	v.uploads.start(one, v.target(), judging)
	return v.redirect(v.at("transfer"))
}

// maxText bounds a field of the form, in bytes.
const maxText = 300

// readUpload reads the form, whose file comes last.
func (v *visit) readUpload() (*upload, map[string]string, error) {
	form := map[string]string{}
	body := web.NewPatientReader(v.w, v.r.Body)
	media, params, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" || params["boundary"] == "" {
		return nil, nil, web.ErrForm
	}
	one := &upload{app: v.app.ID, begun: v.Now()}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, web.ErrForm
		}
		if part.FormName() == "file" {
			one.name = strings.ToValidUTF8(part.FileName(), "")
			one.text, err = io.ReadAll(io.LimitReader(part, maxUpload+1))
			if err == nil && len(one.text) > maxUpload {
				_, _ = io.CopyN(io.Discard, part, 10*maxUpload) // browsers read no answer before they have sent all
				return nil, form, fault.Invalidf("file", "The file is larger than 32 MB. Import it by the command line, or in parts.")
			}
		} else if len(form) < 10 {
			var text []byte
			text, err = io.ReadAll(io.LimitReader(part, maxText))
			form[part.FormName()] = string(text)
		}
		if err != nil {
			return nil, nil, web.ErrForm
		}
	}
	if len(one.text) == 0 {
		return nil, form, fault.Invalidf("file", "Choose a file that has something in it.")
	}
	if one.name = one.name[:min(len(one.name), maxText)]; one.name == "" {
		one.name = "file"
	}
	one.size = int64(len(one.text))
	one.product = form["from"]
	one.options.CreateScopes = form["create_scopes"] != ""
	if from, ok := transfer.SourceOf(one.product); ok {
		one.options.From = from
	} else if one.product != "" {
		return nil, form, fault.Invalidf("from", "Choose whose file it is.")
	}
	return one, form, nil
}

// storeUpload imports a file that was judged.
func (v *visit) storeUpload() error {
	one := v.uploads.get(v.who.Email)
	if one == nil || one.app != v.app.ID || !v.uploads.start(one, v.target(), storing) {
		return fault.Conflictf("There is nothing to import; choose the file again.")
	}
	return v.redirect(v.at("transfer"))
}

func (v *visit) discardUpload() error {
	v.uploads.drop(v.who.Email)
	return v.redirect(v.at("transfer"))
}

// report answers with what was refused, as a file.
func (v *visit) report() error {
	one := v.uploads.get(v.who.Email)
	if one == nil || one.app != v.app.ID {
		return web.ErrNotFound
	}
	l := one.look()
	if l.Report == nil || l.running() {
		return web.ErrNotFound
	}
	lines, err := l.Report.Lines()
	if err != nil {
		return err
	}
	v.sendLines("import")
	_, err = web.PatientWriter(v.w).Write(lines)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
