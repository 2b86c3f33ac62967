package kafka

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// replicasAtMost bounds the partitions whose replicas are asked in a round.
const replicasAtMost = 2000

// asDebugger is the replica id of who wants a replica's own answer, whether it leads
// or not, and its log end in place of the high watermark. Brokers keep no state of
// who asks so.
const asDebugger = -2

// ReplicaEnds asks every replica itself where its log begins and ends, in two
// requests to each broker: of partitions that something points at and whose ISR is
// short first, then of the others up to 2000. Brokers answer from memory.
//
// Replicas are not asked at one moment: of a log that grows they differ by what was
// written meanwhile.
var ReplicaEnds = &probe.Probe{
	Name: "kafka.replicas", Doc: "where the log of each replica begins and ends, as that replica's broker tells it",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata},
	Yields:  []fact.Key{fact.ReplicaLogs},
	Observe: observeReplicas,
}

// examined is the partitions whose replicas are asked, by index in the view in its
// order, and how many more there are.
func examined(view *fact.MetadataView, suspects []probe.Suspect) (all []int32, left int) {
	if n := len(view.Partition); n <= replicasAtMost {
		for i := range n {
			all = append(all, int32(i))
		}
		return all, 0
	}
	taken := map[int32]bool{}
	take := func(i int) {
		if i >= 0 && len(all) < replicasAtMost && !taken[int32(i)] {
			taken[int32(i)] = true
			all = append(all, int32(i))
		}
	}
	for _, s := range suspects {
		if topic, number, ok := fact.ParsePartition(s.Partition); ok {
			take(view.At(topic, number))
		}
	}
	for i := range view.Partition {
		if len(view.ISR.At(i)) < len(view.Replicas.At(i)) {
			take(i)
		}
	}
	for i := range view.Partition {
		if len(all) == replicasAtMost {
			break
		}
		take(i)
	}
	slices.Sort(all)
	return all, len(view.Partition) - len(all)
}

func observeReplicas(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	asked, left := examined(view, t.Suspects.All())
	on, wanted := map[int32][]int32{}, 0
	for _, i := range asked {
		for _, id := range view.Replicas.At(int(i)) {
			on[id] = append(on[id], i)
			wanted++
		}
	}
	all, err := gather(ctx, r, "kafka.replicas", func(ctx context.Context, p *peer) ([]replicaEnd, error) {
		if len(on[p.id]) == 0 {
			return nil, nil
		}
		return r.askReplica(ctx, p, view, on[p.id])
	})
	if wanted == 0 {
		err = nil // nobody was asked
	}
	if len(all) == 0 && err != nil {
		return nil, err
	}
	o := replicaColumns(all)
	o.Left, o.Untold = left, wanted-len(all)
	return []fact.Observation{fact.ReplicaLogs.Is(fact.TheCluster, o)}, err
}

// replicaEnd is what one replica told.
type replicaEnd struct {
	partition
	broker     int32
	start, end int64
}

// askReplica asks a broker for both ends of its own logs of some partitions: the
// start first, which mostly stands.
func (r *roster) askReplica(ctx context.Context, p *peer, view *fact.MetadataView, some []int32) (all []replicaEnd, err error) {
	starts := map[partition]int64{}
	for _, at := range []int64{atStart, atEnd} {
		request := endsRequest(view, some, at, 0)
		request.ReplicaID = asDebugger
		got, failure := r.ask(ctx, p, request)
		if failure != nil {
			return nil, failure
		}
		for _, topic := range got.(*kmsg.ListOffsetsResponse).Topics {
			for _, one := range topic.Partitions {
				of := partition{topic.Topic, one.Partition}
				switch start, known := starts[of]; {
				case one.ErrorCode != 0 && !moved(one.ErrorCode):
					err = cmp.Or(err, refusal(p, "ListOffsets of a replica", one.ErrorCode))
				case one.ErrorCode != 0 || one.Offset < 0 || view.At(of.topic, of.number) < 0:
				case at == atStart:
					starts[of] = one.Offset
				case known:
					all = append(all, replicaEnd{of, p.id, start, one.Offset})
				}
			}
		}
	}
	return all, err
}

func replicaColumns(all []replicaEnd) (o fact.ReplicaEnds) {
	slices.SortFunc(all, func(a, b replicaEnd) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number), cmp.Compare(a.broker, b.broker))
	})
	for _, e := range all {
		o.Topic = append(o.Topic, e.topic)
		o.Partition = append(o.Partition, e.number)
		o.Broker = append(o.Broker, e.broker)
		o.Start = append(o.Start, e.start)
		o.End = append(o.End, e.end)
	}
	return o
}
