package kafka

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// LogDirs asks every broker for its own log dirs.
var LogDirs = &probe.Probe{
	Name: "kafka.logdirs", Doc: "log dirs of each broker: error, bytes, lag and future replicas, size and free bytes of the file system",
	Cost: probe.Cheap, Every: 10 * time.Second,
	Yields:  []fact.Key{fact.LogDirError, fact.LogDirSize, fact.LogDirTotal, fact.LogDirUsable, fact.LogDirLag, fact.LogDirFutures, fact.LogDirFutureLag},
	Observe: observeLogDirs,
}

func observeLogDirs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.each(ctx, "kafka.logdirs", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		if p.id < 0 {
			return nil, probe.Fail(fact.NotObserved, p.String()+" does not say which broker it is", p.grant(clusterConfigs))
		}
		got, err := r.ask(ctx, p, kmsg.NewPtrDescribeLogDirsRequest()) // nil topics are all
		if err == nil {
			answer := got.(*kmsg.DescribeLogDirsResponse)
			if err = refusal(p, "DescribeLogDirs", answer.ErrorCode); err == nil {
				if len(answer.Dirs) > 0 {
					return r.logDirs(p, answer), nil
				}
				// Before version 3 a denial has no code of its own.
				err = refusal(p, "DescribeLogDirs without any log dir", kerr.ClusterAuthorizationFailed.Code)
			}
		}
		return nil, err
	}, func(p *peer, because *fact.Unknown) (seen []fact.Observation) {
		for _, path := range r.pathsOf(p) {
			seen = append(seen, dirUnknown(p, path, because)...)
		}
		return seen
	})
}

// logDirs is what a broker told, and remembers which log dirs it has.
func (r *roster) logDirs(p *peer, answer *kmsg.DescribeLogDirsResponse) []fact.Observation {
	var seen []fact.Observation
	var paths []string
	for _, d := range answer.Dirs {
		paths = append(paths, d.Dir)
		s := fact.LogDirOf(p.id, d.Dir)
		if d.ErrorCode != 0 { // it lists no replicas then
			name := kerr.ErrorForCode(d.ErrorCode).Error()
			var known *kerr.Error
			if errors.As(kerr.ErrorForCode(d.ErrorCode), &known) {
				name = known.Message
			}
			because := &fact.Unknown{Reason: fact.NotObserved, Detail: p.String() + " tells no sizes of a log dir with error " + name}
			seen = append(seen, fact.LogDirError.Is(s, name), fact.LogDirSize.Unknown(s, because),
				fact.LogDirTotal.Unknown(s, because), fact.LogDirUsable.Unknown(s, because), fact.LogDirLag.Unknown(s, because),
				fact.LogDirFutures.Unknown(s, because), fact.LogDirFutureLag.Unknown(s, because))
			continue
		}
		var size, lag, futures, futureLag int64
		for _, topic := range d.Topics {
			for _, partition := range topic.Partitions {
				size += max(0, partition.Size)
				if partition.IsFuture {
					futures++
					futureLag += max(0, partition.OffsetLag)
				} else {
					lag += max(0, partition.OffsetLag)
				}
			}
		}
		seen = append(seen, fact.LogDirError.Is(s, ""), fact.LogDirSize.Is(s, float64(size)),
			volume(fact.LogDirTotal, s, d.TotalBytes), volume(fact.LogDirUsable, s, d.UsableBytes),
			fact.LogDirLag.Is(s, float64(lag)), fact.LogDirFutures.Is(s, float64(futures)), fact.LogDirFutureLag.Is(s, float64(futureLag)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logdirs[p.name] = paths
	return seen
}

// volume is a size of a file system; brokers before 3.3 tell none.
func volume(key fact.Of[float64], s fact.Subject, bytes int64) fact.Observation {
	if bytes < 0 {
		return key.Unknown(s, &fact.Unknown{Reason: fact.NotSupported, Detail: "the broker tells no sizes of file systems", How: "Kafka 3.3 and later tell them"})
	}
	return key.Is(s, float64(bytes))
}

// pathsOf is the log dirs that a broker is known to have: as it last told, or
// by its own configuration. "*" stands for those that nobody knows.
func (r *roster) pathsOf(p *peer) []string {
	if p.id < 0 { // the subject of a log dir holds the id
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if paths := r.logdirs[p.name]; len(paths) > 0 {
		return paths
	}
	for _, b := range r.target.Brokers() {
		if p.id >= 0 && b.NodeID == p.id && len(b.LogDirs) > 0 {
			return slices.Clone(b.LogDirs)
		}
	}
	return []string{fact.Any}
}

func dirUnknown(p *peer, path string, because *fact.Unknown) []fact.Observation {
	s := fact.LogDirOf(p.id, path)
	return []fact.Observation{fact.LogDirError.Unknown(s, because), fact.LogDirSize.Unknown(s, because),
		fact.LogDirTotal.Unknown(s, because), fact.LogDirUsable.Unknown(s, because), fact.LogDirLag.Unknown(s, because),
		fact.LogDirFutures.Unknown(s, because), fact.LogDirFutureLag.Unknown(s, because)}
}
