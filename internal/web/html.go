package web

import (
	"net/http"
	"strconv"
)

// Policies of pages (CSP 3). Scripts, styles and images come from this server and
// from files only.
const (
	policy      = "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	formsStayIn = "; form-action 'self'"
)

// WriteHTML answers with a page that nobody keeps, frames or leaks the address
// of, and whose forms stay on this server.
func WriteHTML(w http.ResponseWriter, status int, body []byte) {
	writeHTML(w, status, body, policy+formsStayIn)
}

// WriteLeavingHTML is WriteHTML for a page whose form leads to a client.
// Chromium holds form-action against every redirect that follows the sending of a
// form, those of the client and of whom it sends the browser on to included; it
// would stop there without a word. So there is none.
func WriteLeavingHTML(w http.ResponseWriter, status int, body []byte) {
	writeHTML(w, status, body, policy)
}

func writeHTML(w http.ResponseWriter, status int, body []byte, policy string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	// Under no-referrer forms would come with "Origin: null", and over plain http
	// nothing else tells where they come from (FromElsewhere).
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone needs no answer
}
