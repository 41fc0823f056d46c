package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/ostiary/ostiary/internal/core/admin"
	"github.com/ostiary/ostiary/internal/core/audit"
)

// records are the operations on one kind of small record: R as the core has it,
// F its fields as they are written, V as it is answered.
type records[R, F, V any] struct {
	noun, plural string
	parameter    string           // of the path of one, which is its key
	need         admin.Permission // to write
	body         *huma.Schema
	summaries    summaries
	core         func(c *call) editor[R, F] // as the caller may use it
	all          lister[R]                  // nil: it has a list of its own
	read         func(fields *F, document []byte) error
	show         func(*R) (key string, revision int64, view V)
}

// summaries say what the operations do.
type summaries struct{ list, create, get, edit, remove string }

// editor is what the core offers for a kind of record.
type editor[R, F any] interface {
	Create(ctx context.Context, source audit.Source, applicationID string, fields F) (*R, error)
	Get(ctx context.Context, applicationID, key string) (*R, error)
	Patch(ctx context.Context, source audit.Source, applicationID, key string, patch []byte, revision *int64) (*R, error)
	Delete(ctx context.Context, source audit.Source, applicationID, key string, revision *int64) error
}

// lister gives pages of records.
type lister[R any] func(ctx context.Context, applicationID, after string, limit int) (list []*R, next string, err error)

type recordPage struct {
	InApplication
	Paging
}

var writesRecord = []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}

// declare declares the operations. One is the path of a record, Write that and
// IfMatch; they are what the document says of them.
func declare[One, Write, R, F, V any](b *builder, k *records[R, F, V]) {
	handle(b, operation{
		method: http.MethodGet, path: k.path(), id: "list-" + k.plural, tag: k.plural, need: admin.Read,
		summary: k.summaries.list,
	}, k.list)
	declareOne[One, Write](b, k)
}

// path is that of all records of the kind.
func (k *records[R, F, V]) path() string { return "/applications/{app}/" + k.plural }

// declareOne is declare without the list.
func declareOne[One, Write, R, F, V any](b *builder, k *records[R, F, V]) {
	all := k.path()
	one := all + "/{" + k.parameter + "}"
	handle(b, operation{
		method: http.MethodPost, path: all, id: "create-" + k.noun, tag: k.plural, need: k.need,
		summary: k.summaries.create, status: http.StatusCreated, body: k.body, refuses: []int{http.StatusConflict},
	}, k.create)
	handle(b, operation{
		method: http.MethodGet, path: one, id: "get-" + k.noun, tag: k.plural, need: admin.Read,
		summary: k.summaries.get, refuses: []int{http.StatusNotFound},
	}, func(c *call, _ *One) (*tagged[V], error) { return k.get(c) })
	handle(b, operation{
		method: http.MethodPatch, path: one, id: "edit-" + k.noun, tag: k.plural, need: k.need,
		summary: k.summaries.edit, body: k.body, refuses: writesRecord,
	}, func(c *call, _ *Write) (*tagged[V], error) { return k.edit(c) })
	handle(b, operation{
		method: http.MethodDelete, path: one, id: "delete-" + k.noun, tag: k.plural, need: k.need,
		summary: k.summaries.remove, status: http.StatusNoContent, refuses: writesRecord,
	}, func(c *call, _ *Write) (*nothing, error) { return k.remove(c) })
}

func (k *records[R, F, V]) list(c *call, in *recordPage) (*plainly[list[V]], error) {
	after, err := in.place()
	if err != nil {
		return nil, err
	}
	found, next, err := k.all(c.Context(), c.app.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	items := make([]V, len(found))
	for i, r := range found {
		_, _, items[i] = k.show(r)
	}
	return page(items, next), nil
}

func (k *records[R, F, V]) create(c *call, _ *InApplication) (*made[V], error) {
	document, err := c.document()
	if err != nil {
		return nil, err
	}
	var fields F
	if err := k.read(&fields, document); err != nil {
		return nil, err
	}
	r, err := k.core(c).Create(c.Context(), c.source(), c.app.ID, fields)
	if err != nil {
		return nil, err
	}
	key, revision, view := k.show(r)
	return &made[V]{etag(revision), base + "/applications/" + c.app.ID + "/" + k.plural + "/" + url.PathEscape(key), view}, nil
}

// key names the record of the path.
func (k *records[R, F, V]) key(c *call) string { return c.PathValue(k.parameter) }

func (k *records[R, F, V]) get(c *call) (*tagged[V], error) {
	r, err := k.core(c).Get(c.Context(), c.app.ID, k.key(c))
	if err != nil {
		return nil, err
	}
	return k.tag(r), nil
}

func (k *records[R, F, V]) tag(r *R) *tagged[V] {
	_, revision, view := k.show(r)
	return &tagged[V]{etag(revision), view}
}

func (k *records[R, F, V]) edit(c *call) (*tagged[V], error) {
	revision, err := c.ifMatch().revision()
	if err != nil {
		return nil, err
	}
	patch, err := c.document()
	if err != nil {
		return nil, err
	}
	if _, err := k.core(c).Get(c.Context(), c.app.ID, k.key(c)); err != nil {
		return nil, err
	}
	r, err := k.core(c).Patch(c.Context(), c.source(), c.app.ID, k.key(c), patch, revision)
	if err != nil {
		return nil, err
	}
	return k.tag(r), nil
}

func (k *records[R, F, V]) remove(c *call) (*nothing, error) {
	revision, err := c.ifMatch().revision()
	if err != nil {
		return nil, err
	}
	if _, err := k.core(c).Get(c.Context(), c.app.ID, k.key(c)); err != nil {
		return nil, err
	}
	return &nothing{}, k.core(c).Delete(c.Context(), c.source(), c.app.ID, k.key(c), revision)
}

// writable describes the fields of a record, and gives the schema of them as
// they are written: none is required, and null is the default.
func writable[T any](b *builder, name string, docs map[string]string) *huma.Schema {
	read := schemaOf[T](b)
	registry := b.huma.OpenAPI().Components.Schemas
	body := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for field, s := range registry.SchemaFromRef(read.Ref).Properties {
		s.Description = docs[field]
		write := *s
		write.Nullable = true
		body.Properties[field] = &write
	}
	registry.Map()[name] = body
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}
