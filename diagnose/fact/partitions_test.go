package fact_test

import (
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Records written between two samples, also when a topic came between.
func TestWritten(t *testing.T) {
	before := fact.PartitionOffsets{Topics: []string{"a", "c"}, Topic: []int32{0, 0, 1, 1}, Partition: []int32{0, 1, 0, 1}, HighWatermark: []int64{5, -1, 7, 50}}
	after := fact.PartitionOffsets{Topics: []string{"a", "b", "c"}, Topic: []int32{0, 0, 1, 2, 2}, Partition: []int32{0, 1, 0, 0, 1}, HighWatermark: []int64{9, 4, 3, 7, 2}}
	// b is new, and c-1 was made anew.
	if got := after.Written(before); !slices.Equal(got, []int64{4, -1, -1, 0, -1}) {
		t.Errorf("%v", got)
	}
	// Pseudonyms keep the rows in order, not the names.
	hidden := fact.PartitionOffsets{Topics: []string{"topic-9", "topic-1"}, Topic: []int32{0, 0, 1}, Partition: []int32{0, 1, 0}}
	if got := hidden.At("topic-1", 0); got != 2 {
		t.Errorf("topic-1-0 is at %d, 2 is expected", got)
	}
	for _, c := range []struct {
		topic     string
		partition int32
		want      int
	}{{"a", 0, 0}, {"c", 1, 4}, {"c", 2, -1}, {"bb", 0, -1}, {"", 0, -1}, {"z", 0, -1}} {
		if got := after.At(c.topic, c.partition); got != c.want {
			t.Errorf("%s-%d is at %d, %d is expected", c.topic, c.partition, got, c.want)
		}
	}
}
