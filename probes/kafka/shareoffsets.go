package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// ShareOffsets asks every broker where the share groups that it coordinates are:
// they commit no offsets, the broker keeps a start offset of each partition.
var ShareOffsets = &probe.Probe{
	Name: "kafka.share-offsets", Doc: "start offset and lag of the partitions of share groups (Kafka 4.1 on; the lag from 4.2 on)",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Groups},
	Yields:  []fact.Key{fact.ShareOffsets},
	Observe: observeShareOffsets,
}

func observeShareOffsets(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	if !r.haveListed() {
		return nil, errNotListed
	}
	return r.each(ctx, "kafka.share-offsets", func(ctx context.Context, p *peer) (seen []fact.Observation, err error) {
		for some := range slices.Chunk(r.sharing(p), groupsAtOnce) {
			told, failure := r.shareOffsetsOf(ctx, p, some)
			err = cmp.Or(err, failure)
			seen = append(seen, told...)
		}
		return seen, err
	}, func(p *peer, because *fact.Unknown) (seen []fact.Observation) {
		for _, id := range r.sharing(p) {
			seen = append(seen, fact.ShareOffsets.Unknown(fact.Subject{Scope: fact.Group, Name: id}, because))
		}
		return seen
	})
}

// sharing is the share groups that a broker coordinates.
func (r *roster) sharing(p *peer) []string {
	ids, listed := r.groupsOf(p)
	return slices.DeleteFunc(ids, func(id string) bool { return listed[id].kind != "share" })
}

func (r *roster) shareOffsetsOf(ctx context.Context, p *peer, ids []string) (seen []fact.Observation, err error) {
	request := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	for _, id := range ids {
		one := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
		one.GroupID = id // nil topics are all
		request.Groups = append(request.Groups, one)
	}
	answers := map[string]kmsg.DescribeShareGroupOffsetsResponseGroup{}
	got, err := r.ask(ctx, p, request)
	if err == nil {
		for _, g := range got.(*kmsg.DescribeShareGroupOffsetsResponse).Groups {
			answers[g.GroupID] = g
		}
	}
	for _, id := range ids {
		s := fact.Subject{Scope: fact.Group, Name: id}
		g, told := answers[id]
		why := err
		if why == nil && !told {
			why = probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered DescribeShareGroupOffsets without group %s", p, id), "")
		}
		var o fact.ShareGroupOffsets
		if why == nil {
			o, why = shareOffsets(p, g)
		}
		if why != nil {
			seen = append(seen, fact.ShareOffsets.Unknown(s, probe.Because(why)))
			continue
		}
		seen = append(seen, fact.ShareOffsets.Is(s, o))
	}
	return seen, err
}

// shareOffsets brings the answer for one group into columns, sorted by topic and
// partition. A partition that was not told makes the group unknown: what is left
// would understate its lag.
func shareOffsets(p *peer, g kmsg.DescribeShareGroupOffsetsResponseGroup) (o fact.ShareGroupOffsets, err error) {
	if err := refusal(p, "DescribeShareGroupOffsets", g.ErrorCode); err != nil {
		return o, err
	}
	slices.SortFunc(g.Topics, func(a, b kmsg.DescribeShareGroupOffsetsResponseGroupTopic) int {
		return strings.Compare(a.Topic, b.Topic)
	})
	for _, topic := range g.Topics {
		slices.SortFunc(topic.Partitions, func(a, b kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition) int {
			return cmp.Compare(a.Partition, b.Partition)
		})
		for _, one := range topic.Partitions {
			if err := refusal(p, fmt.Sprintf("DescribeShareGroupOffsets for %s-%d", topic.Topic, one.Partition), one.ErrorCode); err != nil {
				return o, err
			}
			o.Topic = append(o.Topic, topic.Topic)
			o.Partition = append(o.Partition, one.Partition)
			o.Start = append(o.Start, one.StartOffset)
			o.Epoch = append(o.Epoch, one.LeaderEpoch)
			o.Lag = append(o.Lag, one.Lag)
		}
	}
	return o, nil
}
