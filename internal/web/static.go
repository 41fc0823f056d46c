package web

import (
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
		s.files[hashed] = file{mime.TypeByExtension(extension), content}
	}
	return s, nil
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
	WriteForGood(w, f.contentType, f.content)
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
