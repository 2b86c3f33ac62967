package kafka

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Offsets puts what groups have committed beside both ends of the logs. Commits
// are read first, so that a group is never seen ahead of a log end.
var Offsets = &probe.Probe{
	Name: "kafka.offsets", Doc: "committed offsets of groups beside log start, log end and last stable offset",
	Cost: probe.Cheap, Every: 5 * time.Second, Needs: []*probe.Probe{Metadata, Groups},
	Yields:  []fact.Key{fact.Offsets},
	Observe: observeOffsets,
}

// errNotListed is the error of probes that must know groups when no broker listed any.
var errNotListed = probe.Fail(fact.NotYet, "no broker has listed its groups", "")

// commits is what one group has committed.
type commits struct {
	group string
	at    []commit
}

type commit struct {
	topic     string
	partition int32
	offset    int64
	epoch     int32 // of the leader; -1: not told
	metadata  int   // bytes that the client wrote beside the offset
}

func observeOffsets(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	if !r.haveListed() {
		return nil, errNotListed
	}
	var mu sync.Mutex
	var all []commits
	seen, err := r.each(ctx, "kafka.offsets", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		mine, failed, err := r.commitsOf(ctx, p)
		mu.Lock()
		all = append(all, mine...)
		mu.Unlock()
		return failed, err
	}, func(p *peer, because *fact.Unknown) (seen []fact.Observation) {
		for _, id := range r.committing(p) {
			seen = append(seen, fact.Offsets.Unknown(fact.Subject{Scope: fact.Group, Name: id}, because))
		}
		return seen
	})
	if err == nil {
		err = untold(seen, len(all))
	}
	wanted := committed(view, all)
	ends, told, failure := r.endsOf(ctx, view, wanted)
	if told > 0 || len(wanted) == 0 { // some leaders not answering shows in what is missing
		failure = nil
	}
	r.doubt(view, all, ends)
	r.lagging(view, all, ends)
	for _, g := range all {
		s := fact.Subject{Scope: fact.Group, Name: g.group}
		if failure != nil && len(g.at) > 0 {
			seen = append(seen, fact.Offsets.Unknown(s, probe.Because(failure)))
			continue
		}
		seen = append(seen, fact.Offsets.Is(s, ends.beside(g.at)))
	}
	if err == nil {
		err = failure
	}
	return seen, err
}

// committed is the indices of the partitions that groups have committed to.
func committed(view *fact.MetadataView, all []commits) []int32 {
	wanted := []int32{}
	for _, g := range all {
		for _, c := range g.at {
			if i := view.At(c.topic, c.partition); i >= 0 {
				wanted = append(wanted, int32(i))
			}
		}
	}
	slices.Sort(wanted)
	return slices.Compact(wanted)
}

// committing is the groups that a broker coordinates and that commit offsets.
func (r *roster) committing(p *peer) []string {
	ids, listed := r.groupsOf(p)
	return slices.DeleteFunc(ids, func(id string) bool { return listed[id].kind != "classic" && listed[id].kind != "consumer" })
}

// commitsOf is what the groups that a broker coordinates have committed, and
// the observations of those that it would not tell.
func (r *roster) commitsOf(ctx context.Context, p *peer) (all []commits, unknown []fact.Observation, err error) {
	for some := range slices.Chunk(r.committing(p), groupsAtOnce) {
		var answers map[string]groupCommits
		failure := r.with(ctx, p, func(ctx context.Context, l *link) (err error) {
			answers, err = fetchCommits(ctx, l, p, some)
			return err
		})
		if failure != nil {
			err = failure
		}
		for _, id := range some {
			a, told := answers[id]
			why := a.err
			if !told {
				why = cmp.Or(failure, error(probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered OffsetFetch without group %s", p, id), "")))
			}
			if why != nil {
				unknown = append(unknown, fact.Offsets.Unknown(fact.Subject{Scope: fact.Group, Name: id}, probe.Because(why)))
				continue
			}
			all = append(all, commits{id, a.at})
		}
	}
	return all, unknown, err
}

// groupCommits is the answer for one group.
type groupCommits struct {
	at  []commit
	err error
}

// offsetFetchByName is the highest version that speaks of topics by name.
const offsetFetchByName = 9

// fetchCommits asks for all commits of some groups: in one request from version
// 8 on, before that in one request a group.
func fetchCommits(ctx context.Context, l *link, p *peer, ids []string) (map[string]groupCommits, error) {
	answers := map[string]groupCommits{}
	request := kmsg.NewPtrOffsetFetchRequest()
	if l.supports(request) >= 8 {
		for _, id := range ids {
			one := kmsg.NewOffsetFetchRequestGroup()
			one.Group = id // nil topics are all
			request.Groups = append(request.Groups, one)
		}
		got, err := l.requestUpTo(ctx, request, offsetFetchByName)
		if err != nil {
			return nil, err
		}
		for _, g := range got.(*kmsg.OffsetFetchResponse).Groups {
			a := groupCommits{err: refusal(p, "OffsetFetch", g.ErrorCode)}
			for _, t := range g.Topics {
				for _, c := range t.Partitions {
					a.add(p, newCommit(t.Topic, c.Partition, c.Offset, c.LeaderEpoch, c.Metadata), c.ErrorCode)
				}
			}
			answers[g.Group] = a
		}
		return answers, nil
	}
	for _, id := range ids {
		request.Group = id
		got, err := l.requestUpTo(ctx, request, 7)
		if err != nil {
			return answers, err
		}
		answer := got.(*kmsg.OffsetFetchResponse)
		a := groupCommits{err: refusal(p, "OffsetFetch", answer.ErrorCode)}
		for _, t := range answer.Topics {
			for _, c := range t.Partitions {
				a.add(p, newCommit(t.Topic, c.Partition, c.Offset, c.LeaderEpoch, c.Metadata), c.ErrorCode)
			}
		}
		answers[id] = a
	}
	return answers, nil
}

// newCommit is a commit as a broker tells it.
func newCommit(topic string, partition int32, offset int64, epoch int32, metadata *string) commit {
	return commit{topic, partition, offset, epoch, len(text(metadata))}
}

// add takes the commit of one partition. One that could not be fetched is no
// partition without a commit: what is left would understate the group's lag, so
// that the whole group is not told.
func (g *groupCommits) add(p *peer, c commit, code int16) {
	if err := refusal(p, fmt.Sprintf("OffsetFetch for %s-%d", c.topic, c.partition), code); err != nil && g.err == nil {
		g.err = err
	}
	g.at = append(g.at, c)
}

// untold is the error of the groups whose commits were not told; nil without any.
func untold(seen []fact.Observation, groups int) error {
	if len(seen) == 0 {
		return nil
	}
	u := *seen[0].Because
	u.Detail = fmt.Sprintf("the commits of %d of %d groups were not told: %s", len(seen), len(seen)+groups, u.Detail)
	return &probe.Error{Unknown: &u}
}

// beside brings commits into columns, next to the log ends.
func (e *logEnds) beside(at []commit) fact.GroupOffsets {
	slices.SortFunc(at, func(a, b commit) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
	})
	var o fact.GroupOffsets
	for _, c := range at {
		o.Topic = append(o.Topic, c.topic)
		o.Partition = append(o.Partition, c.partition)
		o.Committed = append(o.Committed, c.offset)
		o.CommitEpoch = append(o.CommitEpoch, c.epoch)
		o.MetadataBytes = append(o.MetadataBytes, int32(c.metadata))
		start, end, stable := e.at(c.topic, c.partition)
		o.LogStart = append(o.LogStart, start)
		o.LogEnd = append(o.LogEnd, end)
		o.LastStable = append(o.LastStable, stable)
	}
	return o
}
