package web

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// patience is how long each part of a long body or answer may take.
const patience = 30 * time.Second

// PatientReader gives each part of a body its own time, since the whole may take
// longer than a request does.
type PatientReader struct {
	body    io.Reader
	control *http.ResponseController
	err     error
}

// NewPatientReader reads the body of the request that w answers.
func NewPatientReader(w http.ResponseWriter, body io.Reader) *PatientReader {
	return &PatientReader{body: body, control: http.NewResponseController(w)}
}

// Read implements io.Reader.
func (p *PatientReader) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(patience)) // not there under a test's recorder
	n, err := p.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
	}
	return n, err
}

// Err is what ended the body before its end; nil: nothing did.
func (p *PatientReader) Err() error { return p.err }

// PatientWriter gives each part of an answer its own time.
func PatientWriter(w http.ResponseWriter) io.Writer {
	return &patientWriter{w, http.NewResponseController(w)}
}

type patientWriter struct {
	io.Writer

	control *http.ResponseController
}

// Write implements io.Writer.
func (p *patientWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience)) // as above
	return p.Writer.Write(b)
}
