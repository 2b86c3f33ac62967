package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// Log is the metadata log of a node, read as far as it has come. It is not for
// use by several goroutines.
type Log struct {
	Dir     string
	Cluster *Cluster

	First, Last time.Time // of the records that were read; zero: none
	Next        time.Time // of the first record after Options.At; zero: none was met
	End         int64     // offset after the last record
	Start       int64     // offset that reading began at
	FromState   bool      // with a snapshot, not with the first record there ever was
	Records     int64
	Unknown     int64 // records of types that are not known here
	Newer       int64 // records of known types in versions that are not
	Undecoded   int64 // records that could not be decoded
	Damage      []string

	target  *probe.Target
	pace    *polite.Pace
	since   time.Time
	until   int64 // milliseconds; records after it are not read
	past    int64 // offset from which on nothing is committed; 0: not known
	ended   bool  // by until
	base    int64 // of the segment being read
	at      int64 // where in it
	buffer  []byte
	records batch.Records
	values  values
	held    [][]byte // records of a transaction that has not ended
	holding bool
	heldIn  int
	broken  bool // by damage to the log itself: nothing after it is read
}

const (
	mostValue = 1 << 20  // bytes of one record
	mostHeld  = 64 << 20 // bytes of one transaction: beyond, its records count at once
)

// Options is how much of a log to read.
type Options struct {
	Since time.Duration // how far back changes are told, counted from the newest record; 0: as far as the log goes
	At    time.Time     // where to stop: the state then; zero: at the end
	Rate  int64         // bytes a second, 0 for no limit
	State bool          // the state alone: no change is told

	Committed int64 // the quorum's high watermark: what is past it has not happened; 0: not known
}

var errBack = errors.New("the log was cut back or rolled away while it was read")

// Read reads a metadata log. The error is that of a log that cannot be read at
// all; damage is told in the Log, with what precedes it.
func Read(ctx context.Context, t *probe.Target, dir string, o Options) (*Log, error) {
	var l *Log
	var err error
	var newest time.Time // record; the zero time: the file's own time is taken for it
	for range 3 {
		if l, err = open(ctx, t, dir, o, newest); err != nil {
			return nil, err
		}
		err = l.Advance(ctx)
		if err == nil && o.Since > 0 && newest.IsZero() && l.since.After(l.Last.Add(-o.Since+fileLater)) {
			newest = l.Last // a copy: the file is younger than what is in it
			continue
		}
		if !errors.Is(err, errBack) {
			break
		}
	}
	return l, err
}

// fileLater is by how much a file may be younger than its newest record.
const fileLater = time.Minute

// open chooses where to begin and reads the state there.
func open(ctx context.Context, t *probe.Target, dir string, o Options, newest time.Time) (*Log, error) {
	l := &Log{Dir: dir, target: t, past: o.Committed, pace: polite.NewPace(t, o.Rate), buffer: make([]byte, batch.BufferSize), records: batch.Records{Keep: mostValue}}
	files, err := list(t, dir)
	if err != nil {
		return nil, err
	}
	if len(files.segments) == 0 && len(files.snapshots) == 0 {
		return nil, fmt.Errorf("read metadata log: neither segments nor snapshots in %s", dir)
	}
	l.until = 1<<63 - 1
	if !o.At.IsZero() {
		l.until = o.At.UnixMilli()
	}
	if n := len(files.segments); n > 0 && newest.IsZero() {
		newest = files.segments[n-1].mtime
	}
	if !o.At.IsZero() && o.At.Before(newest) {
		newest = o.At
	}
	if o.Since > 0 && !newest.IsZero() {
		l.since = newest.Add(-o.Since)
	}
	err = l.begin(ctx, files)
	if !l.since.IsZero() {
		l.Cluster.from = l.since.Add(-fileLater).UnixMilli()
	}
	if o.State {
		l.Cluster.from = 1<<63 - 1
	}
	return l, err
}

// Advance reads what has come since. It stops at damage, and at the context's
// end, and goes on from there the next time.
func (l *Log) Advance(ctx context.Context) error {
	for range 4 { // what is written meanwhile is read too, but not for ever
		if l.ended || l.broken {
			return nil
		}
		files, err := list(l.target, l.Dir)
		if err != nil {
			return err
		}
		next := -1
		for i, s := range files.segments {
			if s.base <= l.End {
				next = i
			}
		}
		if next < 0 {
			if len(files.segments) > 0 {
				l.damaged("offsets from %d to %d are in no segment", l.End, files.segments[0].base-1)
			}
			return nil
		}
		before := l.End
		for i := next; i < len(files.segments) && !l.ended; i++ {
			if err := l.segment(ctx, files.segments[i], i == len(files.segments)-1); err != nil || l.ended || l.broken {
				return err
			}
			if i+1 < len(files.segments) && files.segments[i+1].base > l.End {
				l.damaged("offsets from %d to %d are in no segment", l.End, files.segments[i+1].base-1)
				return nil
			}
		}
		if l.End == before {
			return nil
		}
	}
	return nil
}

// segment reads a segment from where reading stopped.
func (l *Log) segment(ctx context.Context, s segment, last bool) error {
	f, err := polite.Open(ctx, l.target, s.path, l.pace)
	if errors.Is(err, fs.ErrNotExist) {
		return errBack
	}
	if err != nil {
		return fmt.Errorf("read metadata log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read metadata log: %w", err)
	}
	if l.base != s.base {
		l.base, l.at = s.base, 0
	}
	if info.Size() < l.at {
		return errBack
	}
	scan := batch.NewScanner(f, l.at, info.Size(), l.buffer)
	for scan.Next() {
		if h := scan.Header(); h.LastOffset() < l.End {
			l.at = scan.Position() + h.Size()
			continue // in the snapshot
		}
		if err := l.batch(scan, s.path); err != nil || l.ended || l.broken {
			return err
		}
		l.at = scan.Position() + scan.Header().Size()
	}
	switch scan.Stop() {
	case batch.Failed:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("read %s: %w", s.path, scan.Err())
	case batch.Nonsense:
		l.damaged("%s at %d: %v", s.path, scan.Position(), scan.Err())
	case batch.Torn:
		if !last || time.Since(info.ModTime()) > time.Minute { // otherwise it is being written
			l.damaged("%s ends within the batch at %d", s.path, scan.Position())
		}
	}
	return nil
}

func (l *Log) damaged(format string, args ...any) {
	l.Damage = append(l.Damage, fmt.Sprintf(format, args...)+fmt.Sprintf("; told is what precedes offset %d", l.End))
	l.broken = true
}

// batch applies one batch, if it is sound and wanted.
func (l *Log) batch(scan *batch.Scanner, path string) error {
	h := scan.Header()
	switch {
	case !scan.Valid():
		l.damaged("%s at %d: wrong checksum", path, scan.Position())
		return nil
	case h.BaseOffset > l.End:
		l.damaged("%s at %d: offset %d, expected %d", path, scan.Position(), h.BaseOffset, l.End)
		return nil
	case l.past > 0 && h.LastOffset() >= l.past:
		l.ended = true
		return nil
	case h.MaxTimestamp > l.until:
		l.ended, l.Next = true, time.UnixMilli(datable(h.MaxTimestamp))
		return nil
	}
	if l.First.IsZero() {
		l.First = time.UnixMilli(datable(h.MaxTimestamp))
	}
	if _, err := l.apply(scan); err != nil {
		l.damaged("%s at %d: %v", path, scan.Position(), err)
		return nil
	}
	l.End, l.Last = h.LastOffset()+1, time.UnixMilli(datable(h.MaxTimestamp))
	return nil
}

// apply applies the records of a batch; footer says that it ends a snapshot.
func (l *Log) apply(scan *batch.Scanner) (footer bool, err error) {
	h, c := *scan.Header(), l.Cluster
	c.batch = h.BaseOffset
	l.records.Open(&h, scan.Body())
	for l.records.Next() {
		r := l.records.Record()
		c.at, c.offset = datable(r.Timestamp), r.Offset
		if h.Control() {
			kind, err := batch.ControlType(r.Key)
			if err != nil {
				return false, err
			}
			footer = footer || kind == batch.SnapshotFooter
			if kind == batch.LeaderChange && len(r.Value) >= 6 {
				in := &input{rest: r.Value[2:], field: "LeaderId"}
				c.lead(int32(in.number(4)), h.LeaderEpoch)
			}
			continue
		}
		l.Records++
		if r.ValueSize > mostValue {
			l.Undecoded++
			continue
		}
		l.record(r.Value)
	}
	return footer, l.records.Err()
}

// record applies one record, or holds it while its transaction is open.
func (l *Log) record(raw []byte) {
	typ, what, err := decodeMetadata(&l.values, raw)
	switch {
	case err != nil:
		l.Undecoded++
		return
	case what == unknownType:
		l.Unknown++
		return
	case what == newerVersion:
		l.Newer++
		return
	case what == ignored || typ == noOp:
		return
	}
	switch typ {
	case beginTransaction:
		l.holding = true
		return
	case endTransaction:
		l.release()
		return
	case abortTransaction:
		l.held, l.holding, l.heldIn = nil, false, 0
		return
	}
	if !l.holding {
		l.Cluster.apply(typ, &l.values)
		return
	}
	l.held = append(l.held, append([]byte(nil), raw...))
	if l.heldIn += len(raw) + 24; l.heldIn > mostHeld {
		l.release()
	}
}

// release applies what a transaction held back.
func (l *Log) release() {
	for _, raw := range l.held {
		if typ, what, err := decodeMetadata(&l.values, raw); err == nil && what == decoded {
			l.Cluster.apply(typ, &l.values)
		}
	}
	l.held, l.holding, l.heldIn = nil, false, 0
}

// Age is how old the newest record is. A quorum that works writes twice a second
// at least: an old record means that this copy is cut off, or that nothing leads.
func (l *Log) Age(now time.Time) time.Duration { return now.Sub(l.Last) }
