package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Quorum asks a broker, which passes the question on to the active controller:
// without one there is no answer. A controller itself would not do: one that
// lost the quorum answers just as a healthy follower does.
var Quorum = &probe.Probe{
	Name: "kafka.quorum", Doc: "the KRaft quorum as its leader sees it, asked through a broker",
	Cost: probe.Cheap, Every: 5 * time.Second,
	Yields:  []fact.Key{fact.QuorumState},
	Observe: observeQuorum,
}

func observeQuorum(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.anyone(ctx, "kafka.quorum", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		request := kmsg.NewPtrDescribeQuorumRequest()
		request.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata",
			Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{Partition: 0}}}}
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		q, err := quorumOf(p, got.(*kmsg.DescribeQuorumResponse))
		if err != nil {
			return nil, err
		}
		return []fact.Observation{fact.QuorumState.Is(fact.TheCluster, q)}, nil
	})
}

func quorumOf(p *peer, answer *kmsg.DescribeQuorumResponse) (q fact.Quorum, err error) {
	if err := refusal(p, "DescribeQuorum", answer.ErrorCode, describeCluster); err != nil {
		return q, err
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return q, probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered DescribeQuorum without the one partition asked for", p), "")
	}
	one := answer.Topics[0].Partitions[0]
	if one.ErrorCode == kerr.NotLeaderForPartition.Code { // of a controller that is not the active one
		return q, probe.Fail(fact.NotYet, fmt.Sprintf("%s was not answered by the active controller", p), "")
	}
	if err := refusal(p, "DescribeQuorum", one.ErrorCode, describeCluster); err != nil {
		return q, err
	}
	q = fact.Quorum{Leader: one.LeaderID, Epoch: one.LeaderEpoch, HighWatermark: one.HighWatermark,
		Voters: replicasOf(one.CurrentVoters), Observers: replicasOf(one.Observers)}
	return q, nil
}

func replicasOf(states []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) []fact.QuorumReplica {
	all := make([]fact.QuorumReplica, 0, len(states))
	for _, s := range states {
		all = append(all, fact.QuorumReplica{ID: s.ReplicaID, LogEnd: s.LogEndOffset,
			LastFetch: timeOf(s.LastFetchTimestamp), LastCaughtUp: timeOf(s.LastCaughtUpTimestamp)})
	}
	slices.SortFunc(all, func(a, b fact.QuorumReplica) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// timeOf is a time in milliseconds as Kafka writes it; -1, unknown, is the zero time.
func timeOf(milliseconds int64) time.Time {
	if milliseconds < 0 {
		return time.Time{}
	}
	return time.UnixMilli(milliseconds).UTC()
}
