package fact

import (
	"fmt"
	"slices"
	"strings"
)

// ReplicaLogs is told by the replicas themselves, not by their leaders.
var ReplicaLogs = State[ReplicaEnds]("kafka.replica-ends", Cluster, "where the log of each replica begins and ends, as its own broker tells it").keeping(12)

// ReplicaEnds is the ends of replicas' logs, in columns sorted by topic, partition
// and broker. They were not read at one moment. A replica that told nothing is not
// there.
type ReplicaEnds struct {
	Topic     []string `json:"topic"`
	Partition []int32  `json:"partition"`
	Broker    []int32  `json:"broker"`
	Start     []int64  `json:"start"`
	End       []int64  `json:"end"` // of the log, not the high watermark

	Left   int `json:"left,omitempty"`   // partitions that were not asked about: too many
	Untold int `json:"untold,omitempty"` // replicas that told nothing
}

// Valid says which column does not fit.
func (r ReplicaEnds) Valid() error {
	n := len(r.Topic)
	for name, have := range map[string]int{"partition": len(r.Partition), "broker": len(r.Broker), "start": len(r.Start), "end": len(r.End)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d replicas", name, have, n)
		}
	}
	return nil
}

// At is the row of a replica; -1: it told nothing.
func (r ReplicaEnds) At(topic string, partition, broker int32) int {
	i, ok := slices.BinarySearchFunc(r.Topic, topic, strings.Compare)
	if !ok {
		return -1
	}
	for ; i < len(r.Topic) && r.Topic[i] == topic; i++ {
		if r.Partition[i] == partition && r.Broker[i] == broker {
			return i
		}
	}
	return -1
}

// Same is the row of the replica of row i in another sample; -1: it is not there.
func (r ReplicaEnds) Same(i int, other ReplicaEnds) int {
	if i < len(other.Topic) && r.Partition[i] == other.Partition[i] && r.Broker[i] == other.Broker[i] && r.Topic[i] == other.Topic[i] {
		return i // mostly nothing came or went between two samples
	}
	return other.At(r.Topic[i], r.Partition[i], r.Broker[i])
}
