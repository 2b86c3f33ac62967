package history

import (
	"context"
	"fmt"
	"time"

	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// begin reads the newest snapshot that precedes what is to be told, or, where
// there is none, begins as early as the log does.
func (l *Log) begin(ctx context.Context, files *listing) error {
	l.Cluster = newCluster()
	whole := len(files.segments) > 0 && files.segments[0].base == 0
	for i := len(files.snapshots) - 1; i >= 0; i-- {
		s := files.snapshots[i]
		if i > 0 || whole {
			from := l.since
			if from.IsZero() && whole {
				break // all of it
			}
			if when, err := l.contains(ctx, s); err != nil || when.After(from) || when.UnixMilli() > l.until {
				continue
			}
		}
		if err := l.load(ctx, s); err != nil {
			if ctx.Err() != nil {
				return err
			}
			l.Damage = append(l.Damage, err.Error())
			l.Cluster = newCluster()
			continue
		}
		return nil
	}
	if whole {
		return nil
	}
	if len(files.segments) > 0 {
		l.Start, l.End, l.FromState = files.segments[0].base, files.segments[0].base, true
		l.Damage = append(l.Damage, fmt.Sprintf("no snapshot could be read, and the log begins at offset %d: what was there before is not known", l.Start))
	}
	return nil
}

// contains is the time of the last record that a snapshot contains.
func (l *Log) contains(ctx context.Context, s snapshot) (when time.Time, err error) {
	f, err := polite.Open(ctx, l.target, s.path, l.pace)
	if err != nil {
		return when, err
	}
	defer f.Close()
	scan := batch.NewScanner(f, 0, s.bytes, make([]byte, 4<<10))
	scan.HeadersOnly()
	if !scan.Next() {
		return when, fmt.Errorf("snapshot %s: no batch", s.path)
	}
	l.records.Open(scan.Header(), scan.Body())
	for l.records.Next() {
		r := l.records.Record()
		if kind, err := batch.ControlType(r.Key); err == nil && kind == batch.SnapshotHeader && len(r.Value) >= 10 {
			in := &input{rest: r.Value[2:], field: "LastContainedLogTimestamp"}
			return time.UnixMilli(datable(in.number(8))), nil
		}
	}
	return when, fmt.Errorf("snapshot %s: no header", s.path)
}

// load makes a snapshot the state.
func (l *Log) load(ctx context.Context, s snapshot) error {
	f, err := polite.Open(ctx, l.target, s.path, l.pace)
	if err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	defer f.Close()
	when, err := l.contains(ctx, s)
	if err != nil {
		return err
	}
	l.Cluster.quiet = true
	defer func() { l.Cluster.quiet = false }()
	scan := batch.NewScanner(f, 0, s.bytes, l.buffer)
	whole := false
	for scan.Next() {
		if !scan.Valid() {
			return fmt.Errorf("snapshot %s: wrong checksum at %d", s.path, scan.Position())
		}
		footer, err := l.apply(scan)
		if err != nil {
			return fmt.Errorf("snapshot %s at %d: %w", s.path, scan.Position(), err)
		}
		whole = whole || footer
	}
	if !whole {
		return fmt.Errorf("snapshot %s: its end is missing", s.path)
	}
	l.Start, l.End, l.FromState = s.end, s.end, true
	l.First, l.Last = when, when
	l.Cluster.Epoch = s.epoch
	return nil
}
