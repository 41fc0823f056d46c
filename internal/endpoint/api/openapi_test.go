package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/ostiary/ostiary/internal/endpoint/api"
	"github.com/ostiary/ostiary/internal/servertest"
)

// router knows the operations of the document, which is read once.
var router = sync.OnceValues(func() (routers.Router, error) {
	text, err := json.Marshal(api.Document())
	if err != nil {
		return nil, err
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(document)
})

// validate holds an answer to the document, where the document has the
// operation: its status, its headers and every value of its body.
func (r *rig) validate(request *http.Request, answer *reply) {
	r.t.Helper()
	operations, err := router()
	if err != nil {
		r.t.Fatal(err)
	}
	at := request.Clone(context.Background())
	at.URL.Scheme, at.URL.Host, at.Host = "", "", ""
	route, parameters, err := operations.FindRoute(at)
	if err != nil {
		if answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusMethodNotAllowed && !strings.HasPrefix(request.URL.Path, "/api/openapi.") {
			r.t.Errorf("%s %s is answered %d, and is not in the document: %v", request.Method, request.URL.Path, answer.StatusCode, err)
		}
		return
	}
	err = openapi3filter.ValidateResponse(r.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: parameters, Route: route},
		Status:                 answer.StatusCode, Header: answer.Header,
		Body:    readCloser{strings.NewReader(answer.text)},
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		r.t.Errorf("%s %s: the answer %d is not as the document says: %v\n%s", request.Method, request.URL.Path, answer.StatusCode, err, answer.text)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestDocumentIsServed(t *testing.T) {
	r := start(t, servertest.Options{})
	r.auth = "none"
	text, err := json.Marshal(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	if got := r.want(http.StatusOK, "GET", "/api/openapi.json", ""); got.text != string(text) || got.Header.Get("Content-Type") != "application/openapi+json" {
		t.Errorf("the document served is another: %.200s", got.text)
	}
	if got := r.want(http.StatusOK, "GET", "/api/openapi.yaml", ""); !strings.Contains(got.text, "openapi: 3.1.0") {
		t.Errorf("not the document: %.200s", got.text)
	}
}

func BenchmarkDeclare(b *testing.B) {
	for b.Loop() {
		api.Document()
	}
}

func TestDocument(t *testing.T) {
	text, err := json.Marshal(api.Document())
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if document.OpenAPI != "3.1.0" {
		t.Errorf("the document is OpenAPI %s", document.OpenAPI)
	}
	for _, never := range []string{"$schema", "ErrorModel"} {
		if bytes.Contains(text, []byte(never)) {
			t.Errorf("the document speaks of %s", never)
		}
	}
}
