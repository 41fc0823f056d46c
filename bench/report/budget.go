package report

import "strings"

// Budget says what a figure may be: at most Factor times the sum of the floors,
// and what is added, all measured in the same round.
type Budget struct {
	Work   string
	Figure string // name of the figure
	Factor float64
	Floors []string // names of figures
	Plus   []string // names of figures added whole
	Less   []string // and of those taken off again, so that what one adds to another is added
}

// Verdict is how a budget was kept.
type Verdict struct {
	Budget   Budget
	Measured Spread
	Floor    Spread // the sum of the floors
	Ratio    Spread // of the figure, less what is added, to the sum of the floors
	Kept     bool
	Known    bool // false: the figure or a floor was not measured
}

// Judge compares the figures round by round and decides by the median.
func (b Budget) Judge(figures map[string]Series) Verdict {
	sum := func(values []float64) (s float64) {
		for _, v := range values {
			s += v
		}
		return s
	}
	pick := func(names []string) (all []Series) {
		for _, name := range names {
			all = append(all, figures[name])
		}
		return all
	}
	measured := figures[b.Figure]
	floor := Combine(sum, pick(b.Floors)...)
	net := measured
	if len(b.Plus) > 0 {
		net = Combine(func(v []float64) float64 { return v[0] - v[1] }, measured, Combine(sum, pick(b.Plus)...))
	}
	if len(b.Less) > 0 {
		net = Combine(func(v []float64) float64 { return v[0] + v[1] }, net, Combine(sum, pick(b.Less)...))
	}
	ratio := Combine(func(v []float64) float64 { return v[0] / v[1] }, net, floor).Spread()
	return Verdict{
		Budget: b, Measured: measured.Spread(), Floor: floor.Spread(), Ratio: ratio,
		Known: ratio.N > 0, Kept: ratio.N > 0 && ratio.Median <= b.Factor,
	}
}

// Limit writes the budget as it is said: "1.5 × (POST + row)".
func (b Budget) Limit(label func(figure string) string) string {
	words := func(names []string) string {
		labels := make([]string, len(names))
		for i, n := range names {
			labels[i] = label(n)
		}
		return strings.Join(labels, " + ")
	}
	text := words(b.Floors)
	if len(b.Floors) > 1 {
		text = "(" + text + ")"
	}
	text = "≤ " + Number(b.Factor) + " × " + text
	if len(b.Plus) > 0 {
		text += " + " + words(b.Plus)
	}
	if len(b.Less) > 0 {
		text += " − " + words(b.Less)
	}
	return text
}

// Bound is a budget that is a plain number.
type Bound struct {
	Work   string
	Figure string
	Most   float64 // or, where Least is set, the figure must reach it
	Least  float64
	Unit   string
}

// Kept reports whether the median keeps the bound, and whether it is known.
func (b Bound) Kept(figures map[string]Series) (kept, known bool) {
	s := figures[b.Figure].Spread()
	if b.Least > 0 {
		return s.Median >= b.Least, s.N > 0
	}
	return s.Median <= b.Most, s.N > 0
}

// Mark is how the tables show a verdict.
func Mark(kept, known bool) string {
	switch {
	case !known:
		return "not measured"
	case kept:
		return "ok"
	default:
		return "**missed**"
	}
}
