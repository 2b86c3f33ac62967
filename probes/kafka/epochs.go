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

// epochsAtMost bounds the questions of a round.
const epochsAtMost = 2000

// Epochs asks the leaders of suspect partitions where leader epochs end: the
// epoch that a group's commit is of, where the partition has had another leader
// since, and the current one, where the ISR is short. A commit beyond the end of
// its epoch was of records that a new leader did not have. With no such partition
// nothing is asked.
var Epochs = &probe.Probe{
	Name: "kafka.epochs", Doc: "where leader epochs end, for partitions whose leader has changed since a group's commit, or whose ISR is short",
	Cost: probe.Cheap, Every: 15 * time.Second, Needs: []*probe.Probe{Metadata, Offsets},
	Yields:  []fact.Key{fact.LeaderEpochs},
	Observe: observeEpochs,
}

// question is one epoch of one partition, by index in the view.
type question struct {
	index, epoch int32
	doubt        int // asked first where it is greater
}

// doubt notes which epochs are in question: those of commits from before the
// current leader, first those ahead of its high watermark.
func (r *roster) doubt(view *fact.MetadataView, all []commits, ends *logEnds) {
	var doubts []question
	for _, g := range all {
		for _, c := range g.at {
			i := view.At(c.topic, c.partition)
			if i < 0 || c.epoch < 0 || c.offset < 0 || view.Epoch[i] <= c.epoch {
				continue
			}
			q := question{int32(i), c.epoch, 1}
			if ends.high[i] >= 0 && c.offset > ends.high[i] {
				q.doubt = 3
			}
			doubts = append(doubts, q)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.doubts, r.doubted = doubts, view
}

// questions is what a round asks, each once, the most doubtful first and at most
// so many; left is how many more there are.
func (r *roster) questions() (all []question, view *fact.MetadataView, left int) {
	r.mu.Lock()
	all, view = slices.Clone(r.doubts), r.doubted
	r.mu.Unlock()
	if view == nil {
		return nil, nil, 0
	}
	for i := range view.Partition {
		if len(view.ISR.At(i)) < len(view.Replicas.At(i)) {
			all = append(all, question{int32(i), view.Epoch[i], 2})
		}
	}
	inOrder := func(a, b question) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.epoch, b.epoch)) }
	slices.SortFunc(all, func(a, b question) int { return cmp.Or(inOrder(a, b), cmp.Compare(b.doubt, a.doubt)) })
	all = slices.CompactFunc(all, func(a, b question) bool { return inOrder(a, b) == 0 })
	slices.SortStableFunc(all, func(a, b question) int { return cmp.Compare(b.doubt, a.doubt) })
	left = max(0, len(all)-epochsAtMost)
	all = all[:len(all)-left]
	slices.SortFunc(all, inOrder)
	return all, view, left
}

func observeEpochs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	all, view, left := r.questions()
	if view == nil {
		return nil, probe.Fail(fact.NotYet, "no commits are known", "")
	}
	led := map[int32][]question{}
	for _, q := range all {
		led[view.Leader[q.index]] = append(led[view.Leader[q.index]], q)
	}
	ends, err := gather(ctx, r, "kafka.epochs", func(ctx context.Context, p *peer) ([]epochEnd, error) {
		return r.askEpochs(ctx, p, view, led[p.id])
	})
	if len(all) == 0 {
		err = nil // nobody was asked
	}
	if len(ends) == 0 && err != nil {
		return nil, err
	}
	o := epochColumns(ends)
	o.Left, o.Untold = left, len(all)-len(ends)
	return []fact.Observation{fact.LeaderEpochs.Is(fact.TheCluster, o)}, err
}

// epochEnd is one answer.
type epochEnd struct {
	partition
	asked, found int32
	end          int64
}

// askEpochs asks a leader. A partition can be asked about once in a request:
// several epochs of one are several requests.
func (r *roster) askEpochs(ctx context.Context, p *peer, view *fact.MetadataView, all []question) (ends []epochEnd, err error) {
	for len(all) > 0 {
		request := kmsg.NewPtrOffsetForLeaderEpochRequest()
		request.ReplicaID = -1
		asked := map[partition]int32{}
		var later []question
		for _, q := range all {
			at := partition{view.Topics[view.Topic[q.index]], view.Partition[q.index]}
			if _, twice := asked[at]; twice {
				later = append(later, q)
				continue
			}
			asked[at] = q.epoch
			if n := len(request.Topics); n == 0 || request.Topics[n-1].Topic != at.topic {
				request.Topics = append(request.Topics, kmsg.OffsetForLeaderEpochRequestTopic{Topic: at.topic})
			}
			one := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			one.Partition, one.LeaderEpoch = at.number, q.epoch
			topic := &request.Topics[len(request.Topics)-1]
			topic.Partitions = append(topic.Partitions, one)
		}
		all = later
		got, failure := r.ask(ctx, p, request)
		if failure != nil {
			return ends, failure
		}
		for _, topic := range got.(*kmsg.OffsetForLeaderEpochResponse).Topics {
			for _, one := range topic.Partitions {
				at := partition{topic.Topic, one.Partition}
				epoch, ok := asked[at]
				if !ok {
					continue
				}
				if failure := refusal(p, "OffsetForLeaderEpoch", one.ErrorCode); failure != nil {
					if !moved(one.ErrorCode) {
						err = failure
					}
					continue
				}
				delete(asked, at)
				ends = append(ends, epochEnd{at, epoch, one.LeaderEpoch, one.EndOffset})
			}
		}
	}
	return ends, err
}

func epochColumns(all []epochEnd) (o fact.EpochEnds) {
	slices.SortFunc(all, func(a, b epochEnd) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number), cmp.Compare(a.asked, b.asked))
	})
	for _, e := range all {
		o.Topic = append(o.Topic, e.topic)
		o.Partition = append(o.Partition, e.number)
		o.Asked = append(o.Asked, e.asked)
		o.Found = append(o.Found, e.found)
		o.End = append(o.End, e.end)
	}
	return o
}
