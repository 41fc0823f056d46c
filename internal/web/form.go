package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// ErrForm says that a body is no form, or not well encoded.
var ErrForm = errors.New("the body is not a form")

const (
	formType  = "application/x-www-form-urlencoded"
	maxFields = 200
)

// ReadForm reads a form of at most limit bytes: ErrTooLarge, or ErrForm for what
// is no form, has too many fields, or is no text that every database can hold.
func ReadForm(w http.ResponseWriter, r *http.Request, limit int64) (url.Values, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != formType {
		return nil, ErrForm
	}
	body, err := ReadBody(w, r, limit)
	if errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	if err != nil {
		return nil, ErrForm
	}
	return ParseForm(string(body))
}

// ParseForm reads the fields of a form; ErrForm as ReadForm.
func ParseForm(body string) (url.Values, error) {
	if strings.Count(body, "&") >= maxFields {
		return nil, ErrForm
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, ErrForm
	}
	for name, values := range form {
		for _, text := range append([]string{name}, values...) {
			if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
				return nil, ErrForm
			}
		}
	}
	return form, nil
}
