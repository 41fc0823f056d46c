// Package fault holds the kinds of error that the core answers with outside
// the OAuth protocol. A fault has a text for the caller and, apart from it, a
// cause for the operator; the endpoint that received the request gives it its
// form. The OAuth protocol's own errors live in package oauth.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong, in the few ways that a caller can act upon.
type Kind uint8

// The kinds. The zero value is the server's own fault, so that an error nobody
// classified is never shown as the caller's.
const (
	Internal     Kind = iota // a defect or a broken dependency of the server
	Invalid                  // a value was refused; Field names it
	NotFound                 // the object is not there
	Conflict                 // the object, or its name, is taken or in use
	Denied                   // the caller may not do this
	Unavailable              // the state cannot be read or written now; try again
	Precondition             // the object changed since the caller read it
)

// Error is a fault. Message is meant for the caller and never repeats a value
// that was sent where that value may be secret.
type Error struct {
	Kind    Kind
	Field   string // the offending field, for Invalid; else ""
	Message string
	Cause   error // for the operator's log; never shown to the caller
}

// Error gives the whole story, for logs.
func (e *Error) Error() string {
	text := e.Message
	if e.Field != "" {
		text = e.Field + ": " + text
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Invalidf says that a field's value was refused, and what to do about it.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFoundf says that an object is not there.
func NotFoundf(format string, args ...any) *Error {
	return &Error{Kind: NotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflictf says that a name is taken or an object in use.
func Conflictf(format string, args ...any) *Error {
	return &Error{Kind: Conflict, Message: fmt.Sprintf(format, args...)}
}

// Takenf says that what a field is to be has somebody else already.
func Takenf(field, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Deniedf says that the caller may not do this.
func Deniedf(format string, args ...any) *Error {
	return &Error{Kind: Denied, Message: fmt.Sprintf(format, args...)}
}

// Unavailablef says that the state is out of reach for now; cause says why.
func Unavailablef(cause error, format string, args ...any) *Error {
	return &Error{Kind: Unavailable, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// Preconditionf says that an object is no longer what the caller read.
func Preconditionf(format string, args ...any) *Error {
	return &Error{Kind: Precondition, Message: fmt.Sprintf(format, args...)}
}

// Problems are all the refused values of one document, each a fault Invalid with
// its Field, so that the caller mends them at once.
type Problems []*Error //nolint:errname // what it holds, as the API calls it

// Add appends a refusal.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Invalidf(field, format, args...))
}

// Error gives all of them, for logs.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, e := range p {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the refusals one by one; KindOf finds the first.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, e := range p {
		errs[i] = e
	}
	return errs
}

// maxTold bounds what is told of one document: a megabyte has room for 300,000
// values that are refused.
const maxTold = 100

// OrNil gives the problems as an error, nil where there are none; of many the
// first, and how many more there are.
func (p Problems) OrNil() error {
	switch {
	case len(p) == 0:
		return nil
	case len(p) > maxTold:
		return append(p[:maxTold:maxTold], Invalidf("", "%d more values were refused; mend these first.", len(p)-maxTold))
	}
	return p
}

// KindOf gives the kind of the first fault in err's chain, Internal where
// there is none.
func KindOf(err error) Kind {
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}
