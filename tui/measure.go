package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// measure is numbers of facts that can be shown and drawn, on any subject of
// their scope: levels of gauges, or how fast counters grow. It says nothing of
// good or bad: the limit is that of a sign.
type measure struct {
	title string
	of    []fact.Of[float64] // summed
	rate  bool               // counters: growth per second, or per growth of those below
	per   []fact.Of[float64] // divided by their sum: growth where they are counters and rate is set
	rest  bool               // what is left to 1 instead
	unit  fact.Unit
	sign  string // id of the sign whose limit it is held against; empty: none
}

// key is the fact that says why a measure is unknown, who saw it and when.
func (q *measure) key() *fact.Def { return q.of[0].Def() }

// why says why a measure is unknown on a subject: because one of its facts is; nil
// when all are known.
func (q *measure) why(f diagnose.Facts, on fact.Subject) *fact.Unknown {
	for _, keys := range [][]fact.Of[float64]{q.of, q.per} {
		for _, k := range keys {
			if why := f.Why(k.Def(), on); why != nil {
				return why
			}
		}
	}
	return nil
}

// says is what the measure is made of.
func (q *measure) says() string {
	names := func(keys []fact.Of[float64]) string {
		all := make([]string, len(keys))
		for i, k := range keys {
			all[i] = k.Def().Name
		}
		return strings.Join(all, " + ")
	}
	if len(q.of) == 1 && len(q.per) == 0 {
		return fmt.Sprintf("%s: %s (%s).", q.title, q.key().Doc, q.key().Name)
	}
	text := q.title + ": "
	if q.rest {
		text += "1 - "
	}
	switch {
	case q.rate && len(q.per) > 0 && q.per[0].Def().Kind == fact.CounterKind:
		return text + "growth of " + names(q.of) + " for each growth of " + names(q.per) + "."
	case q.rate:
		text += "growth a second of "
	}
	if len(q.per) == 0 {
		return text + names(q.of) + "."
	}
	return text + names(q.of) + ", divided by " + names(q.per) + "."
}

// points is the numbers on a subject, oldest first. Counters that began anew
// give none there, and an unknown newest answer ends them in a gap.
func (q *measure) points(f diagnose.Facts, on fact.Subject) []diagnose.Point {
	above, below := columnsOf(f, q.of, on), columnsOf(f, q.per, on)
	var all []diagnose.Point
	var before *moment
	for _, s := range f.Past(q.key(), on) {
		now := moment{at: s.At}
		var ok [2]bool
		now.above, ok[0] = above.sumAt(s.At)
		now.below, ok[1] = below.sumAt(s.At)
		if !ok[0] || !ok[1] {
			continue
		}
		if v, ok := q.value(before, now); ok {
			all = append(all, diagnose.Point{At: s.At, Value: v, Known: true})
		}
		before = &now
	}
	if q.why(f, on) != nil {
		all = append(all, diagnose.Point{At: f.Now()})
	}
	return all
}

// moment is the sums at one time.
type moment struct {
	at           time.Time
	above, below float64
}

// value is the number at a moment; false where there is none.
func (q *measure) value(before *moment, now moment) (v float64, ok bool) {
	grown := q.rate && len(q.per) > 0 && q.per[0].Def().Kind == fact.CounterKind
	if !q.rate {
		v = now.above
	} else {
		if before == nil || now.above < before.above || !now.at.After(before.at) {
			return 0, false
		}
		v = now.above - before.above
		if !grown {
			v /= now.at.Sub(before.at).Seconds()
		}
	}
	switch {
	case grown && now.below <= before.below:
		return 0, v == 0 && now.below == before.below // nothing happened, so nothing took long
	case grown:
		v /= now.below - before.below
	case len(q.per) > 0 && now.below <= 0:
		return 0, false
	case len(q.per) > 0:
		v /= now.below
	}
	if q.rest {
		v = 1 - v
	}
	return v, !math.IsNaN(v) && !math.IsInf(v, 0)
}

// column is the samples of one key, read from old to new.
type column struct {
	past []fact.Sample
	next int
}

// columns is several of them side by side.
type columns []*column

func columnsOf(f diagnose.Facts, keys []fact.Of[float64], on fact.Subject) columns {
	all := make(columns, 0, len(keys))
	for _, k := range keys {
		all = append(all, &column{past: f.Past(k.Def(), on)})
	}
	return all
}

// sumAt is the sum of the newest values up to a time; times come in order. False
// when one of them has none yet.
func (all columns) sumAt(at time.Time) (sum float64, ok bool) {
	for _, c := range all {
		for c.next < len(c.past) && !c.past[c.next].At.After(at) {
			c.next++
		}
		if c.next == 0 {
			return 0, false
		}
		v, isNumber := c.past[c.next-1].Value.(float64)
		if !isNumber {
			return 0, false
		}
		sum += v
	}
	return sum, true
}

// lineRate is how many lines of a log stand in each minute, as points at the
// minutes' beginnings; minutes without one are 0.
func lineRate(lines fact.LogLines, now time.Time) []diagnose.Point {
	var all []diagnose.Point
	if len(lines.Minutes) == 0 {
		return nil
	}
	const most = 240
	at := lines.Minutes[0].At
	if oldest := now.Truncate(time.Minute).Add(-most * time.Minute); at.Before(oldest) {
		at = oldest
	}
	of := make(map[int64]int, len(lines.Minutes))
	for _, m := range lines.Minutes {
		of[m.At.Unix()] = m.Count
	}
	for ; !at.After(now) && len(all) <= most; at = at.Add(time.Minute) {
		all = append(all, diagnose.Point{At: at, Value: float64(of[at.Unix()]), Known: true})
	}
	return all
}
