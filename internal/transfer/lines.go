package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// MaxLine is the longest line, in bytes: as long as the longest body of a
// request that makes one client.
const MaxLine = 1 << 20

// Lines reads text line by line, in bounded memory.
type Lines struct {
	reader *bufio.Reader
	buffer []byte
	number int
}

// NewLines makes a reader of lines.
func NewLines(r io.Reader) *Lines { return &Lines{reader: unmarked(r)} }

// unmarked passes over the byte order mark that editors on Windows begin a file
// with (RFC 8259 §8.1 lets a parser do so).
func unmarked(r io.Reader) *bufio.Reader {
	const mark = "\uFEFF"
	b := bufio.NewReaderSize(r, 64<<10)
	if start, err := b.Peek(len(mark)); err == nil && string(start) == mark {
		_, _ = b.Discard(len(mark)) // it is there
	}
	return b
}

// Line is one line that is not empty.
type Line struct {
	Number  int
	Text    []byte // good until the next line is read
	TooLong bool   // then there is no text
}

// Next gives the next line that is not empty, io.EOF after the last.
func (l *Lines) Next() (Line, error) {
	for {
		text, tooLong, err := l.read()
		if err != nil {
			return Line{Number: l.number + 1}, err
		}
		l.number++
		if text = bytes.TrimSpace(text); len(text) > 0 || tooLong {
			return Line{Number: l.number, Text: text, TooLong: tooLong}, nil
		}
	}
}

// read gives a line without what ends it.
func (l *Lines) read() (text []byte, tooLong bool, err error) {
	l.buffer = l.buffer[:0]
	for {
		part, err := l.reader.ReadSlice('\n')
		if len(l.buffer)+len(part) > MaxLine {
			tooLong, l.buffer = true, l.buffer[:0]
		} else if !tooLong {
			l.buffer = append(l.buffer, part...)
		}
		switch {
		case err == nil:
			return l.buffer, tooLong, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(l.buffer) > 0 || tooLong):
			return l.buffer, tooLong, nil
		default:
			return nil, false, err
		}
	}
}
