package kafka

import (
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Of more partitions than are asked about, suspects and those whose ISR is short
// are asked about anyway.
func TestExamined(t *testing.T) {
	view := &fact.MetadataView{Topics: []string{"many"}}
	for i := range 3 * replicasAtMost {
		view.Topic, view.Partition = append(view.Topic, 0), append(view.Partition, int32(i))
		view.Replicas.Add([]int32{1, 2})
		isr := []int32{1, 2}
		if i == 5000 {
			isr = isr[:1]
		}
		view.ISR.Add(isr)
	}
	all, left := examined(view, []probe.Suspect{{Partition: "many-4711"}, {Partition: "gone-1"}, {Partition: "odd"}, {Partition: "many-x"}})
	if len(all) != replicasAtMost || left != 2*replicasAtMost || !slices.Contains(all, 5000) || !slices.Contains(all, 4711) || !slices.IsSorted(all) {
		t.Errorf("%d asked about, %d left, the last %v", len(all), left, all[len(all)-3:])
	}
}

// Each replica is asked by its own broker, as who debugs; one that told nothing is
// counted, and an answer about what was not asked for is left out.
func TestReplicaEnds(t *testing.T) {
	c := fake(t)
	c.ControlKey(int16(kmsg.ListOffsets), func(k kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		request := k.(*kmsg.ListOffsetsRequest)
		if request.ReplicaID != asDebugger {
			return nil, fmt.Errorf("replica id %d", request.ReplicaID), true
		}
		answer := request.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, topic := range append(request.Topics, kmsg.ListOffsetsRequestTopic{Topic: "nobody-asked", Partitions: []kmsg.ListOffsetsRequestTopicPartition{{Timestamp: -1}}}) {
			got := kmsg.NewListOffsetsResponseTopic()
			got.Topic = topic.Topic
			for _, one := range topic.Partitions {
				p := kmsg.NewListOffsetsResponseTopicPartition()
				p.Partition, p.Offset = one.Partition, int64(c.CurrentNode())
				if one.Timestamp == atEnd {
					p.Offset += 100
				}
				if c.CurrentNode() == 2 && topic.Topic == "orders" {
					p.ErrorCode = kerr.UnknownTopicOrPartition.Code
				}
				got.Partitions = append(got.Partitions, p)
			}
			answer.Topics = append(answer.Topics, got)
		}
		return answer, nil, true
	})
	target := aim(t, c.ListenAddrs()...)
	view := firstView(t, target)
	ends := value(t, must(t, target, ReplicaEnds), fact.ReplicaLogs, fact.TheCluster)
	if err := ends.Valid(); err != nil {
		t.Fatal(err)
	}
	replicas, silent := 0, 0
	for i := range view.Partition {
		for _, id := range view.Replicas.At(i) {
			topic := view.Topics[view.Topic[i]]
			row := ends.At(topic, view.Partition[i], id)
			replicas++
			switch {
			case id == 2 && topic == "orders":
				silent++
				if row >= 0 {
					t.Errorf("%s-%d on 2 told nothing, and has a row", topic, view.Partition[i])
				}
			case row < 0 || ends.Start[row] != int64(id) || ends.End[row] != int64(id)+100:
				t.Errorf("%s-%d on %d: row %d of %+v", topic, view.Partition[i], id, row, ends)
			}
		}
	}
	if silent == 0 || ends.Untold != silent || len(ends.Topic) != replicas-silent || ends.Left != 0 {
		t.Errorf("%d replicas, %d silent: %d rows, untold %d", replicas, silent, len(ends.Topic), ends.Untold)
	}
}

// firstView is what one broker says after the first look at the cluster.
func firstView(t *testing.T, target *probe.Target) fact.MetadataView {
	t.Helper()
	for _, o := range must(t, target, Metadata) {
		if v, ok := o.Value.(fact.MetadataView); ok {
			return v
		}
	}
	t.Fatal("no view")
	return fact.MetadataView{}
}
