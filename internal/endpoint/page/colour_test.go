package page_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/ostiary/ostiary/internal/endpoint/page"
)

var sheet = regexp.MustCompile(`^:root\{--accent:(#\S{6});--on-accent:(#\S{6});--link:(#\S{6})\}\n` +
	`@media\(prefers-color-scheme:dark\)\{:root\{--accent:(#\S{6});--on-accent:(#\S{6});--link:(#\S{6})\}\}\n$`)

// TestEveryColourCanBeRead holds the style sheet of any colour against WCAG 2.2
// §1.4.3, on the cards and on the page around them.
func TestEveryColourCanBeRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accent := fmt.Sprintf("#%06x", rapid.IntRange(0, 0xffffff).Draw(t, "accent"))
		css, ok := page.Colours(":root", accent)
		c := sheet.FindStringSubmatch(css)
		if !ok || c == nil {
			t.Fatalf("%s: %v %q", accent, ok, css)
		}
		for _, pair := range [][2]string{
			{c[1], c[2]},
			{c[3], "#ffffff"},
			{c[3], "#f4f6f8"},
			{c[4], c[5]},
			{c[6], "#171a1f"},
			{c[6], "#0f1115"},
		} {
			if got := contrast(t, pair[0], pair[1]); got < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", accent, pair[0], pair[1], got)
			}
		}
	})
}

func TestWhatIsNoColour(t *testing.T) {
	for _, text := range []string{"", "#fff", "#ggffff", "red", "#ffffff}", "#-1ffff", "#+1ffff"} {
		if css, ok := page.Colours(":root", text); ok || css != "" {
			t.Errorf("%q makes %q", text, css)
		}
	}
}

func contrast(t *rapid.T, a, b string) float64 {
	luminance := func(text string) float64 {
		n, err := strconv.ParseUint(text[1:], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		linear := func(v uint64) float64 {
			s := float64(v&0xff) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}
