package diagnose

import "testing"

func TestHomeOfAGroup(t *testing.T) {
	for _, c := range []struct {
		group      string
		partitions int
		want       int32
	}{
		// As brokers with three partitions of __consumer_offsets wrote in their logs.
		{"thumbnailer", 3, 0},
		{"fraud-scoring", 3, 1},
		{"cg", 3, 1},
		{"cg2", 3, 0},
		{"ng", 3, 0},
		// Java's "polygenelubricants".hashCode() is the smallest number.
		{"polygenelubricants", 50, 0},
		{"", 50, 0},
		{"grüße-\U0001F600", 50, 27},
	} {
		if got := homeAmong(c.group, c.partitions); got != c.want {
			t.Errorf("%q of %d: %d, want %d", c.group, c.partitions, got, c.want)
		}
	}
}
