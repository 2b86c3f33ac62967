package segments

import (
	"testing"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// TestAlike: rows that stand twice count, whatever lies between; what is alike for
// other reasons does not.
func TestAlike(t *testing.T) {
	upTo := func(n uint64) (all []uint64) {
		for i := range n {
			all = append(all, i+1)
		}
		return all
	}
	many := append([]uint64{100_001, 100_002, 100_003}, upTo(alikeWindow)...)
	for _, c := range []struct {
		name    string
		digests []uint64
		want    int64
		where   Repeat
	}{
		{"nothing twice", upTo(1000), 0, Repeat{}},
		{"a batch again", []uint64{1, 2, 3, 4, 9, 2, 3, 4, 5}, 3, Repeat{First: 1, Again: 5}},
		{"one record again", []uint64{1, 2, 3, 4, 9, 2, 8, 4, 5}, 0, Repeat{}},
		{"the same all the time", []uint64{7, 7, 7, 7, 7, 7}, 0, Repeat{}},
		{"turn by turn", []uint64{1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, 4, Repeat{First: 0, Again: 2}}, // until it is told from a retry
		{"sent three times", []uint64{1, 2, 3, 1, 2, 3, 1, 2, 3}, 6, Repeat{First: 0, Again: 3}},
		{"in another order", []uint64{1, 2, 3, 3, 2, 1}, 0, Repeat{}},
		{"beyond the window", append(many, 100_001, 100_002, 100_003), 0, Repeat{}},
	} {
		a := alike{}
		a.begin(1)
		var sum int64
		var first Repeat
		for i, d := range c.digests {
			n, where := a.record(&batch.Record{Offset: int64(i), Digest: d, ValueSize: 8})
			if sum == 0 {
				first = where
			}
			sum += n
		}
		if sum != c.want || first != c.where {
			t.Errorf("%s: %d alike, the first %+v; want %d, %+v", c.name, sum, first, c.want, c.where)
		}
		a.begin(2)
		for i, d := range c.digests[:min(2, len(c.digests))] {
			if n, _ := a.record(&batch.Record{Offset: int64(i), Digest: d, ValueSize: 8}); n != 0 {
				t.Errorf("%s: a record of another segment counts", c.name)
			}
		}
	}
}
