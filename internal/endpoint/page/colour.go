package page

import (
	"fmt"
	"math"
	"strconv"
)

// Grounds that the kit's style sheet draws on; the tests hold them against it.
const (
	lightGround = "#ffffff"
	darkGround  = "#171a1f"
)

// enough is a little more than the contrast of 4.5 that text needs (WCAG 2.2
// §1.4.3): links also stand on the page beside the cards.
const enough = 5

// Colours makes a style sheet of one accent colour, #rrggbb, for what a selector
// finds; ":root" is the page. Text on it is
// black or white, whichever is read better; as text it is darkened (lightened,
// in the dark) until it can be read on the page. ok is false for what is no
// colour.
func Colours(selector, accent string) (css string, ok bool) {
	base, ok := parseColour(accent)
	if !ok {
		return "", false
	}
	light, dark := readable(base, lightGround), readable(base, darkGround)
	fill := base
	if contrast(base, mustColour(darkGround)) < 3 { // WCAG 2.2 §1.4.11: the edge of a button
		fill = dark
	}
	return fmt.Sprintf("%s{--accent:%s;--on-accent:%s;--link:%s}\n@media(prefers-color-scheme:dark){%s{--accent:%s;--on-accent:%s;--link:%s}}\n",
		selector, base, on(base), light, selector, fill, on(fill), dark), true
}

type rgb [3]float64

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

func parseColour(s string) (c rgb, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return c, false
	}
	for i := range c {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return c, false
		}
		c[i] = float64(n)
	}
	return c, true
}

func mustColour(s string) rgb {
	c, _ := parseColour(s)
	return c
}

// luminance is WCAG's relative luminance.
func luminance(c rgb) float64 {
	var l float64
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		v := c[i] / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += weight * v
	}
	return l
}

func contrast(a, b rgb) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// on gives black or white, of which one always has a contrast of 4.58 or more.
func on(c rgb) string {
	if contrast(c, rgb{255, 255, 255}) >= contrast(c, rgb{}) {
		return "#ffffff"
	}
	return "#000000"
}

// readable mixes a colour with black (on a dark ground with white) in steps
// until it can be read on the ground.
func readable(c rgb, ground string) rgb {
	g := mustColour(ground)
	var end rgb
	if luminance(g) < 0.5 {
		end = rgb{255, 255, 255}
	}
	const steps = 20
	for i := range steps {
		var mixed rgb
		for j := range mixed {
			mixed[j] = math.Round(c[j] + (end[j]-c[j])*float64(i)/steps)
		}
		if contrast(mixed, g) >= enough {
			return mixed
		}
	}
	return end
}
