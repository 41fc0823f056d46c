package web

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
)

// What net/http answers by itself to what is no HTTP, before any handler runs:
// a status line, these two fields, and a line of plain text. Nothing that a
// surface answers looks like it: surfaces never send plain text.
var ownAnswer = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

// sniffed is how much of what was last received is kept: enough for a method
// and the beginning of a path.
const sniffed = 128

// Read keeps the beginning of what came since the last answer, for the answer
// to what is no HTTP.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 && c.answered.Swap(false) {
		c.heard = 0
	}
	c.heard += copy(c.head[c.heard:], p[:n])
	return n, err
}

// Write gives net/http's own answers the form of the surface that was meant:
// a program that parses every body as JSON does so for these too.
func (c *conn) Write(p []byte) (int, error) {
	line, rest, found := bytes.Cut(p, []byte("\r\n"))
	if !found || !bytes.HasPrefix(rest, ownAnswer[2:]) {
		c.answered.Store(true)
		return c.TCPConn.Write(p)
	}
	if _, err := c.TCPConn.Write(c.refusal(line)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// refusal is the answer under net/http's status line. What the line says beyond
// the status may repeat what was sent, and is left out.
func (c *conn) refusal(line []byte) []byte {
	status := http.StatusBadRequest
	if fields := bytes.Fields(line); len(fields) > 1 {
		if code, err := strconv.Atoi(string(fields[1])); err == nil {
			status = code
		}
	}
	body := `{"error":"invalid_request","error_description":"The request is not well-formed HTTP/1.1."}`
	if bytes.Contains(c.head[:c.heard], []byte("/config")) {
		body = `{"errors":"Bad request."}`
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nX-Request-Id: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		status, http.StatusText(status), c.newID(), len(body))
	if bytes.HasPrefix(c.head[:c.heard], []byte("HEAD ")) {
		return answer
	}
	return append(answer, body...)
}
