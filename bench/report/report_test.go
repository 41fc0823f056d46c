package report_test

import (
	"math"
	"testing"

	"github.com/ostiary/ostiary/bench/report"
)

func TestSpread(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		series report.Series
		want   string
	}{
		{"none", nil, "–"},
		{"one", report.Series{0.25}, "0.250"},
		{"odd", report.Series{3, 1, 2}, "2.00 (1.00–3.00)"},
		{"even", report.Series{4, 1, 2, 3}, "2.50 (1.00–4.00)"},
		{"gaps", report.Series{nan, 5, nan, 7, 6}, "6.00 (5.00–7.00)"},
		{"gaps only", report.Series{nan}, "–"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.series.Spread().String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0.00071: "0.0007", 0.0445: "0.044", 0.5: "0.500", 1.234: "1.23", 39.52: "39.5", 123.4: "123", 1234567: "1,234,567", -1234: "-1,234",
	} {
		if got := report.Number(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

// TestJudge: the ratio is taken within each round, so a machine that was slow
// in one round slows both sides of it.
func TestJudge(t *testing.T) {
	figures := map[string]report.Series{
		"post": {1, 2, 10},
		"row":  {1, 2, 10},
		"read": {0.5, 1, 5},
		"mint": {2.8, 5.8, 27},
		"look": {2, 4, 20},
	}
	label := func(name string) string { return name }
	for _, c := range []struct {
		budget report.Budget
		limit  string
		ratio  string
		kept   bool
		known  bool
	}{
		{report.Budget{Figure: "mint", Factor: 1.4, Floors: []string{"post", "row"}}, "≤ 1.40 × (post + row)", "1.40 (1.35–1.45)", true, true},
		{report.Budget{Figure: "mint", Factor: 1.39, Floors: []string{"post", "row"}}, "≤ 1.39 × (post + row)", "1.40 (1.35–1.45)", false, true},
		{report.Budget{Figure: "look", Factor: 1.5, Floors: []string{"post"}, Plus: []string{"read"}}, "≤ 1.50 × post + read", "1.50 (1.50–1.50)", true, true},
		{report.Budget{Figure: "look", Factor: 1.5, Floors: []string{"post"}, Plus: []string{"read", "post"}, Less: []string{"post"}}, "≤ 1.50 × post + read + post − post", "1.50 (1.50–1.50)", true, true},
		{report.Budget{Figure: "none", Factor: 1.5, Floors: []string{"post"}}, "≤ 1.50 × post", "–", false, false},
	} {
		got := c.budget.Judge(figures)
		if got.Kept != c.kept || got.Known != c.known || got.Ratio.String() != c.ratio || c.budget.Limit(label) != c.limit {
			t.Errorf("%s: ratio %s, kept %v, known %v, %s", c.budget.Figure, got.Ratio, got.Kept, got.Known, c.budget.Limit(label))
		}
	}
}

func TestBound(t *testing.T) {
	figures := map[string]report.Series{"rss": {40}, "share": {79, 81, 85}}
	for _, c := range []struct {
		bound report.Bound
		want  string
	}{
		{report.Bound{Figure: "rss", Most: 40}, "ok"},
		{report.Bound{Figure: "rss", Most: 39}, "**missed**"},
		{report.Bound{Figure: "share", Least: 80}, "ok"},
		{report.Bound{Figure: "share", Least: 82}, "**missed**"},
		{report.Bound{Figure: "none", Most: 1}, "not measured"},
	} {
		if got := report.Mark(c.bound.Kept(figures)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.bound, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	got := report.Table{{"Work", "p99"}, {"café", "1"}, {"x"}}.String()
	const want = "| Work | p99 |\n|------|-----|\n| café | 1   |\n| x    |     |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
