package configapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/ostiary/ostiary/internal/core/client"
	"github.com/ostiary/ostiary/internal/core/fault"
	"github.com/ostiary/ostiary/internal/web"
)

// answer is an error of the contract: its status and its text, to the letter.
type answer struct {
	status     int
	text       string
	retryAfter time.Duration
}

func (e *answer) Error() string { return e.text }

// The answers with a fixed text, in the order of the error table.
var (
	errUnauthenticated = &answer{status: http.StatusUnauthorized, text: "Authentication required."}
	errNoApplication   = &answer{status: http.StatusNotFound, text: "Application ID not found."}
	errForbidden       = &answer{status: http.StatusForbidden, text: "Authentication required."}
	errNoClient        = &answer{status: http.StatusNotFound, text: "Client ID not found."}
	errInvalidJSON     = &answer{status: http.StatusBadRequest, text: "Invalid JSON."}
	errMissing         = &answer{status: http.StatusBadRequest, text: "Missing data for required field."}
	errNotString       = &answer{status: http.StatusBadRequest, text: "Not a valid string."}
	errNotCIDR         = &answer{status: http.StatusBadRequest, text: "Not a valid CIDR address."}
	errNotFeature      = &answer{status: http.StatusBadRequest, text: "Not a valid feature name."}
	errLoginClient     = &answer{status: http.StatusBadRequest, text: "Clients with the login_client feature cannot have any other features."}
	errOwnerDropped    = &answer{status: http.StatusForbidden, text: "An owner cannot remove the owner feature from itself."}
	errOwnerDeleted    = &answer{status: http.StatusForbidden, text: "Clients with the owner feature cannot be deleted."}
	errNotInteger      = &answer{status: http.StatusBadRequest, text: "Not a valid integer."}
	errHours           = &answer{status: http.StatusBadRequest, text: fmt.Sprintf("Must be between 0 and %d.", client.MaxHoursToLive)}
)

func tooManyRequests(wait time.Duration) error {
	return &answer{status: http.StatusTooManyRequests, text: "Too many requests.", retryAfter: wait}
}

func metadataOf(vendor string) error {
	return &answer{status: http.StatusBadRequest, text: "The metadata feature can only be applied to a client by " + vendor + "."}
}

func nameInUse(name string) error {
	return &answer{status: http.StatusConflict, text: "API client " + name + " already exists."}
}

// refused gives what core/client refused the text of the contract. name is the
// one that was sent, trimmed.
func (c *call) refused(err error, name string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, client.ErrMetadata):
		return metadataOf(c.app.Settings.Vendor())
	case errors.Is(err, client.ErrLoginClient):
		return errLoginClient
	case errors.Is(err, client.ErrOwnerDropped):
		return errOwnerDropped
	case errors.Is(err, client.ErrOwnerDeleted):
		return errOwnerDeleted
	}
	f, ok := errors.AsType[*fault.Error](err)
	switch {
	case ok && f.Kind == fault.Conflict && f.Field == "name":
		return nameInUse(name)
	case ok && f.Kind == fault.NotFound:
		return errNoClient
	default:
		return err
	}
}

// unavailableFor is when to try again while the database is out of reach.
const unavailableFor = time.Second

// describe gives any error its answer.
func describe(err error) *answer {
	if e, ok := errors.AsType[*answer](err); ok {
		return e
	}
	if _, ok := errors.AsType[*web.MethodError](err); ok {
		return &answer{status: http.StatusMethodNotAllowed, text: "Method not allowed."}
	}
	switch {
	case errors.Is(err, web.ErrNotFound):
		return &answer{status: http.StatusNotFound, text: "Not found."}
	case errors.Is(err, web.ErrTooLarge):
		return &answer{status: http.StatusRequestEntityTooLarge, text: "Request body too large."}
	case errors.Is(err, web.ErrHeaders):
		return &answer{status: http.StatusRequestHeaderFieldsTooLarge, text: "Request headers too large."}
	case fault.KindOf(err) == fault.Unavailable:
		return &answer{status: http.StatusServiceUnavailable, text: "Service unavailable.", retryAfter: unavailableFor}
	default:
		return &answer{status: http.StatusInternalServerError, text: "Internal server error."}
	}
}

// writeError is the surface's one writer of errors.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	e := describe(err)
	if e.status == http.StatusUnauthorized {
		w.Header()["Www-Authenticate"] = []string{`Basic realm="ostiary"`}
	}
	if e.retryAfter > 0 {
		seconds := (e.retryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	write(w, r, e.status, encode(struct {
		Errors string `json:"errors"`
	}{e.text}))
}
