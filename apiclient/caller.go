package apiclient

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// WithBasic authenticates every request as an API client that has the feature
// owner, by its secret.
func WithBasic(clientID, secret string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(clientID, secret)
		return nil
	})
}

// WithBearer authenticates every request by an access token that has the scope
// ostiary:admin.
func WithBearer(token string) ClientOption {
	return WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	})
}

// Error is an answer that is no success, read from its problem document (RFC
// 9457).
type Error struct {
	Status     int           // of HTTP
	Detail     string        // what went wrong and what to do about it
	Refusals   []Refusal     // the values that were refused, each with its place
	RetryAfter time.Duration // when to try again, where the server said so
	RequestID  string        // names the request in the server's log
	Problem    bool          // whether it had a problem document, as this API's answers have
}

// Error gives the detail and every refusal.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Detail)
	for _, r := range e.Refusals {
		text.WriteString("; " + r.Location + ": " + r.Message)
	}
	return text.String()
}

// ReadError gives the error that an answer with a status of 400 or more stands
// for. An answer without a problem document, as a proxy gives one, has its
// status as the detail.
func ReadError(answer *http.Response, body []byte) *Error {
	e := &Error{Status: answer.StatusCode, RequestID: answer.Header.Get("X-Request-Id")}
	var problem struct {
		Title  string    `json:"title"`
		Detail string    `json:"detail"`
		Errors []Refusal `json:"errors"`
	}
	kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
	if e.Problem = kind == "application/problem+json" && json.Unmarshal(body, &problem) == nil; e.Problem {
		e.Detail, e.Refusals = problem.Detail, problem.Errors
		if e.Detail == "" {
			e.Detail = problem.Title
		}
	}
	if e.Detail == "" {
		e.Detail = "The server answers " + answer.Status + "."
	}
	if wait, err := time.ParseDuration(answer.Header.Get("Retry-After") + "s"); err == nil {
		e.RetryAfter = wait
	}
	return e
}
