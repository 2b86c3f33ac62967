package gclog

import (
	"cmp"
	"math"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// exactly is up to how many pauses percentiles are exact: 4 MiB of lengths.
// Beyond that they come from buckets that are 1/128 wide.
const exactly = 1 << 20

// lengths is the lengths of pauses.
type lengths struct {
	count   int
	total   float64
	longest float64
	each    []float32
	buckets []uint32 // nil until there are too many to keep each
}

// Buckets hold 2^-30 s (a nanosecond) to 2^20 s in steps of 1/128 of a power of
// two.
const (
	bucketSteps = 128
	bucketLow   = -30
	bucketCount = 50*bucketSteps + 1
)

func (l *lengths) add(seconds float64) {
	l.count++
	l.total += seconds
	l.longest = max(l.longest, seconds)
	if l.buckets == nil && len(l.each) < exactly {
		l.each = append(l.each, float32(seconds))
		return
	}
	if l.buckets == nil {
		l.buckets = make([]uint32, bucketCount)
		for _, s := range l.each {
			l.buckets[bucketOf(float64(s))]++
		}
		l.each = nil
	}
	l.buckets[bucketOf(seconds)]++
}

func bucketOf(seconds float64) int {
	fraction, exponent := math.Frexp(seconds) // fraction in [0.5, 1)
	i := (exponent-1-bucketLow)*bucketSteps + int((fraction-0.5)*2*bucketSteps)
	return min(max(i, 0), bucketCount-1)
}

// upper is the end of a bucket.
func upper(i int) float64 {
	return math.Ldexp(1+float64(i%bucketSteps+1)/bucketSteps, i/bucketSteps+bucketLow)
}

func (l *lengths) summary() fact.GCPauses {
	s := fact.GCPauses{Count: l.count, Total: round(l.total), Exact: l.buckets == nil}
	if l.count == 0 {
		return s
	}
	slices.Sort(l.each)
	for _, of := range []struct {
		share float64
		to    **float64
	}{{0.50, &s.P50}, {0.95, &s.P95}, {0.99, &s.P99}, {1, &s.Max}} {
		v := l.longest
		if of.share < 1 {
			v = min(v, l.rank(int(math.Ceil(of.share*float64(l.count)))))
		}
		v = round(v)
		*of.to = &v
	}
	return s
}

// rank is the length of the n-th shortest, from 1.
func (l *lengths) rank(n int) float64 {
	if l.buckets == nil {
		return float64(l.each[n-1])
	}
	for i, c := range l.buckets {
		if n -= int(c); n <= 0 {
			return upper(i)
		}
	}
	return l.longest
}

// round drops what summing adds: logs tell microseconds, or less.
func round(seconds float64) float64 { return math.Round(seconds*1e7) / 1e7 }

// shares is counts by name.
type shares struct {
	at  map[string]int
	all []fact.GCShare
}

func (s *shares) add(name string, seconds float64) {
	i, ok := s.at[name]
	if !ok {
		if s.at == nil {
			s.at = map[string]int{}
		}
		if len(s.all) >= maxNames {
			name = Other
		}
		if i, ok = s.at[name]; !ok {
			i = len(s.all)
			s.at[name] = i
			s.all = append(s.all, fact.GCShare{Name: name})
		}
	}
	s.all[i].Count++
	s.all[i].Total += seconds
}

// sorted is most time first.
func (s *shares) sorted() []fact.GCShare {
	all := append([]fact.GCShare{}, s.all...)
	for i := range all {
		all[i].Total = round(all[i].Total)
	}
	slices.SortFunc(all, func(a, b fact.GCShare) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return all
}
