package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// Static serves files under names that have a digest of the content in them:
// browsers keep them for good, and a new version is a new name.
type Static struct {
	prefix string
	named  map[string]string // name of a file -> path of the URL
	files  map[string]file   // last segment of that path -> file
}

type file struct {
	contentType string
	content     []byte
	compressed  []byte // by gzip; nil: not smaller
}

// NewStatic reads all files; none may be in a directory of its own. prefix is
// what their paths begin with, as "/static/".
func NewStatic(prefix string, files fs.FS) (*Static, error) {
	s := &Static{prefix: prefix, named: map[string]string{}, files: map[string]file{}}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("read the static files: %w", err)
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read the static files: %w", err)
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(entry.Name())
		hashed := strings.TrimSuffix(entry.Name(), extension) + "." + hex.EncodeToString(sum[:6]) + extension
		s.named[entry.Name()] = prefix + hashed
		compressed, err := compress(content)
		if err != nil {
			return nil, fmt.Errorf("compress %s: %w", entry.Name(), err)
		}
		s.files[hashed] = file{mime.TypeByExtension(extension), content, compressed}
	}
	return s, nil
}

// compress gives what gzip makes of a content; nil where that is not smaller.
func compress(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil || out.Len() >= len(content) {
		return nil, err
	}
	return out.Bytes(), nil
}

// takesGzip reports whether the header Accept-Encoding names gzip (RFC 9110
// §12.5.3). "*" alone is no browser, and goes without.
func takesGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			_, q, found := strings.Cut(weight, "=")
			return !found || strings.Trim(q, " 0.") != ""
		}
	}
	return false
}

// Path gives the path of a file's URL.
func (s *Static) Path(name string) (string, error) {
	p, ok := s.named[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %s", name)
	}
	return p, nil
}

// Routes are those of the files: GET and HEAD.
func (s *Static) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: s.prefix + "{file}", Handle: s.serve},
		{Method: http.MethodHead, Path: s.prefix + "{file}", Handle: s.serve},
	}
}

func (s *Static) serve(w http.ResponseWriter, r *http.Request) error {
	f, ok := s.files[r.PathValue("file")]
	if !ok {
		return ErrNotFound
	}
	content := f.content
	if f.compressed != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		if takesGzip(strings.Join(r.Header["Accept-Encoding"], ",")) {
			w.Header().Set("Content-Encoding", "gzip")
			content = f.compressed
		}
	}
	WriteForGood(w, f.contentType, content)
	return nil
}

// WriteForGood answers with what is never another under the same URL.
func WriteForGood(w http.ResponseWriter, contentType string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(content) // who has gone needs no answer
}
