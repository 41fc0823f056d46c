//go:build linux

package load

import (
	"bytes"
	"errors"
	"strconv"
)

// Answer is one HTTP/1.1 answer, at the front of a buffer that is used again.
type Answer struct {
	Status int
	Head   []byte
	Body   []byte // as sent, the framing of chunks included
	size   int    // of the whole answer
}

var errResponse = errors.New("not an HTTP/1.1 answer with a length")

var (
	headEnd   = []byte("\r\n\r\n")
	lineEnd   = []byte("\r\n")
	lastChunk = []byte("0\r\n\r\n")
	length    = []byte("content-length:")
	encoding  = []byte("transfer-encoding:")
)

// parse reads an answer from the front of data; size is 0 where it is not
// complete yet. It knows as much of RFC 9112 as the servers measured here use.
func parse(data []byte) (Answer, error) {
	head, rest, ok := bytes.Cut(data, headEnd)
	if !ok {
		return Answer{}, nil
	}
	line, fields, _ := bytes.Cut(head, lineEnd)
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return Answer{}, errResponse
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return Answer{}, errResponse
	}
	n, chunked, err := framing(fields)
	if err != nil {
		return Answer{}, err
	}
	before := len(head) + len(headEnd)
	switch {
	case chunked:
		if !bytes.HasSuffix(rest, lastChunk) {
			return Answer{}, nil
		}
		n = len(rest)
	case status == 204 || status == 304:
		n = 0
	case n < 0:
		return Answer{}, errResponse
	case n > len(rest):
		return Answer{}, nil
	}
	return Answer{Status: status, Head: head, Body: rest[:n], size: before + n}, nil
}

// framing finds the length of the body, −1 where none is said.
func framing(fields []byte) (n int, chunked bool, err error) {
	n = -1
	for field := range bytes.SplitSeq(fields, lineEnd) {
		switch {
		case hasPrefixFold(field, length):
			n, err = strconv.Atoi(string(bytes.TrimSpace(field[len(length):])))
			if err != nil || n < 0 {
				return 0, false, errResponse
			}
		case hasPrefixFold(field, encoding):
			chunked = true
		}
	}
	return n, chunked, nil
}

func hasPrefixFold(field, prefix []byte) bool {
	return len(field) >= len(prefix) && bytes.EqualFold(field[:len(prefix)], prefix)
}
