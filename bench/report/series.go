// Package report owns what becomes of measurements: medians with their spread,
// comparisons with floors and budgets, and the tables that show them. It
// measures nothing.
package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Series is one figure, measured once a round, in the order of the rounds. A
// round in which it was not measured is NaN.
type Series []float64

// Spread is the median of a series, with its least and greatest value.
type Spread struct {
	Median, Min, Max float64
	N                int
}

// Spread of what was measured; N is 0 where nothing was.
func (s Series) Spread() Spread {
	known := slices.DeleteFunc(slices.Clone(s), math.IsNaN)
	if len(known) == 0 {
		return Spread{Median: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	}
	slices.SortFunc(known, cmp.Compare[float64])
	middle := known[len(known)/2]
	if len(known)%2 == 0 {
		middle = (known[len(known)/2-1] + middle) / 2
	}
	return Spread{Median: middle, Min: known[0], Max: known[len(known)-1], N: len(known)}
}

// Combine computes a series round by round; rounds that one of them lacks are
// left out at the end, or NaN.
func Combine(f func(values []float64) float64, all ...Series) Series {
	if len(all) == 0 {
		return nil
	}
	n := len(all[0])
	for _, s := range all {
		n = min(n, len(s))
	}
	out := make(Series, n)
	values := make([]float64, len(all))
	for round := range out {
		for i, s := range all {
			values[i] = s[round]
		}
		out[round] = f(values)
	}
	return out
}

// Number writes a figure with three significant digits at most.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 1000:
		return thousands(int64(math.Round(v)))
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	case a >= 0.01:
		return fmt.Sprintf("%.3f", v)
	default:
		return fmt.Sprintf("%.4f", v)
	}
}

func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// String writes "median (min–max)", the median alone where it stands alone.
func (s Spread) String() string {
	if s.N < 2 {
		return Number(s.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", Number(s.Median), Number(s.Min), Number(s.Max))
}
