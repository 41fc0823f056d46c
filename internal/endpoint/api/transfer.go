package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/transfer"
	"github.com/ostiary/ostiary/internal/web"
)

// transfer declares the operations whose bodies are lines. They are read and
// written as they come, so they pass huma by; the document has them all the
// same. Their paths are among those of clients, and must be routed first.
func (a *api) transfer(b *builder) {
	const path = "/applications/{app}/clients/"
	b.lines(operation{
		method: http.MethodPost, path: path + "import", id: "import-clients", tag: "clients", need: admin.EditOwnClients,
		summary: "Make clients, one a line, each refused alone; what is there already just so is left alone",
		body:    lineSchema("A client a line, as the body of create-client; besides secret_hash and created_at."),
		refuses: []int{http.StatusUnsupportedMediaType, http.StatusConflict},
	}, a.importClients, "A line for each client that was refused, or that a secret was made for; the last one has the summary.",
		truthParam("dry_run", "Judge everything, store nothing."),
		truthParam("create_scopes", "Make scopes that are not there, of the kind any."),
		truthParam("make_secrets", "Make a secret where a line brings none, and answer it; else such a client has none."))
	b.lines(operation{
		method: http.MethodGet, path: path + "export", id: "export-clients", tag: "clients", need: admin.Read,
		summary: "Give all clients, one a line, in order of creation, as an import takes them",
		refuses: []int{http.StatusConflict},
	}, a.exportClients, "A client a line.",
		truthParam("with_secrets", "Their secrets too, where the application lets them be seen again; for the role owner, and audited."),
		&huma.Param{Name: "after", In: "query", Schema: &huma.Schema{Type: huma.TypeString}, Description: "Only those made after this one: the id in the last line of an export that broke off."})
}

func lineSchema(text string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: text}
}

func truthParam(name, text string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false}, Description: text}
}

// lines registers an operation that reads or writes lines.
func (b *builder) lines(op operation, h func(c *call, query parameters, w http.ResponseWriter) error, answer string, query ...*huma.Param) {
	declared := &huma.Operation{
		Method: op.method, Path: base + op.path, OperationID: op.id, Summary: op.summary, Tags: []string{op.tag},
		Responses: b.responses(&op), Security: callers(),
		Parameters: append([]*huma.Param{{
			Name: "app", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}, Description: "The id of the application.",
		}}, query...),
	}
	declared.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{transfer.ContentType: {Schema: lineSchema(answer)}}}
	if op.body != nil {
		declared.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{transfer.ContentType: {Schema: op.body}}}
	}
	b.huma.OpenAPI().AddOperation(declared)
	names := make([]string, len(query))
	for i, p := range query {
		names[i] = p.Name
	}
	a := b.api
	b.routes.list = append(b.routes.list, web.Route{Method: op.method, Path: declared.Path, Handle: func(w http.ResponseWriter, r *http.Request) error {
		c := &call{Request: r}
		if err := a.identify(c, op.need); err != nil {
			return err
		}
		given, err := parseParameters(r.URL.RawQuery, names)
		if err != nil {
			return err
		}
		return h(c, given, w)
	}})
}

func (a *api) importClients(c *call, query parameters, w http.ResponseWriter) error {
	options := transfer.Options{CreateScopes: query.truth("create_scopes")}
	options.DryRun, options.MakeSecrets = query.truth("dry_run"), query.truth("make_secrets")
	if err := query.end(); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || kind != transfer.ContentType {
		return problem(http.StatusUnsupportedMediaType, "Send "+transfer.ContentType+": a JSON object a line.")
	}
	to := transfer.Target{Application: c.app, Clients: a.Operations.By(c.role, c.email), Scopes: a.Scopes, Source: c.source(), Role: c.role}
	body := web.NewPatientReader(w, c.Body)
	// The answer is held until the lines end: many callers read none before.
	report, err := transfer.Reported(context.WithoutCancel(c.Context()), to, body, options, func(transfer.Summary) error { return c.Context().Err() })
	if err != nil && body.Err() != nil {
		err = problem(http.StatusBadRequest, "The lines broke off.")
	}
	if err != nil && len(report.Rows) == 0 {
		return err
	}
	if err != nil { // what was reported is done, and secrets are shown this once
		report.End.Stopped = describe(err).Detail + " What comes before is done; send the lines again, what is there is left alone."
	}
	lines, err := report.Lines()
	if err != nil {
		return err
	}
	begin(w)
	_, _ = web.PatientWriter(w).Write(lines) // who has gone needs no answer
	return nil
}

// begin begins an answer of lines.
func begin(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Type"] = []string{transfer.ContentType}
	h["Cache-Control"] = []string{"no-store"}
	w.WriteHeader(http.StatusOK)
}

func (a *api) exportClients(c *call, query parameters, w http.ResponseWriter) error {
	options := client.ExportOptions{After: query.values.Get("after"), WithSecrets: query.truth("with_secrets")}
	if err := query.end(); err != nil {
		return err
	}
	err := transfer.Export(c.Context(), a.Operations.By(c.role, c.email), c.source(), c.app, options, func() io.Writer {
		begin(w)
		return web.PatientWriter(w)
	})
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
		return inQuery(f.Field, f.Message)
	}
	return err
}
