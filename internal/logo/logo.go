// Package logo shows the logos that operators named for their applications: it
// fetches each from its URL in the background, draws it anew, so that nothing of
// the file that a stranger's server sent reaches a browser, and remembers it. It
// stores nothing, and a logo that cannot be had is a page without one.
package logo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // a format that logos are read in
	_ "image/jpeg" // another
	"image/png"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/image/draw"

	"github.com/ostiary/ostiary/internal/cache"
)

// Bounds of what is fetched, and of what is shown.
const (
	maxBytes  = 512 << 10
	maxPixels = 1 << 20 // 4 MiB while it is drawn
	maxWidth  = 480     // pixels; half as many on the page
	maxHeight = 96

	kept  = time.Hour       // before it is looked for again
	retry = 5 * time.Minute // after a failure
)

// Fetcher gets what is at a URL, of at most limit bytes.
type Fetcher interface {
	Get(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Image is a logo as it is shown. It is shared: it must not be changed.
type Image struct {
	PNG           []byte
	Digest        string // of the PNG, in hexadecimal digits
	Width, Height int    // on the page, in CSS pixels
}

// Logos remembers logos by their URLs. It is safe for concurrent use.
type Logos struct {
	fetcher Fetcher
	now     func() time.Time
	known   *cache.Cache[string, *entry]

	mu      sync.Mutex
	pending map[string]bool // URLs that are being fetched
}

type entry struct {
	image *Image // nil: there was none to be had
	err   error  // of the last attempt
	again time.Time
}

// maxPending bounds the logos that are fetched at a time.
const maxPending = 4

// New makes one that remembers at most cacheBytes.
func New(fetcher Fetcher, now func() time.Time, cacheBytes int) *Logos {
	return &Logos{fetcher: fetcher, now: now, pending: map[string]bool{}, known: cache.New(cacheBytes, func(url string, e *entry) int {
		const record = 300
		if e.image == nil {
			return record + len(url)
		}
		return record + len(url) + len(e.image.PNG)
	})}
}

// Find gives the logo at a URL, nil where it is not known yet or cannot be had.
// What is not known, or is old, is fetched in the background.
func (l *Logos) Find(url string) *Image {
	found, _ := l.Look(url)
	return found
}

// ErrNotYet says that a logo was not fetched yet.
var ErrNotYet = errors.New("the logo is being fetched")

// Look is Find with the reason why the logo could not be fetched, or not anew:
// ErrNotYet before the first attempt has ended.
func (l *Logos) Look(url string) (*Image, error) {
	e, ok := l.known.Get(url)
	if !ok || l.now().After(e.again) {
		l.later(url)
	}
	if !ok {
		return nil, ErrNotYet
	}
	return e.image, e.err
}

func (l *Logos) later(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending[url] || len(l.pending) >= maxPending {
		return
	}
	l.pending[url] = true
	go func() {
		if _, err := l.Fetch(context.Background(), url); err != nil {
			slog.Info("the logo of an application cannot be shown", "error", err)
		}
		l.mu.Lock()
		delete(l.pending, url)
		l.mu.Unlock()
	}()
}

// Fetch gets a logo now, and remembers it; where that fails, the one that is
// remembered stays.
func (l *Logos) Fetch(ctx context.Context, url string) (*Image, error) {
	ticket := l.known.Ticket(url)
	content, err := l.fetcher.Get(ctx, url, maxBytes)
	var drawn *Image
	if err == nil {
		drawn, err = Redraw(content)
	}
	e := &entry{drawn, err, l.now().Add(kept)}
	if err != nil {
		e.again = l.now().Add(retry)
		if before, ok := l.known.Get(url); ok {
			e.image = before.image
		}
	}
	l.known.Fill(ticket, url, e)
	return drawn, err
}

var (
	errFormat = errors.New("the file is no PNG, JPEG or GIF")
	errSize   = errors.New("the image is larger than 1,048,576 pixels, or empty")
)

// Redraw reads a PNG, JPEG or GIF and writes it as a PNG that fits where logos
// stand. An error says what is wrong with it.
func Redraw(content []byte) (*Image, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, errFormat
	case err != nil:
		return nil, fmt.Errorf("the image is damaged: %w", err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels/size.Height {
		return nil, errSize
	}
	from, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("the image is damaged: %w", err)
	}
	scale := min(1, float64(maxWidth)/float64(size.Width), float64(maxHeight)/float64(size.Height))
	width, height := max(1, int(float64(size.Width)*scale)), max(1, int(float64(size.Height)*scale))
	to := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := png.Encode(&out, to); err != nil {
		return nil, fmt.Errorf("write the image: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	return &Image{PNG: out.Bytes(), Digest: hex.EncodeToString(sum[:8]), Width: (width + 1) / 2, Height: (height + 1) / 2}, nil
}
