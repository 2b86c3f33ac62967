package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/kafka/guard"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	glancesAtMost = 16       // partitions looked into in a round
	glanceBytes   = 32 << 10 // asked for of each: a usual batch and some more
	glanceAnswer  = 16 << 20 // read at most: the first batch comes whole, however large
	glanceHeaders = 8        // kept of each
	byNameFetch   = 12       // the highest version of Fetch that names topics
)

// Batches looks at a few record batches where the groups that lag most are, and
// at the last one of these partitions: when records were written, how many make a
// batch, by whom and how compressed. At most 16 partitions in a round and 32 KiB
// of each, twice. Only headers are read; keys and values are overwritten unread.
//
// It is heavy because it reads data: it takes the broker's page cache and counts
// against quotas. Topics in tiered storage are left out, for a broker would fetch
// old records from afar.
var Batches = &probe.Probe{
	Name: "kafka.batches", Doc: "headers of a few record batches at the committed offsets of the groups that lag most, and of the last batch there",
	Cost: probe.Heavy, Every: 30 * time.Second, Needs: []*probe.Probe{Metadata, Configs, Offsets},
	Yields:  []fact.Key{fact.Batches},
	Observe: observeBatches,
}

// glance is one look into a partition.
type glance struct {
	group string
	partition
	leader int32
	offset int64
	lag    int64
	end    bool // it looks at the last batch
}

// lagging notes for each group the partition where it lags most, the groups that
// lag most first, as two glances each. Offsets that are gone are not looked for.
func (r *roster) lagging(view *fact.MetadataView, all []commits, ends *logEnds) {
	var worst []glance
	for _, g := range all {
		most := glance{}
		for _, c := range g.at {
			i := view.At(c.topic, c.partition)
			if i < 0 || view.Leader[i] < 0 || ends.start[i] < 0 || c.offset < ends.start[i] {
				continue
			}
			if lag := ends.high[i] - c.offset; lag > most.lag {
				most = glance{g.group, partition{c.topic, c.partition}, view.Leader[i], c.offset, lag, false}
			}
		}
		if most.lag > 0 {
			worst = append(worst, most)
		}
	}
	slices.SortFunc(worst, func(a, b glance) int { return cmp.Or(cmp.Compare(b.lag, a.lag), cmp.Compare(a.group, b.group)) })
	worst = worst[:min(len(worst), 4*glancesAtMost)] // more than are looked at: some may be denied
	r.mu.Lock()
	defer r.mu.Unlock()
	r.glances = &worst
}

// glanced is the glances of a round: each partition once, of topics on the
// brokers' own disks that are not denied.
func (r *roster) glanced() (worst []glance, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.glances == nil {
		return nil, false
	}
	met := map[partition]bool{}
	for _, g := range *r.glances {
		denied := time.Now().Before(r.denials["batches of "+g.topic].until)
		if len(worst) < glancesAtMost && !met[g.partition] && r.onDisk[g.topic] && !denied {
			met[g.partition] = true
			worst = append(worst, g)
		}
	}
	return worst, true
}

func observeBatches(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	worst, ok := r.glanced()
	if !ok {
		return nil, probe.Fail(fact.NotYet, "no commits are known", "")
	}
	led := map[int32][]glance{}
	for _, g := range worst {
		led[g.leader] = append(led[g.leader], g)
	}
	all, err := gather(ctx, r, "kafka.batches", func(ctx context.Context, p *peer) (mine []fact.BatchSeen, failed error) {
		for some := range slices.Chunk(led[p.id], guard.FetchBytes/glanceBytes) {
			for _, end := range []bool{false, true} {
				seen, err := r.look(ctx, p, some, end)
				mine, failed = append(mine, seen...), cmp.Or(failed, err)
			}
		}
		return mine, failed
	})
	if len(worst) == 0 {
		err = nil // nobody was asked
	}
	if len(all) == 0 && err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b fact.BatchSeen) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Base, b.Base))
	})
	if all == nil {
		all = []fact.BatchSeen{} // looked, and seen none
	}
	return []fact.Observation{fact.Batches.Is(fact.TheCluster, all)}, err
}

// look sends one Fetch: at the committed offsets, or at the last ones.
func (r *roster) look(ctx context.Context, p *peer, some []glance, end bool) (seen []fact.BatchSeen, err error) {
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes, request.MinBytes = guard.FetchBytes, 0
	by := map[partition]glance{}
	for _, g := range some {
		if g.end = end; end {
			g.offset += g.lag - 1
		}
		by[g.partition] = g
		one := kmsg.NewFetchRequestTopicPartition()
		one.Partition, one.FetchOffset, one.PartitionMaxBytes = g.number, g.offset, glanceBytes
		topic := slices.IndexFunc(request.Topics, func(t kmsg.FetchRequestTopic) bool { return t.Topic == g.topic })
		if topic < 0 {
			topic = len(request.Topics)
			request.Topics = append(request.Topics, kmsg.FetchRequestTopic{Topic: g.topic})
		}
		request.Topics[topic].Partitions = append(request.Topics[topic].Partitions, one)
	}
	failure := r.with(ctx, p, func(ctx context.Context, l *link) error {
		return l.glance(ctx, request, byNameFetch, glanceAnswer, func(answer kmsg.Response) {
			seen, err = r.headersIn(p, answer.(*kmsg.FetchResponse), by)
		})
	})
	return seen, cmp.Or(failure, err)
}

// headersIn keeps the headers in an answer. A topic that is denied is not asked
// for again for a while.
func (r *roster) headersIn(p *peer, answer *kmsg.FetchResponse, by map[partition]glance) (seen []fact.BatchSeen, err error) {
	for _, topic := range answer.Topics {
		for _, one := range topic.Partitions {
			g, asked := by[partition{topic.Topic, one.Partition}]
			if !asked || moved(one.ErrorCode) {
				continue
			}
			if failure := refusal(p, "Fetch", one.ErrorCode); failure != nil {
				err = r.undenied(g.topic, failure)
				continue
			}
			headers, failure := parseBatches(one.RecordBatches, glanceHeaders)
			if failure != nil {
				err = probe.Fail(fact.Unreadable, p.String()+": "+g.topic+": "+failure.Error(), "")
			}
			for _, h := range headers {
				seen = append(seen, fact.BatchSeen{Topic: g.topic, Partition: g.number, Group: g.group, Asked: g.offset, End: g.end, BatchHeader: h})
			}
		}
	}
	return seen, err
}

// undenied notes a denial of a topic and is the error without it: other topics
// are worth asking about again.
func (r *roster) undenied(topic string, failure error) error {
	var no *denied
	if !errors.As(failure, &no) {
		return failure
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denials["batches of "+topic] = denial{probe.Because(failure), time.Now().Add(backOff)}
	return no.error
}
