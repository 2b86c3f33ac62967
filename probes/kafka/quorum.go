package kafka

import (
	"cmp"
	"context"
	"encoding/hex"
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
	Yields:  []fact.Key{fact.QuorumState, fact.ZooKeeperController},
	Observe: observeQuorum,
}

func observeQuorum(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	seen, err := r.anyone(ctx, "kafka.quorum", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		got, err := r.ask(ctx, p, quorumRequest())
		if err != nil {
			return nil, err
		}
		q, err := quorumOf(p, got.(*kmsg.DescribeQuorumResponse))
		if err != nil {
			return nil, err
		}
		r.electorate(q.Nodes)
		none := &fact.Unknown{Reason: fact.Absent, Detail: "the cluster has a KRaft quorum"}
		return []fact.Observation{fact.QuorumState.Is(fact.TheCluster, q), fact.ZooKeeperController.Unknown(fact.TheCluster, none)}, nil
	})
	if err != nil && probe.Because(err).Reason == fact.Absent {
		return r.withoutQuorum(ctx, probe.Because(err)), nil
	}
	return seen, err
}

func quorumRequest() *kmsg.DescribeQuorumRequest {
	request := kmsg.NewPtrDescribeQuorumRequest()
	request.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata",
		Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{Partition: 0}}}}
	return request
}

// withoutQuorum is what there is to see when brokers do not know the request:
// they have ZooKeeper, and what they call the controller is the controller.
func (r *roster) withoutQuorum(ctx context.Context, because *fact.Unknown) []fact.Observation {
	none := fact.QuorumState.Unknown(fact.TheCluster, because)
	if view := r.latest(); view != nil {
		return []fact.Observation{none, fact.ZooKeeperController.Is(fact.TheCluster, float64(view.Controller))}
	}
	// In the first round the metadata may not have been told yet.
	seen, err := r.anyone(ctx, "kafka.quorum", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		request := kmsg.NewPtrMetadataRequest()
		request.Topics = []kmsg.MetadataRequestTopic{} // none, where nil would be all
		got, err := r.ask(ctx, p, request)
		if err == nil {
			err = refusal(p, "Metadata", got.(*kmsg.MetadataResponse).ErrorCode)
		}
		if err != nil {
			return nil, err
		}
		return []fact.Observation{fact.ZooKeeperController.Is(fact.TheCluster, float64(got.(*kmsg.MetadataResponse).ControllerID))}, nil
	})
	if err != nil {
		seen = []fact.Observation{fact.ZooKeeperController.Unknown(fact.TheCluster, probe.Because(err))}
	}
	return append(seen, none)
}

func quorumOf(p *peer, answer *kmsg.DescribeQuorumResponse) (q fact.Quorum, err error) {
	if err := refusal(p, "DescribeQuorum", answer.ErrorCode); err != nil {
		return q, err
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != 1 {
		return q, probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered DescribeQuorum without the one partition asked for", p), "")
	}
	one := answer.Topics[0].Partitions[0]
	if one.ErrorCode == kerr.NotLeaderForPartition.Code { // of a controller that is not the active one
		return q, probe.Fail(fact.NotYet, fmt.Sprintf("%s was not answered by the active controller", p), "")
	}
	if err := refusal(p, "DescribeQuorum", one.ErrorCode); err != nil {
		return q, err
	}
	q = fact.Quorum{Leader: one.LeaderID, Epoch: one.LeaderEpoch, HighWatermark: one.HighWatermark,
		Voters: replicasOf(one.CurrentVoters), Observers: replicasOf(one.Observers)}
	for _, node := range answer.Nodes {
		for _, l := range node.Listeners {
			q.Nodes = append(q.Nodes, fact.BrokerAddress{ID: node.NodeID, Host: l.Host, Port: int32(l.Port)})
		}
	}
	slices.SortStableFunc(q.Nodes, func(a, b fact.BrokerAddress) int { return cmp.Compare(a.ID, b.ID) })
	return q, nil
}

func replicasOf(states []kmsg.DescribeQuorumResponseTopicPartitionReplicaState) []fact.QuorumReplica {
	all := make([]fact.QuorumReplica, 0, len(states))
	for _, s := range states {
		directory := ""
		if s.ReplicaDirectoryID != ([16]byte{}) {
			directory = hex.EncodeToString(s.ReplicaDirectoryID[:])
		}
		all = append(all, fact.QuorumReplica{ID: s.ReplicaID, Directory: directory, LogEnd: s.LogEndOffset,
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
