package web

import (
	"errors"
	"io"
	"net/http"
)

// ReadBody reads a body of at most limit bytes; ErrTooLarge where it is longer,
// known from Content-Length before a byte is read where there is one.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(w, r)
	}
	if r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > 0 && r.ContentLength <= small {
		body := make([]byte, r.ContentLength) // what follows it is the next request
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge(w, r)
	}
	return body, err
}

// small is a body for which there is room before it came.
const small = 4 << 10

// tooLarge has the answer given at once and the connection end with it.
func tooLarge(w http.ResponseWriter, r *http.Request) error {
	w.Header()["Connection"] = []string{"close"}
	InfoOf(r).unread = true
	return ErrTooLarge
}

// readAnyway is how much of a body net/http reads by itself when nobody did.
const readAnyway = 256 << 10

// maxLinger is how much of a body that was refused is read all the same.
const maxLinger = 16 << 20

// linger reads the rest of a body whose refusal was written already. Many
// callers look for an answer only once they have sent everything; closing on
// them would reset the connection, and the answer with it. Who expects "100
// Continue" does not send.
func linger(w http.ResponseWriter, r *http.Request) {
	if r.Header["Expect"] != nil || http.NewResponseController(w).Flush() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxLinger) // its end, or the time for reading, ends it
}
