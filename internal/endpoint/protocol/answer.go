package protocol

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/core/oauth"
	"github.com/ostiary/ostiary/internal/web"
)

// Header values that many answers share; net/http reads them only.
var (
	jsonType  = []string{"application/json"}
	noStore   = []string{"no-store"}
	noCache   = []string{"no-cache"}
	challenge = []string{`Basic realm="ostiary", charset="UTF-8"`} // RFC 7617 §2
	bearer    = []string{`Bearer realm="ostiary"`}                 // RFC 6750 §3
)

// WriteJSON answers with a JSON document. A caller that sends something else
// than `no-store` sets Cache-Control before, and one that knows the length
// Content-Length.
func WriteJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if h["Content-Length"] == nil {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = noStore
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the peer may be gone; nobody is left to tell
}

// WriteToken answers with a token (RFC 6749 §5.1: both headers).
func WriteToken(w http.ResponseWriter, body []byte) {
	w.Header()["Pragma"] = noCache
	WriteJSON(w, http.StatusOK, body)
}

// WriteEmpty answers 200 without a body.
func WriteEmpty(w http.ResponseWriter) {
	h := w.Header()
	h["Content-Length"] = []string{"0"}
	h["Cache-Control"] = noStore
	w.WriteHeader(http.StatusOK)
}

// WriteError is the error writer of the protocol: whatever went wrong is an
// OAuth error (RFC 6749 §5.2).
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := ErrorOf(err)
	h := w.Header()
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
	if h["Vary"] == nil {
		h["Vary"] = varyOrigin // as the other answers of the path may
	}
	// RFC 6749 §5.2: a challenge where the client used the header to say who it is.
	switch {
	case e.Bearer == oauth.PlainChallenge:
		h["Www-Authenticate"] = bearer
	case e.Bearer == oauth.ErrorChallenge: // a description has no quotation marks
		h["Www-Authenticate"] = []string{bearer[0] + `, error="` + e.Code + `", error_description="` + e.Description + `"`}
	case e.Status == http.StatusUnauthorized && r.Header["Authorization"] != nil:
		h["Www-Authenticate"] = challenge
	}
	if e.RetryAfter > 0 {
		h["Retry-After"] = []string{strconv.Itoa(max(1, int(math.Ceil(e.RetryAfter.Seconds()))))}
	}
	WriteJSON(w, e.Status, oauth.NewObject(256).String("error", e.Code).String("error_description", e.Description).Close())
}

// retry is how long a caller is asked to wait for the database.
const retry = time.Second

// ErrorOf gives whatever went wrong as an OAuth error.
func ErrorOf(err error) *oauth.Error {
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return e
	}
	if m, ok := errors.AsType[*web.MethodError](err); ok {
		return oauth.MethodNotAllowed("This endpoint is called with another method: " + m.Allow + ".")
	}
	switch {
	case errors.Is(err, web.ErrNotFound):
		return oauth.NotFound("There is nothing at this path; the metadata document names the endpoints.")
	case errors.Is(err, web.ErrTooLarge):
		return oauth.InvalidRequest("The body is too large; send at most 64 KiB.")
	case errors.Is(err, web.ErrHeaders):
		return oauth.HeadersTooLarge("The header or the path is too large; send less.")
	case fault.KindOf(err) == fault.Unavailable, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return oauth.TemporarilyUnavailable(retry, err)
	default:
		return oauth.ServerError(err)
	}
}
