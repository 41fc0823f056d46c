package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/web"
)

// maxBody is the longest body, in bytes.
const maxBody = 1 << 20

// operation declares one operation.
type operation struct {
	method  string
	path    string // below /api/v1
	id      string // operationId
	summary string
	tag     string
	need    admin.Permission
	status  int          // of success; 0: 200, or 204 where there is no body
	body    *huma.Schema // of the request; nil: none
	loose   bool         // the body may be left out
	refuses []int        // statuses beyond those that every operation has
}

// base is the path that all operations have in common.
const base = "/api/v1"

// builder collects the operations.
type builder struct {
	api    *api
	huma   huma.API
	routes *routes
}

func newBuilder(a *api) *builder {
	b := &builder{api: a, routes: &routes{api: a}}
	config := huma.Config{
		OpenAPI: newDocument(),
		// json is what huma looks for under application/problem+json.
		Formats: map[string]huma.Format{"application/json": {Marshal: encode}, "json": {Marshal: encode}},
		// What huma refuses by itself is handed to the surface's writer.
		Transformers:                 []huma.Transformer{intercept},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
	b.huma = huma.NewAPI(config, b.routes)
	return b
}

// encode writes JSON with <, > and & as they are.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

type callKey struct{}

// handle registers an operation. The input has parameters only: bodies are read
// by the core, whose rules say more than a schema can, and whose refusals are
// the same on every way in.
func handle[I, O any](b *builder, op operation, h func(c *call, in *I) (*O, error)) {
	declared := huma.Operation{
		Method: op.method, Path: base + op.path, OperationID: op.id, Summary: op.summary, Tags: []string{op.tag},
		DefaultStatus: op.status, Metadata: map[string]any{needed: op.need}, Responses: b.responses(&op),
		Security: callers(),
	}
	huma.Register(b.huma, declared, func(ctx context.Context, in *I) (*O, error) {
		c := ctx.Value(callKey{}).(*call) //nolint:forcetypeassert // put there by routes
		out, err := h(c, in)
		c.err = err
		return out, err
	})
	b.describeBody(&op)
}

// callers are the ways to prove who calls.
func callers() []map[string][]string {
	return []map[string][]string{{"basic": {}}, {"bearer": {}}, {"session": {}}}
}

const needed = "permission"

// intercept catches huma's own errors, and those of handlers, before they are
// written. The values that huma would repeat are dropped.
func intercept(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	c := ctx.Context().Value(callKey{}).(*call) //nolint:forcetypeassert // put there by routes
	if c.err != nil {
		return struct{}{}, nil //nolint:nilerr // c.err is written in its place
	}
	p := problem(model.Status, "")
	if model.Status == http.StatusUnprocessableEntity {
		p = refused()
	}
	for _, d := range model.Errors {
		p.Errors = append(p.Errors, Refusal{shorten(d.Location), inOurWords(d.Message)})
	}
	c.err = p
	return struct{}{}, nil
}

// shorten bounds a place whose name a stranger made up.
func shorten(location string) string {
	const longest = 80
	if len(location) > longest {
		return string([]rune(location)[:longest/4]) + "…"
	}
	return location
}

// routes makes routes of a surface from huma's operations.
type routes struct {
	http.Handler // none: the surface routes

	api  *api
	list []web.Route
}

// Handle implements huma.Adapter.
func (t *routes) Handle(op *huma.Operation, handler func(huma.Context)) {
	need, _ := op.Metadata[needed].(admin.Permission)
	t.list = append(t.list, web.Route{Method: op.Method, Path: op.Path, Handle: func(w http.ResponseWriter, r *http.Request) error {
		c := &call{}
		c.Request = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		if err := t.api.identify(c, need); err != nil {
			return err
		}
		if err := once(r.URL.RawQuery); err != nil {
			return err
		}
		if err := c.read(w); err != nil {
			return err
		}
		// The answer is held until it is whole, so that an error has its form.
		held := &answer{header: w.Header()}
		handler(humago.NewContext(op, c.Request, held))
		if c.err != nil {
			return c.err
		}
		held.header["Cache-Control"] = []string{"no-store"}
		w.WriteHeader(held.status)
		_, _ = w.Write(held.body.Bytes()) // who has gone needs no answer
		return nil
	}})
}

// read takes the body of the methods that have one.
func (c *call) read(w http.ResponseWriter) error {
	if c.Method != http.MethodPost && c.Method != http.MethodPut && c.Method != http.MethodPatch {
		return nil
	}
	body, err := web.ReadBody(w, c.Request, maxBody)
	if err != nil && !errors.Is(err, web.ErrTooLarge) {
		return errJSON // one that broke off
	}
	c.body = body
	return err
}

// answer is a response that is held.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// tagged is an answer about one record.
type tagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// made is the answer to a creation.
type made[T any] struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     T
}

// plainly is an answer without an entity tag.
type plainly[T any] struct{ Body T }

// nothing is an answer without a body.
type nothing struct{}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }
