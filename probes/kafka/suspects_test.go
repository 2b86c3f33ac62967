package kafka

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// One stuck partition of a live broker is suspect; all partitions of a broker that
// is gone, or that follows nothing, are not.
func TestPointAtStuck(t *testing.T) {
	v := &fact.MetadataView{Topics: []string{"orders"}, Brokers: []fact.BrokerAddress{{ID: 1}, {ID: 2}, {ID: 4}}}
	for i, isr := range [][]int32{{1, 2}, {1}, {1, 2}, {1, 2}} {
		v.Topic, v.Partition = append(v.Topic, 0), append(v.Partition, int32(i))
		v.Replicas.Add([]int32{1, 2, 3, 4})
		v.ISR.Add(isr)
	}
	var s probe.Suspects
	pointAtStuck(&s, v)
	if got := s.All(); len(got) != 1 || got[0] != (probe.Suspect{Partition: "orders-1", Why: "broker 2 does not follow it"}) {
		t.Errorf("suspects %v, expected orders-1 alone", got)
	}
}
