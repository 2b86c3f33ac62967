package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// heldAtMost bounds the partitions that a round looks into.
const heldAtMost = 2000

// OpenProducers asks the leaders of the partitions whose last stable offset is
// below the high watermark who holds it back, first where it stands still. With
// no such partition nothing is asked.
var OpenProducers = &probe.Probe{
	Name: "kafka.producers", Doc: "producers with an open transaction in partitions whose last stable offset is held back",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata, Partitions},
	Yields:  []fact.Key{fact.OpenProducers},
	Observe: observeProducers,
}

type partition struct {
	topic  string
	number int32
}

// hold notes where the last stable offset is held back. Without log ends
// nothing is known of that.
func (r *roster) hold(ends *logEnds) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ends == nil {
		r.held, r.endsBefore = nil, nil
		return
	}
	held := heldIn(ends, r.endsBefore)
	r.held, r.endsBefore = &held, ends
}

// heldIn is the partitions whose last stable offset is below the high watermark:
// first those where it has not moved since the round before, of each kind the
// most held back first.
func heldIn(ends, before *logEnds) []partition {
	type gap struct {
		partition
		moves   int // 0: it stands still
		records int64
	}
	var gaps []gap
	for i, stable := range ends.stable {
		if stable < 0 || stable >= ends.high[i] {
			continue
		}
		g := gap{partition{ends.view.Topics[ends.view.Topic[i]], ends.view.Partition[i]}, 1, ends.high[i] - stable}
		if _, _, earlier := before.at(g.topic, g.number); earlier == stable {
			g.moves = 0
		}
		gaps = append(gaps, g)
	}
	slices.SortFunc(gaps, func(a, b gap) int {
		return cmp.Or(cmp.Compare(a.moves, b.moves), cmp.Compare(b.records, a.records), order(a.partition, b.partition))
	})
	held := []partition{}
	for _, g := range gaps {
		held = append(held, g.partition)
	}
	return held
}

func order(a, b partition) int {
	return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number))
}

func observeProducers(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	held := r.held
	r.mu.Unlock()
	if held == nil {
		return nil, probe.Fail(fact.NotYet, "no log ends are known", "")
	}
	some := slices.Clone((*held)[:min(len(*held), heldAtMost)])
	slices.SortFunc(some, order)
	led := byLeader(view, some)
	var mu sync.Mutex
	told := 0
	var all []producer
	_, err = r.each(ctx, "kafka.producers", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		if len(led[p.id]) == 0 {
			return nil, nil
		}
		mine, n, err := r.producersOf(ctx, p, led[p.id])
		mu.Lock()
		defer mu.Unlock()
		told += n
		all = append(all, mine...)
		return nil, err
	}, untoldElsewhere)
	if told == 0 && err != nil && len(some) > 0 {
		return nil, err
	}
	if len(some) == 0 {
		err = nil // nobody was asked
	}
	o := columns(all)
	o.Held, o.Untold = len(*held), len(*held)-told
	return []fact.Observation{fact.OpenProducers.Is(fact.TheCluster, o)}, err
}

// byLeader sorts partitions by who leads them. Those without a leader are left out.
func byLeader(v *fact.MetadataView, some []partition) map[int32][]partition {
	led := map[int32][]partition{}
	next := 0
	for i, p := range v.Partition { // both are sorted by topic and partition
		at := partition{v.Topics[v.Topic[i]], p}
		for next < len(some) && order(some[next], at) < 0 {
			next++ // it is not in the view
		}
		if next == len(some) {
			break
		}
		if some[next] == at && v.Leader[i] >= 0 {
			led[v.Leader[i]] = append(led[v.Leader[i]], at)
		}
	}
	return led
}

// producer is one producer in one partition.
type producer struct {
	partition
	kmsg.DescribeProducersResponseTopicPartitionActiveProducer
}

// producersOf is who holds back partitions that a broker leads, and how many of
// these it told of.
func (r *roster) producersOf(ctx context.Context, p *peer, led []partition) (all []producer, told int, err error) {
	request := kmsg.NewPtrDescribeProducersRequest()
	for _, one := range led {
		n := len(request.Topics)
		if n == 0 || request.Topics[n-1].Topic != one.topic {
			request.Topics = append(request.Topics, kmsg.DescribeProducersRequestTopic{Topic: one.topic})
			n++
		}
		request.Topics[n-1].Partitions = append(request.Topics[n-1].Partitions, one.number)
	}
	got, err := r.ask(ctx, p, request)
	if err != nil {
		return nil, 0, err
	}
	for _, topic := range got.(*kmsg.DescribeProducersResponse).Topics {
		for _, one := range topic.Partitions {
			if failure := refusal(p, "DescribeProducers", one.ErrorCode); failure != nil {
				err = cmp.Or(err, failure)
				continue
			}
			told++
			for _, active := range one.ActiveProducers {
				if active.CurrentTxnStartOffset >= 0 {
					all = append(all, producer{partition{topic.Topic, one.Partition}, active})
				}
			}
		}
	}
	var no *denied
	if told > 0 && errors.As(err, &no) { // not all is denied: it is worth asking again
		err = no.error
	}
	return all, told, err
}

// columns brings producers into columns, sorted by partition and producer.
func columns(all []producer) (o fact.Producers) {
	slices.SortFunc(all, func(a, b producer) int {
		return cmp.Or(order(a.partition, b.partition), cmp.Compare(a.ProducerID, b.ProducerID))
	})
	for _, one := range all {
		o.Topic = append(o.Topic, one.topic)
		o.Partition = append(o.Partition, one.number)
		o.Producer = append(o.Producer, one.ProducerID)
		o.Epoch = append(o.Epoch, one.ProducerEpoch)
		o.LastSequence = append(o.LastSequence, one.LastSequence)
		o.CoordinatorEpoch = append(o.CoordinatorEpoch, one.CoordinatorEpoch)
		o.LastWrite = append(o.LastWrite, timeOf(one.LastTimestamp))
		o.Started = append(o.Started, one.CurrentTxnStartOffset)
	}
	return o
}
