package kafka

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Eligible asks one broker who else may lead the partitions whose ISR is short.
// With no such partition nothing is asked.
var Eligible = &probe.Probe{
	Name: "kafka.eligible", Doc: "eligible and last known leaders of partitions whose ISR is short (KIP-966)",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata},
	Yields:  []fact.Key{fact.Eligible},
	Observe: observeEligible,
}

// partitionsAtOnce is how many partitions one answer holds at most; brokers
// have a limit of 2000 of their own.
const partitionsAtOnce = 2000

func observeEligible(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	short := shortTopics(view)
	if len(short) == 0 {
		return []fact.Observation{fact.Eligible.Is(fact.TheCluster, fact.EligibleLeaders{})}, nil
	}
	return r.anyone(ctx, "kafka.eligible", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		var e fact.EligibleLeaders
		for topics := range slices.Chunk(short, topicsAtOnce) {
			if err := r.askEligible(ctx, p, topics, &e); err != nil {
				return nil, err
			}
		}
		return []fact.Observation{fact.Eligible.Is(fact.TheCluster, e)}, nil
	})
}

// shortTopics is the topics with a partition whose ISR lacks a replica, sorted.
func shortTopics(v *fact.MetadataView) []string {
	var short []string
	last := int32(-1)
	for i, topic := range v.Topic {
		if topic != last && len(v.ISR.At(i)) < len(v.Replicas.At(i)) {
			short, last = append(short, v.Topics[topic]), topic
		}
	}
	return short
}

// askEligible appends what a broker tells of some topics, page by page.
func (r *roster) askEligible(ctx context.Context, p *peer, topics []string, e *fact.EligibleLeaders) error {
	request := kmsg.NewPtrDescribeTopicPartitionsRequest()
	request.ResponsePartitionLimit = partitionsAtOnce
	for _, topic := range topics {
		request.Topics = append(request.Topics, kmsg.DescribeTopicPartitionsRequestTopic{Topic: topic})
	}
	for {
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return err
		}
		answer := got.(*kmsg.DescribeTopicPartitionsResponse)
		if err := addEligible(e, p, answer); err != nil {
			return err
		}
		next := answer.NextCursor
		if next == nil {
			return nil
		}
		if c := request.Cursor; c != nil && (next.Topic < c.Topic || next.Topic == c.Topic && next.Partition <= c.Partition) {
			return probe.Fail(fact.Unreadable, p.String()+" answered DescribeTopicPartitions with pages that go in a circle", "")
		}
		request.Cursor = &kmsg.DescribeTopicPartitionsRequestCursor{Topic: next.Topic, Partition: next.Partition}
	}
}

func addEligible(e *fact.EligibleLeaders, p *peer, answer *kmsg.DescribeTopicPartitionsResponse) error {
	var denied error
	for _, topic := range answer.Topics {
		if topic.ErrorCode != 0 || topic.Topic == nil {
			denied = refusal(p, "DescribeTopicPartitions", topic.ErrorCode)
			continue
		}
		denied = nil
		for _, one := range topic.Partitions {
			if len(one.ISR) >= len(one.Replicas) {
				continue
			}
			e.Topic = append(e.Topic, *topic.Topic)
			e.Partition = append(e.Partition, one.Partition)
			e.ELR.Add(one.EligibleLeaderReplicas)
			e.LastKnown.Add(one.LastKnownELR)
		}
	}
	if len(e.Topic) == 0 {
		return denied
	}
	return nil
}
