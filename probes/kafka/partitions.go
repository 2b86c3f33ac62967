package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// partitionsAtMost bounds the partitions whose offsets are asked for in a round:
// those after it, in the order of names, are left out and counted.
const partitionsAtMost = 200_000

// Partitions asks the leaders of all partitions where their logs begin and end:
// three requests to each broker for every 20 000 partitions that it leads. A
// broker answers them from memory. Two samples give the rate of writes.
var Partitions = &probe.Probe{
	Name: "kafka.partitions", Doc: "log start, high watermark and last stable offset of every partition, as its leader tells them",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata},
	Yields:  []fact.Key{fact.PartitionEnds},
	Observe: observePartitions,
}

func observePartitions(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	n := min(len(view.Partition), partitionsAtMost)
	var wanted []int32 // nil: all
	if n < len(view.Partition) {
		for i := range n {
			wanted = append(wanted, int32(i))
		}
	}
	ends, told, err := r.endsOf(ctx, view, wanted)
	if told == 0 && err != nil {
		r.hold(nil)
		return nil, err
	}
	r.hold(ends)
	o := fact.PartitionOffsets{Topics: view.Topics, Topic: view.Topic[:n], Partition: view.Partition[:n],
		LogStart: ends.start[:n], HighWatermark: ends.high[:n], LastStable: ends.stable[:n], Left: len(view.Partition) - n}
	if err == nil && o.Left > 0 {
		err = probe.Fail(fact.NotAskedFor, fmt.Sprintf("the offsets of %d more partitions were not asked for", o.Left), "")
	}
	return []fact.Observation{fact.PartitionEnds.Is(fact.TheCluster, o)}, err
}

// moved says whether an error code of a partition is that its leader is another
// one by now, or cannot tell yet, which the next round will know.
func moved(code int16) bool {
	switch kerr.ErrorForCode(code) {
	case kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.UnknownTopicOrPartition, kerr.OffsetNotAvailable:
		return true
	}
	return false
}
