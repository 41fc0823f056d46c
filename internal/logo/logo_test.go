package logo_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ostiary/ostiary/internal/logo"
)

func picture(width, height int) image.Image {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			p.Set(x, y, color.NRGBA{R: uint8(x), G: uint8(y), B: 90, A: 255})
		}
	}
	return p
}

func encoded(t testing.TB, format string, p image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&out, p)
	case "jpeg":
		err = jpeg.Encode(&out, p, nil)
	case "gif":
		err = gif.Encode(&out, p, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestLogosAreDrawnAnew(t *testing.T) {
	for _, x := range []struct {
		format                  string
		width, height           int
		wantWidth, wantHeight   int
		shownWidth, shownHeight int
	}{
		{"png", 100, 40, 100, 40, 50, 20},
		{"jpeg", 960, 192, 480, 96, 240, 48},
		{"gif", 200, 400, 48, 96, 24, 48},
		{"png", 1, 1, 1, 1, 1, 1},
		{"png", 10_000, 10, 480, 1, 240, 1},
	} {
		// What follows the image, a script say, is not taken along.
		content := append(encoded(t, x.format, picture(x.width, x.height)), "<script>alert(1)</script>"...)
		got, err := logo.Redraw(content)
		if err != nil {
			t.Errorf("%+v: %v", x, err)
			continue
		}
		size, format, err := image.DecodeConfig(bytes.NewReader(got.PNG))
		if err != nil || format != "png" || size.Width != x.wantWidth || size.Height != x.wantHeight || got.Width != x.shownWidth || got.Height != x.shownHeight {
			t.Errorf("%+v: %s of %d × %d, shown as %d × %d, %v", x, format, size.Width, size.Height, got.Width, got.Height, err)
		}
		if bytes.Contains(got.PNG, []byte("script")) {
			t.Errorf("%+v: the file came along", x)
		}
	}
}

func TestWhatIsNoLogo(t *testing.T) {
	large := encoded(t, "png", picture(2000, 600))
	whole := encoded(t, "png", picture(20, 20))
	for name, content := range map[string][]byte{
		"nothing": nil, "a page": []byte("<!doctype html>"), "SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`),
		"too many pixels": large, "damaged": whole[:len(whole)-20],
	} {
		if got, err := logo.Redraw(content); err == nil {
			t.Errorf("%s gives %d × %d", name, got.Width, got.Height)
		}
	}
}

func FuzzRedraw(f *testing.F) {
	for _, format := range []string{"png", "jpeg", "gif"} {
		f.Add(encoded(f, format, picture(9, 7)))
	}
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := logo.Redraw(content)
		if err != nil {
			return
		}
		if _, err := png.Decode(bytes.NewReader(got.PNG)); err != nil || got.Width > 240 || got.Height > 48 {
			t.Errorf("%d × %d, %v", got.Width, got.Height, err)
		}
	})
}

// server is who has the logos.
type server struct {
	asked   int
	content []byte
	err     error
}

func (s *server) Get(_ context.Context, _ string, limit int64) ([]byte, error) {
	s.asked++
	if int64(len(s.content)) > limit {
		return nil, errors.New("too much")
	}
	return s.content, s.err
}

// TestLogosAreFetchedInTheBackground once, and again after an hour; what is
// known stays where that fails.
func TestLogosAreFetchedInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const url = "https://example.com/logo.png"
		s := &server{content: encoded(t, "png", picture(10, 10))}
		logos := logo.New(s, time.Now, 1<<20)
		if got, err := logos.Look(url); got != nil || !errors.Is(err, logo.ErrNotYet) {
			t.Fatalf("a logo that was never fetched: %v, %v", got, err)
		}
		synctest.Wait()
		first := logos.Find(url)
		if first == nil || s.asked != 1 {
			t.Fatalf("%v after %d requests", first, s.asked)
		}
		time.Sleep(time.Hour + time.Second)
		s.content, s.err = nil, errors.New(strings.Repeat("down ", 3))
		for range 3 {
			if logos.Find(url) != first {
				t.Error("a failure takes the logo away")
			}
			synctest.Wait()
		}
		if got, err := logos.Look(url); got != first || !errors.Is(err, s.err) {
			t.Errorf("after a failure: %v, %v", got, err)
		}
		if s.asked != 2 {
			t.Errorf("asked %d times, want 2", s.asked)
		}
		time.Sleep(6 * time.Minute)
		s.content, s.err = encoded(t, "png", picture(20, 10)), nil
		logos.Find(url)
		synctest.Wait()
		if now, err := logos.Look(url); err != nil || now == nil || now.Digest == first.Digest || s.asked != 3 {
			t.Errorf("the new logo is not shown: %v after %d requests", now, s.asked)
		}
	})
}
