package console

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ostiary/ostiary/internal/core/usage"
)

// series is one thing that was counted, by the hour.
type series struct {
	Name   string
	Look   string // s0 to s5, or bad: a colour and a pattern, so that neither is needed alone
	Counts map[usage.Hour]int64
}

// looks are those of series, in the order in which to take them.
var looks = []string{"s0", "s1", "s2", "s3", "s4", "s5"}

// refusedLook is that of what was refused.
const refusedLook = "bad"

// chart is bars over time, those of one time on top of each other. Its template
// is "chart".
type chart struct {
	ID    string // of the page's charts, where there is more than one
	Label string // what it shows, in words
	Keys  []chartKey
	Scale []int64 // what the lines stand for, from the top
	Slots []chartSlot
	Ticks []chartTick
	Empty bool // nothing was counted
}

type chartKey struct {
	Name, Look string
	Total      int64
}

// chartSlot is the bars of one time. Places and sizes are percentages of the
// plot, so that texts and patterns keep their size at any width.
type chartSlot struct {
	When       string
	Title      string
	X, Width   string
	BarX, Thin string // place and width of the bars in it
	Bars       []chartBar
	Values     []int64 // in the order of the keys
}

type chartBar struct{ Look, Y, Height string }

type chartTick struct {
	X, Anchor, Text string
	Minor           bool // it is left out where there is little room
}

// newChart makes a chart of the time from one moment to another, in steps of
// whole hours.
func newChart(list []series, from, to time.Time, step time.Duration) chart {
	from = from.UTC().Truncate(step)
	n := max(1, int(math.Ceil(float64(to.Sub(from))/float64(step))))
	c := chart{ID: "chart", Slots: make([]chartSlot, n)}
	values := make([][]int64, n)
	for i := range values {
		values[i] = make([]int64, len(list))
	}
	for k, s := range list {
		key := chartKey{Name: s.Name, Look: s.Look}
		for hour, count := range s.Counts {
			at := hour.Time()
			if i := int(at.Sub(from) / step); !at.Before(from) && i < n {
				values[i][k] += count
				key.Total += count
			}
		}
		c.Keys = append(c.Keys, key)
	}
	top := topOf(values)
	c.Empty = !slices.ContainsFunc(c.Keys, func(k chartKey) bool { return k.Total > 0 })
	c.Scale = []int64{top, top / 2, 0}
	for i := range c.Slots {
		c.Slots[i] = c.slot(i, from.Add(time.Duration(i)*step), step, values[i], top)
	}
	c.tick(from, step)
	return c
}

// topOf is the end of the scale: an even number of one digit and zeros that no
// sum exceeds.
func topOf(values [][]int64) int64 {
	most, unit := int64(1), int64(1)
	for _, column := range values {
		sum := int64(0)
		for _, v := range column {
			sum += v
		}
		most = max(most, sum)
	}
	for most > 10*unit {
		unit *= 10
	}
	for top := 2 * unit; ; top += 2 * unit {
		if top >= most {
			return top
		}
	}
}

func (c *chart) slot(i int, at time.Time, step time.Duration, values []int64, top int64) chartSlot {
	width := 100 / float64(len(c.Slots))
	s := chartSlot{
		When: slotName(at, step), X: percent(float64(i) * width), Width: percent(width),
		BarX: percent((float64(i) + 0.14) * width), Thin: percent(0.72 * width), Values: values,
	}
	texts := make([]string, 0, len(values))
	y := 100.0
	for k, v := range values {
		if v == 0 {
			continue
		}
		texts = append(texts, count(v)+" "+c.Keys[k].Name)
		height := 100 * float64(v) / float64(top)
		y -= height
		s.Bars = append(s.Bars, chartBar{c.Keys[k].Look, percent(y), percent(height)})
	}
	if len(texts) == 0 {
		texts = []string{"none"}
	}
	s.Title = s.When + ": " + strings.Join(texts, ", ")
	return s
}

// slotName names a time of a chart.
func slotName(at time.Time, step time.Duration) string {
	if step < 24*time.Hour {
		return at.Format("2 January, 15:04")
	}
	return at.Format("2 January")
}

// tick writes a few times below the plot.
func (c *chart) tick(from time.Time, step time.Duration) {
	const marks = 6
	layout := "15:04"
	if step >= 24*time.Hour {
		layout = "2 Jan"
	}
	every := max(1, (len(c.Slots)+marks-1)/marks)
	for i := 0; i < len(c.Slots); i += every {
		x := (float64(i) + 0.5) * 100 / float64(len(c.Slots))
		anchor := "middle"
		if x < 4 {
			x, anchor = 0, "start"
		} else if x > 94 {
			x, anchor = 100, "end"
		}
		c.Ticks = append(c.Ticks, chartTick{percent(x), anchor, from.Add(time.Duration(i) * step).Format(layout), i/every%2 == 1})
	}
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }
