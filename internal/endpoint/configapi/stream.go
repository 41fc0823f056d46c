package configapi

import "net/http"

// stream writes an answer of many elements without holding them.
type stream struct {
	w     http.ResponseWriter
	begun bool
}

// element writes one more element, before the first of them the opening.
func (s *stream) element(opening string, element []byte) error {
	separator := ","
	if !s.begun {
		begin(s.w, http.StatusOK)
		s.begun = true
		separator = opening
	}
	if _, err := s.w.Write([]byte(separator)); err != nil {
		return err
	}
	_, err := s.w.Write(element)
	return err
}

// end ends the answer; opening is for one without elements. An error that comes
// after the answer began breaks the connection off, so that nobody takes a part
// for the whole.
func (s *stream) end(err error, opening, closing string) error {
	switch {
	case err != nil && s.begun:
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	case !s.begun:
		begin(s.w, http.StatusOK)
		_, _ = s.w.Write([]byte(opening + closing))
	default:
		_, _ = s.w.Write([]byte(closing))
	}
	return nil
}
