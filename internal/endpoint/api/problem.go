package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/web"
)

// Problem is an error as it is answered (RFC 9457). It never repeats a value
// that was sent.
type Problem struct { //nolint:errname // as RFC 9457 calls it
	Title  string    `json:"title" doc:"The status, in words."`
	Status int       `json:"status" doc:"The HTTP status."`
	Detail string    `json:"detail,omitempty" doc:"What went wrong, and what to do about it."`
	Errors []Refusal `json:"errors,omitempty" doc:"The values that were refused, each with its place."`

	retryAfter time.Duration
	challenge  bool
	bearer     string // the error of the Bearer challenge (RFC 6750 §3.1); "": none
}

// Refusal is one value that was refused.
type Refusal struct {
	Location string `json:"location" doc:"Where the value is: body.redirect_uris[1], query.limit."`
	Message  string `json:"message" doc:"Why it was refused, and what to write."`
}

// Error gives the whole problem, for the log.
func (p *Problem) Error() string {
	text := []string{p.Detail}
	for _, e := range p.Errors {
		text = append(text, e.Location+": "+e.Message)
	}
	return strings.Join(text, " ")
}

func problem(status int, detail string) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// refused says that values were refused.
func refused(refusals ...Refusal) *Problem {
	p := problem(http.StatusUnprocessableEntity, "Some values were refused; mend them and send the request again.")
	p.Errors = refusals
	return p
}

// inQuery refuses a parameter of the query string.
func inQuery(name, message string) *Problem { return refused(Refusal{"query." + name, message}) }

var errJSON = problem(http.StatusBadRequest, "The body is not one JSON object in UTF-8.")

// unavailableFor is when to try again while the database is out of reach.
const unavailableFor = time.Second

var statuses = map[fault.Kind]int{
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.Denied:       http.StatusForbidden,
	fault.Precondition: http.StatusPreconditionFailed,
}

// describe gives any error its problem document.
func describe(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if _, ok := errors.AsType[*web.MethodError](err); ok {
		return problem(http.StatusMethodNotAllowed, "There is no such method here; the header Allow names those that there are.")
	}
	switch {
	case errors.Is(err, web.ErrNotFound):
		return problem(http.StatusNotFound, "There is nothing at this path.")
	case errors.Is(err, web.ErrTooLarge):
		return problem(http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB.")
	case errors.Is(err, web.ErrHeaders):
		return problem(http.StatusRequestHeaderFieldsTooLarge, "The header fields, or the target, are larger than 32 KiB.")
	}
	return describeFault(err)
}

func describeFault(err error) *Problem {
	if problems, ok := errors.AsType[fault.Problems](err); ok {
		refusals := make([]Refusal, len(problems))
		for i, f := range problems {
			refusals[i] = refusal(f)
		}
		return refused(refusals...)
	}
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case !ok || f.Kind == fault.Internal:
		return problem(http.StatusInternalServerError, "Something is wrong with the server; its log says what, under this X-Request-Id.")
	case f.Kind == fault.Unavailable:
		p := problem(http.StatusServiceUnavailable, "The database is out of reach; try again.")
		p.retryAfter = unavailableFor
		return p
	case f.Kind == fault.Invalid:
		return refused(refusal(f))
	}
	p := problem(statuses[f.Kind], f.Message)
	if f.Field != "" {
		p.Errors = []Refusal{refusal(f)}
	}
	return p
}

// refusal gives a fault about a field its place in the body.
func refusal(f *fault.Error) Refusal {
	location := "body"
	if f.Field != "" {
		location += "." + f.Field
	}
	return Refusal{location, f.Message}
}

// writeError is the surface's one writer of errors.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(err)
	h := w.Header()
	if p.challenge {
		bearer := `Bearer realm="ostiary"` //nolint:gosec // a challenge, no credential (G101)
		if p.bearer != "" {
			bearer += `, error="` + p.bearer + `"`
		}
		h["Www-Authenticate"] = []string{`Basic realm="ostiary", charset="UTF-8"`, bearer}
	}
	if p.retryAfter > 0 {
		seconds := (p.retryAfter + time.Second - 1) / time.Second
		h["Retry-After"] = []string{strconv.FormatInt(int64(seconds), 10)}
	}
	body, _ := json.Marshal(p) //nolint:errchkjson // plain fields cannot fail
	h["Content-Type"] = []string{"application/problem+json"}
	h["Cache-Control"] = []string{"no-store"}
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead { // its answer has no body (RFC 9110 §9.3.2)
		_, _ = w.Write(append(body, '\n'))
	}
}
