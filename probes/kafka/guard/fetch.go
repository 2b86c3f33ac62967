package guard

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Fetch is let through only as a glance at a few batches: it reads data, takes
// page cache and counts against quotas. A broker sends the first batch whole
// even where it is larger than asked for.
const (
	FetchBytes      = 256 << 10 // most that one Fetch may ask for
	FetchPartitions = 64        // most that one Fetch may name
)

// unbounded says why a Fetch is more than a glance, "" when it is none. It is one
// of a consumer, not of a replica; opens no session that the broker would keep;
// waits for nothing; and asks for little of few partitions.
func unbounded(r *kmsg.FetchRequest) string {
	partitions := 0
	for _, t := range r.Topics {
		partitions += len(t.Partitions)
		for _, p := range t.Partitions {
			if p.LogStartOffset != -1 || p.HighWatermark != math.MaxInt64 || p.ReplicaDirectoryID != ([16]byte{}) {
				return "poses as a replica"
			}
			if p.PartitionMaxBytes < 0 || p.PartitionMaxBytes > FetchBytes {
				return fmt.Sprintf("asks for %d bytes of a partition, at most %d are allowed", p.PartitionMaxBytes, FetchBytes)
			}
		}
	}
	switch {
	case r.ReplicaID != -1 || r.ReplicaState.ID != -1 || r.ReplicaState.Epoch != -1:
		return "poses as a replica"
	case r.Version < 4 || r.IsolationLevel != 0:
		return "is not in a form that can be bounded"
	case r.SessionID != 0 || r.SessionEpoch != -1 || len(r.ForgottenTopics) > 0:
		return "would open a session"
	case r.MaxWaitMillis != 0:
		return "would wait in the broker"
	case r.MaxBytes < 0 || r.MaxBytes > FetchBytes:
		return fmt.Sprintf("asks for %d bytes, at most %d are allowed", r.MaxBytes, FetchBytes)
	case partitions > FetchPartitions:
		return fmt.Sprintf("names %d partitions, at most %d are allowed", partitions, FetchPartitions)
	}
	return ""
}
