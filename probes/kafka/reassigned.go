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

// Reassigned asks one broker, which passes the question on to the active
// controller.
var Reassigned = &probe.Probe{
	Name: "kafka.reassignments", Doc: "partitions whose replicas are being moved between brokers",
	Cost: probe.Cheap, Every: 10 * time.Second,
	Yields:  []fact.Key{fact.Reassigned},
	Observe: fromAnyone("kafka.reassignments", reassignedFrom),
}

func reassignedFrom(ctx context.Context, r *roster, p *peer) ([]fact.Observation, error) {
	request := kmsg.NewPtrListPartitionReassignmentsRequest() // nil topics are all
	request.TimeoutMillis = int32(r.patience.Milliseconds())
	got, err := r.ask(ctx, p, request)
	if err == nil {
		err = refusal(p, "ListPartitionReassignments", got.(*kmsg.ListPartitionReassignmentsResponse).ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	return []fact.Observation{fact.Reassigned.Is(fact.TheCluster, reassignments(got.(*kmsg.ListPartitionReassignmentsResponse)))}, nil
}

// reassignments brings an answer into columns, sorted by topic and partition.
func reassignments(answer *kmsg.ListPartitionReassignmentsResponse) (m fact.Reassignments) {
	slices.SortFunc(answer.Topics, func(a, b kmsg.ListPartitionReassignmentsResponseTopic) int { return strings.Compare(a.Topic, b.Topic) })
	for _, topic := range answer.Topics {
		slices.SortFunc(topic.Partitions, func(a, b kmsg.ListPartitionReassignmentsResponseTopicPartition) int {
			return cmp.Compare(a.Partition, b.Partition)
		})
		for _, one := range topic.Partitions {
			m.Topic = append(m.Topic, topic.Topic)
			m.Partition = append(m.Partition, one.Partition)
			m.Replicas.Add(one.Replicas)
			m.Adding.Add(one.AddingReplicas)
			m.Removing.Add(one.RemovingReplicas)
		}
	}
	return m
}
