package signin

import (
	"fmt"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the margin of a QR code, in modules (ISO/IEC 18004 §6.3.8).
const quiet = 4

// drawQR gives a text as a QR code: its width with the margin, and the dark
// modules as SVG path data, a rectangle for each run of a row.
func drawQR(text string) (size int, modules string, err error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return 0, "", fmt.Errorf("make a QR code: %w", err)
	}
	width := code.Bounds().Dx()
	dark := func(x, y int) bool {
		if x >= width {
			return false
		}
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var path strings.Builder
	for y := range width {
		for x := 0; x < width; x++ {
			from := x
			for dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	return width + 2*quiet, path.String(), nil
}
