package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/guptarohit/asciigraph"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

const (
	graphMin = 6  // rows below which no graph is drawn: title, four of plot, times
	axisWide = 11 // columns that the plot takes left of its first point
	carry    = time.Minute
)

// chartOf is what a graph shows, one value a column. NaN is a gap.
type chartOf struct {
	values   []float64
	limit    float64 // NaN: none
	lo, hi   float64 // of the scale
	min, max float64 // seen
	now      float64 // NaN: unknown just now
	from, to time.Time
}

// sample spreads points over columns. Of many points in a column the one nearest
// to trouble stands: the highest, or the lowest where yes is below the limit, so
// that no peak vanishes. A column without a point of its own carries the one
// before it for up to a minute. ok is false when no point has a finite value.
func sample(points []diagnose.Point, columns int, limit float64, below bool) (c chartOf, ok bool) {
	if math.IsInf(limit, 0) {
		limit = math.NaN() // no limit that could be drawn
	}
	c = chartOf{min: math.Inf(1), max: math.Inf(-1), now: math.NaN()}
	if len(points) == 0 || columns < 1 {
		return c, false
	}
	c.from, c.to = points[0].At, points[len(points)-1].At
	for range columns {
		c.values = append(c.values, math.NaN())
	}
	span := c.to.Sub(c.from)
	column := func(at time.Time) int {
		if span <= 0 {
			return 0
		}
		return max(0, min(columns-1, int(float64(at.Sub(c.from))/float64(span)*float64(columns-1)+0.5)))
	}
	last, seen := -1, time.Time{}
	for _, p := range points {
		v := p.Value
		if !p.Known || math.IsInf(v, 0) || math.IsNaN(v) {
			v = math.NaN()
		} else {
			c.min, c.max = min(c.min, v), max(c.max, v)
		}
		at := column(p.At)
		if last >= 0 && p.At.Sub(seen) <= carry {
			for i := last + 1; i < at; i++ {
				c.values[i] = c.values[last]
			}
		}
		if old := c.values[at]; at != last || math.IsNaN(old) || (v > old) != below && !math.IsNaN(v) {
			c.values[at] = v
		}
		last, seen, c.now = at, p.At, v
	}
	if c.min > c.max {
		return c, false
	}
	c.limit, c.lo, c.hi = limit, c.min, c.max
	if !math.IsNaN(limit) {
		c.lo, c.hi = min(c.lo, limit), max(c.hi, limit)
	}
	c.lo, c.hi = scale(c.lo, c.hi)
	return c, true
}

// scale is round numbers around what must fit, from zero where possible, so
// that the scale stays while values move.
func scale(low, high float64) (lo, hi float64) {
	if math.IsNaN(low) || math.IsInf(low, 0) {
		low = 0
	}
	if math.IsNaN(high) || math.IsInf(high, 0) {
		high = 1
	}
	hi, lo = roundUp(high), -roundUp(-low)
	if hi <= lo {
		hi = lo + 1
	}
	return lo, hi
}

// roundUp is the next of 1, 2, 5, 10, 20, … at or above a value; 0 for none above 0.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 0
	}
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, step := range []float64{1, 2, 5} {
		if v <= step*base*(1+1e-9) {
			return step * base
		}
	}
	if up := 10 * base; !math.IsInf(up, 0) {
		return up
	}
	return v
}

// plot draws values and the limit into lines, each axisWide columns wider than
// the values are many. Everything is brought to 0…1 first: the library counts
// rows in integers, which a value such as 1e300 would overflow.
func plot(c chartOf, unit fact.Unit, rows int, ascii bool) []string {
	limit := c.limit
	steps := float64(roundSteps(rows - 1))
	if unit == fact.Count && c.hi-c.lo < steps {
		c.hi = c.lo + steps // there is nothing between two counts
	}
	unit01 := func(v float64) float64 { return max(0, min(1, (v/2-c.lo/2)/(c.hi/2-c.lo/2))) }
	data, line := make([]float64, 0, len(c.values)+1), make([]float64, 0, len(c.values)+1)
	for _, v := range append(c.values[:len(c.values):len(c.values)], c.values[len(c.values)-1]) {
		if math.IsNaN(v) {
			data = append(data, v)
		} else {
			data = append(data, unit01(v))
		}
		line = append(line, unit01(limit))
	}
	ofLimit, ofData := asciigraph.CreateCharSet("╌"), asciigraph.DefaultCharSet
	if ascii {
		ofLimit, ofData = asciigraph.CreateCharSet("-"), asciigraph.CreateCharSet("*")
	}
	series := [][]float64{line, data}
	if math.IsNaN(limit) {
		series, ofLimit = series[1:], ofData
	}
	text := asciigraph.PlotMany(series,
		asciigraph.Height(int(steps)), asciigraph.LowerBound(0), asciigraph.UpperBound(1),
		asciigraph.SeriesChars(ofLimit, ofData),
		asciigraph.YAxisValueFormatter(func(v float64) string {
			value := c.lo*(1-v) + c.hi*v
			if math.Round(v*steps) == math.Round(unit01(limit)*steps) {
				value = limit // its line stands in the nearest row: that row is named for it
			}
			return fmt.Sprintf("%8s", cut(number(value, unit), 8))
		}))
	if ascii {
		text = strings.NewReplacer("┤", "|", "┼", "+").Replace(text)
	}
	return strings.Split(text, "\n")
}

// roundSteps is in how many equal steps the scale goes: at most n, and such that
// the numbers at the side are round.
func roundSteps(n int) int {
	for _, steps := range []int{10, 5, 4, 2} {
		if steps <= n {
			return steps
		}
	}
	return 1
}

// graphRows is a sign's numbers over time with its limit, in h rows; a sentence
// where there is nothing to draw.
func (m Model) graphRows(sign *diagnose.Sign, on fact.Subject, w, h int) []row {
	c := curve{title: sign.Title, on: on, points: func() []diagnose.Point { return m.shown.session.Series(sign, on) }}
	if st := m.stateOf(sign, on); st != nil && st.Unit != "" {
		c.unit, c.sign = st.Unit, st
	}
	return m.curveRows(&c, w, h)
}

// curveRows is any numbers over time, with a limit where there is one.
func (m Model) curveRows(of *curve, w, h int) []row {
	limit, below := math.NaN(), false
	if of.sign != nil {
		limit, below = of.sign.Limit, of.sign.Below
	}
	name := row{{m.glyphs.line + " ", dim}, {of.title, bold}, {"  " + subject(of.on, 30), dim}}
	c, ok := sample(of.points(), w-axisWide, limit, below)
	if !ok || h < graphMin || w < axisWide+8 {
		return []row{split(name, in(dim, "no numbers yet"), w)}
	}
	now := "unknown"
	if !math.IsNaN(c.now) {
		now = number(c.now, of.unit)
	}
	numbers := row{{"  now " + now, bold}, {"  min " + number(c.min, of.unit) + "  max " + number(c.max, of.unit), dim}}
	if !math.IsNaN(limit) {
		numbers = append(row{{" limit " + number(limit, of.unit), dim}}, numbers...)
	}
	rows := []row{split(name, numbers, w)}
	if name.width()+numbers.width() > w && h > stripHigh {
		rows = []row{name, split(nil, numbers, w)}
		h--
	}
	for _, line := range plot(c, of.unit, h-2, m.paint.ascii) {
		rows = append(rows, say(line))
	}
	return append(rows, m.timesRow(c, w))
}

// stateOf is a sign's newest reading on a subject; nil when there is none.
func (m Model) stateOf(sign *diagnose.Sign, on fact.Subject) *diagnose.SignState {
	v := m.verdict()
	for i := range v.Signs {
		if v.Signs[i].Sign == sign && v.Signs[i].Subject == on {
			return &v.Signs[i]
		}
	}
	return nil
}

// timesRow is the times below a graph, and where the fix was applied.
func (m Model) timesRow(c chartOf, w int) row {
	line := []rune(strings.Repeat(" ", w))
	put := func(at int, text string) {
		for i, r := range []rune(text) {
			if at+i >= 0 && at+i < len(line) {
				line[at+i] = r
			}
		}
	}
	put(axisWide, clock(c.from))
	put(w-8, clock(c.to))
	if fix := m.shown.session.FixApplied(); fix.After(c.from) && !fix.After(c.to) {
		at := axisWide + int(float64(fix.Sub(c.from))/float64(c.to.Sub(c.from))*float64(w-axisWide-1))
		if text := m.glyphs.mark + " fix applied"; at+width(text) < w {
			put(at, text)
		} else {
			put(at-12, "fix applied "+m.glyphs.mark)
		}
	}
	return in(dim, string(line))
}

// number is a value in its unit as an operator reads it.
func number(v float64, unit fact.Unit) string {
	if math.IsNaN(v) {
		return "none"
	}
	switch unit {
	case fact.Bytes:
		return scaled(v, 1024, []string{" B", " KiB", " MiB", " GiB", " TiB", " PiB"})
	case fact.Ratio:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v*100), ".0") + " %"
	case fact.Seconds:
		if a := math.Abs(v); a > 0 && a < 1 {
			return fmt.Sprintf("%.3g ms", v*1000)
		} else if a >= 120 {
			return age(time.Duration(min(a, 1e9) * float64(time.Second)))
		}
		return fmt.Sprintf("%.3g s", v)
	}
	return scaled(v, 1000, []string{"", " k", " M", " G", " T"})
}

// scaled is a value with the prefix that keeps it short.
func scaled(v, step float64, units []string) string {
	i := 0
	for ; math.Abs(v) >= step*0.9995 && i < len(units)-1; i++ {
		v /= step
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e6 {
		return fmt.Sprintf("%.0f%s", v, units[i])
	}
	return fmt.Sprintf("%.3g%s", v, units[i])
}
