package segments

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// logsProbe tells where logs begin and end, from a few kilobytes of each.
var logsProbe = &probe.Probe{
	Name:    "segments.logs",
	Doc:     "where each log in the log dirs of this host begins and ends, and its checkpoints: a few kilobytes of each",
	Cost:    probe.Cheap,
	Every:   30 * time.Second,
	Yields:  []fact.Key{fact.SegmentsLogs},
	Observe: observeLogs,
}

// mostLogs is how many partitions of a log dir are looked at.
const mostLogs = 10_000

func observeLogs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	var all []fact.Observation
	var failed error
	ctx, cancel := probe.Early(ctx)
	defer cancel()
	for _, b := range t.Brokers() {
		for _, dir := range b.LogDirs {
			subject := fact.LogDirOf(b.NodeID, dir)
			path := t.PathOf(b.PID, dir)
			logs, err := probe.Within(ctx, t, "read the ends of the logs in "+path, func() (fact.LocalLogs, error) { return localLogs(ctx, t, path) })
			if err != nil {
				all = append(all, fact.SegmentsLogs.Unknown(subject, probe.Because(err)))
				failed = errors.Join(failed, err)
				continue
			}
			all = append(all, fact.SegmentsLogs.Is(subject, logs))
		}
	}
	return all, failed
}

// logRow is a row of fact.LocalLogs.
type logRow struct {
	partition string
	segments  int32
	bytes     int64
	written   int64
	first     int64
	tail      tail
	epoch     epochStart
}

// localLogs reads the ends of the logs of a log dir. When the context ends it
// tells what it has.
func localLogs(ctx context.Context, t *probe.Target, dir string) (l fact.LocalLogs, err error) {
	f, err := t.Open(dir)
	if err != nil {
		return l, fmt.Errorf("list log dir: %w", err)
	}
	defer f.Close()
	quiet := &probe.Target{Root: t.Root, Now: t.Now}
	pace := polite.NewPace(quiet, scanRate)
	var rows []logRow
	for ctx.Err() == nil {
		entries, err := f.ReadDir(512)
		if len(entries) == 0 || err != nil {
			break
		}
		for _, e := range entries {
			partition, kind := parseDirName(e.Name())
			if kind != partitionDir && kind != metadataDir || ctx.Err() != nil {
				continue
			}
			if l.All++; len(rows) >= mostLogs {
				continue
			}
			if row, ok := oneLog(ctx, quiet, pace, filepath.Join(dir, e.Name()), partition); ok {
				rows = append(rows, row)
			}
		}
	}
	if ctx.Err() != nil && len(rows) == 0 {
		return l, ctx.Err()
	}
	slices.SortFunc(rows, func(a, b logRow) int { return cmp.Compare(a.partition, b.partition) })
	// after the ends: a high watermark above one of them is then a log that lost its end
	d := openLogDir(context.WithoutCancel(ctx), quiet, dir)
	l.Running = d.running
	for _, r := range rows {
		m, ok := d.marks[r.partition]
		if !ok {
			m = noMarks
		}
		l.Partition, l.Segments, l.Bytes, l.Written = append(l.Partition, r.partition), append(l.Segments, r.segments), append(l.Bytes, r.bytes), append(l.Written, r.written)
		l.First, l.End = append(l.First, r.first), append(l.End, r.tail.end)
		l.LogStart, l.HighWatermark, l.RecoveryPoint = append(l.LogStart, m[logStart]), append(l.HighWatermark, m[highWatermark]), append(l.RecoveryPoint, m[recoveryPoint])
		l.Epoch, l.EpochStart, l.WrittenEpoch = append(l.Epoch, r.epoch.epoch), append(l.EpochStart, r.epoch.start), append(l.WrittenEpoch, r.tail.epoch)
	}
	t.Ledger.Note("read", "the ends of the logs in "+dir, pace.Read(), 0)
	return l, nil
}

// oneLog reads the end of one log; false where there is none.
func oneLog(ctx context.Context, t *probe.Target, pace *polite.Pace, dir, partition string) (r logRow, ok bool) {
	l, err := list(t, dir)
	if err != nil || len(l.segments) == 0 {
		return r, false
	}
	active := l.segments[len(l.segments)-1]
	r = logRow{partition: partition, segments: int32(len(l.segments)), written: active.mtime.UnixMilli(), first: l.segments[0].base, epoch: epochStart{-1, -1}}
	for _, s := range l.segments {
		r.bytes += s.size
	}
	if l.small[smallFiles[0]] {
		if raw, err := readSmall(ctx, t, filepath.Join(dir, smallFiles[0]), maxSmall); err == nil {
			if starts, err := parseEpochs(string(raw)); err == nil && len(starts) > 0 {
				r.epoch = starts[len(starts)-1]
			}
		}
	}
	r.tail = readTail(ctx, t, pace, dir, active)
	if r.tail.epoch < 0 && r.tail.end == active.base && len(l.segments) > 1 { // rolled, and nothing in it yet
		r.tail.epoch = readTail(ctx, t, pace, dir, l.segments[len(l.segments)-2]).epoch
	}
	return r, true
}
