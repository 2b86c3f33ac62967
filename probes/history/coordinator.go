package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// The topics that coordinators keep their state in.
const (
	OffsetsTopic      = "__consumer_offsets"
	TransactionsTopic = "__transaction_state"
)

// CoordinatorOptions is how much of coordinators' logs to read.
type CoordinatorOptions struct {
	Group      string        // or transactional id: only this one; "": all
	Partitions int           // that the topic has, where that is known: with Group only the one is read; 0: all that are here
	At         time.Time     // records after it are not read; zero: all are
	Budget     int64         // bytes to read at most, the newest of each partition; 0: 512 MiB
	Rate       int64         // bytes a second, 0 for no limit
	Retention  time.Duration // offsets.retention.minutes, where it is known; 0: it is not
	Whole      bool          // no budget
}

const defaultBudget = 512 << 20

// Reading is how much of a coordinator's logs was read, and what came of it.
type Reading struct {
	Topic       string    `json:"topic"`
	Partitions  []int32   `json:"partitions"` // that are on this node and were read
	Bytes       int64     `json:"bytes"`
	Partial     bool      `json:"partial"` // older segments were left out, for the budget
	First       time.Time `json:"first,omitzero"`
	Last        time.Time `json:"last,omitzero"` // of the newest record
	Records     int64     `json:"records"`
	Unknown     int64     `json:"unknown_types"`
	Newer       int64     `json:"newer_versions"`
	Undecoded   int64     `json:"undecoded"`
	Aborted     int64     `json:"aborted"` // records of transactions that were rolled back
	Pending     int64     `json:"pending"` // records of transactions that have not ended
	Left        int64     `json:"left"`    // records that there was no room for
	Damage      []string  `json:"damage"`
	Unreachable []string  `json:"unreachable"` // log dirs that could not be listed, and why
}

// unit is a record of a coordinator, in the order in which it counts: those of a
// transaction when that is committed.
type unit struct {
	partition  int32 // of the coordinator's topic
	batch      int64 // base offset
	offset     int64
	at         int64 // milliseconds
	key, value []byte
}

// coordinatorLog reads the local partitions of a coordinator's topic. It is not
// for use by several goroutines.
type coordinatorLog struct {
	*Reading
	apply   func(u *unit)
	target  *probe.Target
	pace    *polite.Pace
	buffer  []byte
	records batch.Records
	until   int64
	held    map[int64][]unit // by producer id, of the partition being read
	heldIn  int
	number  int32 // of that partition
	end     int64 // offset after what was applied of it
	at      position
}

// position is how far a file was read.
type position struct {
	base int64
	info fs.FileInfo // nil: none was
	next int64       // where the next batch begins
}

// local is a partition that is on this node.
type local struct {
	number int32
	dir    string
	files  []segment
	bytes  int64
}

// errCut is the error of a file that ends before what was read of it: whoever
// leads the partition now has not what was read.
var errCut = fmt.Errorf("its end was cut off: %w", errBack)

// mostHeldUnits is how many bytes of open transactions are held back.
const mostHeldUnits = 16 << 20

// readCoordinator reads the partitions of a topic in some log dirs. The error is
// that of the context, or of a file that cannot be read.
func readCoordinator(ctx context.Context, t *probe.Target, topic string, dirs []string, o CoordinatorOptions, r *Reading, apply func(u *unit)) error {
	r.Topic, r.Partitions, r.Damage, r.Unreachable = topic, []int32{}, []string{}, []string{}
	l := &coordinatorLog{Reading: r, apply: apply, target: t, pace: polite.NewPace(t, o.Rate), buffer: make([]byte, batch.BufferSize), records: batch.Records{Keep: mostValue}, until: math.MaxInt64}
	if !o.At.IsZero() {
		l.until = o.At.UnixMilli()
	}
	only := int32(-1)
	if o.Group != "" {
		only = CoordinatorPartition(o.Group, o.Partitions)
	}
	var places []local
	for _, dir := range dirs {
		found, err := placesIn(t, dir, topic, only)
		if err != nil {
			l.Unreachable = append(l.Unreachable, err.Error())
		}
		places = append(places, found...)
	}
	slices.SortStableFunc(places, func(a, b local) int { // small ones leave their share of the budget to the others
		return cmp.Or(cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.number, b.number))
	})
	budget := o.Budget
	if budget <= 0 {
		budget = defaultBudget
	}
	for i, p := range places {
		share := budget / int64(len(places)-i)
		if o.Whole {
			share = math.MaxInt64
		}
		budget -= min(share, p.bytes)
		l.Partitions = append(l.Partitions, p.number)
		if err := l.read(ctx, p, share); err != nil {
			return err
		}
	}
	slices.Sort(l.Partitions)
	return nil
}

// placesIn finds the partitions of a topic in a log dir; all, or only one.
func placesIn(t *probe.Target, dir, topic string, only int32) ([]local, error) {
	f, err := t.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", topic, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("look for %s in %s: %w", topic, dir, err)
	}
	var found []local
	for _, base := range names {
		digits, ok := strings.CutPrefix(base, topic+"-")
		n, err := strconv.ParseUint(digits, 10, 31)
		if !ok || err != nil || only >= 0 && int32(n) != only {
			continue // among them partitions that are being moved or deleted
		}
		p := local{number: int32(n), dir: filepath.Join(dir, base)}
		l, err := list(t, p.dir)
		if err != nil {
			return found, err
		}
		for _, s := range l.segments {
			p.bytes += s.bytes
		}
		p.files = l.segments
		found = append(found, p)
	}
	return found, nil
}

// read reads a partition: of its newest segments, so many bytes.
func (l *coordinatorLog) read(ctx context.Context, p local, share int64) error {
	l.number, l.held, l.heldIn, l.end, l.at = p.number, map[int64][]unit{}, 0, 0, position{}
	skip := max(p.bytes-share, 0)
	l.Partial = l.Partial || skip > 0
	files := p.files
	for len(files) > 1 && files[0].bytes <= skip {
		skip -= files[0].bytes
		files = files[1:]
	}
	var err error
	for range 5 { // compaction puts other files in their places
		if err = l.segments(ctx, files, skip); !errors.Is(err, errBack) {
			break
		}
		again, err := list(l.target, p.dir)
		if err != nil {
			return err
		}
		files, skip = again.segments, 0
		for len(files) > 1 && files[1].base <= l.end {
			files = files[1:]
		}
	}
	for _, units := range l.held {
		l.Pending += int64(len(units))
	}
	if errors.Is(err, errBack) {
		l.Damage = append(l.Damage, fmt.Sprintf("%s: %v; told is what precedes offset %d", p.dir, err, l.end))
		return nil
	}
	return err
}

// segments reads files in their order, the first from a batch after so many
// bytes on.
func (l *coordinatorLog) segments(ctx context.Context, files []segment, skip int64) error {
	for i, s := range files {
		whole, err := l.segment(ctx, s, skip, i == len(files)-1)
		if err != nil || !whole {
			return err
		}
		skip = 0
	}
	return nil
}

// segment reads a file; false where damage ends what can be read.
func (l *coordinatorLog) segment(ctx context.Context, s segment, skip int64, last bool) (bool, error) {
	f, err := polite.Open(ctx, l.target, s.path, l.pace)
	if errors.Is(err, fs.ErrNotExist) {
		return false, errBack
	}
	if err != nil {
		return false, fmt.Errorf("read coordinator's log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("read coordinator's log: %w", err)
	}
	begin := int64(0)
	if l.at.info != nil && l.at.base == s.base && os.SameFile(l.at.info, info) {
		if begin, skip = l.at.next, 0; begin > info.Size() {
			return false, errCut
		}
	}
	l.at = position{s.base, info, begin}
	scan := batch.NewScanner(f, begin, info.Size(), l.buffer)
	if skip > 0 {
		at, err := scan.Resync(skip, s.base, s.base+math.MaxInt32) // Kafka indexes no more in one segment
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("read %s: %w", s.path, err)
		}
		scan.Skip(at)
	}
	for scan.Next() {
		h := scan.Header()
		if h.LastOffset() < l.end {
			l.at.next = scan.Position() + h.Size()
			continue // read before the files changed
		}
		l.Bytes += h.Size()
		if !scan.Valid() {
			return l.damaged("%s at %d: wrong checksum", s.path, scan.Position()), nil
		}
		if err := l.batch(h, scan.Body()); err != nil {
			return l.damaged("%s at %d: %v", s.path, scan.Position(), err), nil
		}
		l.end, l.at.next = h.LastOffset()+1, scan.Position()+h.Size()
	}
	switch scan.Stop() {
	case batch.Failed:
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return false, fmt.Errorf("read %s: %w", s.path, scan.Err())
	case batch.Nonsense:
		return l.damaged("%s at %d: %v", s.path, scan.Position(), scan.Err()), nil
	case batch.Torn:
		if !last || time.Since(info.ModTime()) > time.Minute { // otherwise it is being written
			return l.damaged("%s ends within the batch at %d", s.path, scan.Position()), nil
		}
	}
	return true, nil
}

func (l *coordinatorLog) damaged(format string, args ...any) bool {
	l.Damage = append(l.Damage, fmt.Sprintf(format, args...)+fmt.Sprintf("; of this partition is told what precedes offset %d", l.end))
	return false
}

// batch hands on the records of a batch, or holds them back until its
// transaction ends.
func (l *coordinatorLog) batch(header *batch.Header, body *io.SectionReader) error {
	h := *header
	l.records.Open(&h, body)
	for l.records.Next() {
		r := l.records.Record()
		r.Timestamp = datable(r.Timestamp)
		if r.Timestamp > l.until {
			continue
		}
		if h.Control() {
			kind, err := batch.ControlType(r.Key)
			if err != nil {
				return err
			}
			l.ended(h.ProducerID, kind)
			continue
		}
		l.Records++
		l.seen(r.Timestamp)
		if r.ValueSize > mostValue || r.KeySize > mostValue {
			l.Undecoded++
			continue
		}
		u := unit{l.number, h.BaseOffset, r.Offset, r.Timestamp, r.Key, r.Value}
		if !h.Transactional() {
			l.apply(&u)
			continue
		}
		size := len(r.Key) + len(r.Value) + 64
		if l.heldIn+size > mostHeldUnits {
			l.Left++
			continue
		}
		l.heldIn += size
		u.key, u.value = slices.Clone(r.Key), slices.Clone(r.Value)
		l.held[h.ProducerID] = append(l.held[h.ProducerID], u)
	}
	return l.records.Err()
}

// lastDate is the end of what can be written as a date, in milliseconds.
var lastDate = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()

// datable is a time that can be written, whatever a record says: one beyond all
// dates is the last of them, and one before 1970 its first moment.
func datable(ms int64) int64 { return min(max(ms, 0), lastDate) }

// seen widens the span of time that the records are of.
func (l *coordinatorLog) seen(at int64) {
	when := time.UnixMilli(at).UTC()
	if l.First.IsZero() || when.Before(l.First) {
		l.First = when
	}
	if when.After(l.Last) {
		l.Last = when
	}
}

// ended ends the transaction of a producer.
func (l *coordinatorLog) ended(producer int64, how batch.Control) {
	units := l.held[producer]
	if units == nil || how != batch.Commit && how != batch.Abort {
		return
	}
	delete(l.held, producer)
	for i := range units {
		l.heldIn -= len(units[i].key) + len(units[i].value) + 64
		if how == batch.Commit {
			l.apply(&units[i])
		} else {
			l.Aborted++
		}
	}
}
