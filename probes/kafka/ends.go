package kafka

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// endsAtOnce is how many partitions one ListOffsets names: a request of about
// half a megabyte.
const endsAtOnce = 20000

// What ListOffsets takes in place of a time.
const (
	atStart int64 = -2
	atEnd   int64 = -1
)

// logEnds is where the logs of partitions begin and end, indexed as the view is;
// -1: not told.
type logEnds struct {
	view                *fact.MetadataView
	start, high, stable []int64

	mu    sync.Mutex
	moved []int32 // partitions that another broker led than the one asked, in no order, some more than once
}

// endsOf asks the leader of each wanted partition, by index in the view; nil is
// all. Those that a leader has just handed over are asked for once more. One whose
// leader does not answer stays at -1 until the next round; told is how many were
// told. The error is that of a leader.
//
// The last stable offset is asked for after the high watermark, so that it is the
// lower one only where something holds it back.
func (r *roster) endsOf(ctx context.Context, view *fact.MetadataView, wanted []int32) (e *logEnds, told int, err error) {
	e = &logEnds{view: view}
	for _, column := range []*[]int64{&e.start, &e.high, &e.stable} {
		*column = slices.Repeat([]int64{-1}, len(view.Partition))
	}
	led := ledBy(view, wanted)
	var mu sync.Mutex
	_, err = r.each(ctx, "kafka.ends", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		for some := range slices.Chunk(led[p.id], endsAtOnce) {
			n, err := r.askEnds(ctx, p, e, some)
			mu.Lock()
			told += n
			mu.Unlock()
			if err != nil {
				return nil, err
			}
		}
		return nil, nil
	}, untoldElsewhere)
	found, failure := r.follow(ctx, e)
	return e, told + found, cmp.Or(err, failure)
}

// untoldElsewhere is observed of a broker whose silence shows elsewhere.
func untoldElsewhere(*peer, *fact.Unknown) []fact.Observation { return nil }

// ledBy is indices of partitions by who leads them, in the order of the view.
func ledBy(view *fact.MetadataView, wanted []int32) map[int32][]int32 {
	led := map[int32][]int32{}
	add := func(i int32) {
		if leader := view.Leader[i]; leader >= 0 {
			led[leader] = append(led[leader], i)
		}
	}
	if wanted == nil {
		for i := range view.Partition {
			add(int32(i))
		}
	}
	for _, i := range wanted {
		add(i)
	}
	return led
}

// askEnds asks a leader for all three offsets of some partitions. Each broker
// fills in entries of its own, so that no lock is needed.
func (r *roster) askEnds(ctx context.Context, p *peer, e *logEnds, some []int32) (told int, err error) {
	for _, ask := range []struct {
		at        int64
		isolation int8
		column    []int64
	}{{atEnd, 0, e.high}, {atEnd, 1, e.stable}, {atStart, 0, e.start}} {
		got, failure := r.ask(ctx, p, endsRequest(e.view, some, ask.at, ask.isolation))
		if failure != nil {
			return told, failure
		}
		n, failure := e.take(p, got.(*kmsg.ListOffsetsResponse), some, ask.column)
		told, err = n, cmp.Or(err, failure)
	}
	return told, err
}

// endsRequest names partitions, which are sorted by topic.
func endsRequest(view *fact.MetadataView, some []int32, at int64, isolation int8) *kmsg.ListOffsetsRequest {
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID, request.IsolationLevel = -1, isolation
	last := int32(-1)
	for _, i := range some {
		if view.Topic[i] != last {
			last = view.Topic[i]
			request.Topics = append(request.Topics, kmsg.ListOffsetsRequestTopic{Topic: view.Topics[last]})
		}
		one := kmsg.NewListOffsetsRequestTopicPartition()
		one.Partition, one.Timestamp = view.Partition[i], at
		topic := &request.Topics[len(request.Topics)-1]
		topic.Partitions = append(topic.Partitions, one)
	}
	return request
}

// take fills in a column from an answer and says how many partitions were told.
// Only what was asked for is taken, and a partition whose leader has changed is
// no error. The last failure is why one was not told.
func (e *logEnds) take(p *peer, answer *kmsg.ListOffsetsResponse, asked []int32, column []int64) (told int, failure error) {
	next := 0 // brokers answer in the order of the question, mostly
	for _, topic := range answer.Topics {
		for _, one := range topic.Partitions {
			i := -1
			if next < len(asked) && e.view.Partition[asked[next]] == one.Partition && e.view.Topics[e.view.Topic[asked[next]]] == topic.Topic {
				i = int(asked[next])
				next++
			} else if at := e.view.At(topic.Topic, one.Partition); at >= 0 {
				if found, ok := slices.BinarySearch(asked, int32(at)); ok {
					i, next = at, found+1
				}
			}
			switch {
			case i < 0:
			case one.ErrorCode == 0 && one.Offset >= 0:
				column[i] = one.Offset
				told++
			case elsewhere(one.ErrorCode):
				e.noteMoved(i)
			case !moved(one.ErrorCode):
				failure = cmp.Or(refusal(p, "ListOffsets", one.ErrorCode), failure)
			}
		}
	}
	return told, failure
}

// at is the offsets of a partition; -1 each where it is not known.
func (e *logEnds) at(topic string, partition int32) (start, high, stable int64) {
	if e == nil {
		return -1, -1, -1
	}
	i := e.view.At(topic, partition)
	if i < 0 {
		return -1, -1, -1
	}
	return e.start[i], e.high[i], e.stable[i]
}
