//go:build linux

package load

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, data string
		status     int
		body       string
		size       int
		bad        bool
	}{
		{name: "whole", data: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX: y\r\n\r\nhi", status: 200, body: "hi", size: 46},
		{name: "head only", data: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"},
		{name: "part of the body", data: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"},
		{name: "empty", data: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, size: 27},
		{name: "chunks", data: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", status: 200, body: "2\r\nhi\r\n0\r\n\r\n", size: 59},
		{name: "part of the chunks", data: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"},
		{name: "no length", data: "HTTP/1.1 200 OK\r\n\r\n", bad: true},
		{name: "odd length", data: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", bad: true},
		{name: "no HTTP", data: "SSH-2.0-OpenSSH_9.2\r\n\r\n", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse([]byte(c.data))
			if (err != nil) != c.bad || got.Status != c.status || string(got.Body) != c.body || got.size != c.size {
				t.Errorf("got %d %q size %d, %v", got.Status, got.Body, got.size, err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse(data)
		if err == nil && got.size > len(data) {
			t.Errorf("size %d of %d bytes", got.size, len(data))
		}
	})
}

// TestBuckets: each duration lies in its bucket, and no bucket is wider than
// 1/64 of what it holds.
func TestBuckets(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 63, 64, 65, 127, 128, 1000, 12345, time.Millisecond, time.Second, time.Hour, 1<<62 + 12345} {
		i := bucket(d)
		if up := upper(i); d > up || float64(up-d) > float64(d)/64 {
			t.Errorf("%d: bucket %d ends at %d", d, i, up)
		}
		if i > 0 && upper(i-1) >= d {
			t.Errorf("%d: falls into bucket %d, and the one below ends at %d", d, i, upper(i-1))
		}
	}
}
