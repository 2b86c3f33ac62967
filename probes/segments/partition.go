package segments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/batch"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

const (
	leftOver    = time.Hour              // a broker deletes a file a minute after it was renamed, unless told otherwise
	secondLook  = 150 * time.Millisecond // after which what a broker was about to write is written
	mostSecond  = 3                      // looks at what is suspicious
	metadataKit = "quorum-state"
)

// partition is one replica's directory, and what its log dir says of it.
type partition struct {
	name     string // "orders-3"
	dir      string
	dirKind  dirKind
	running  bool // a broker has the log dir locked
	unclean  bool
	flushed  int64 // recovery point, -1: not known
	now      time.Time
	target   *probe.Target
	pace     *polite.Pace
	topicIDs func(topic, id string) (other string, ok bool) // the id that another partition of the topic has
	lacksID  func(Damage)                                   // what to report should other partitions have a partition.metadata
}

// survey judges a partition by its directory and small files, and returns where
// its segments are.
func (p *partition) survey(ctx context.Context) (places []place, l *listing, damage []Damage, err error) {
	l, err = list(p.target, p.dir)
	if err != nil {
		return nil, nil, nil, err
	}
	s := &survey{partition: p, listing: l, ctx: ctx}
	s.leftOvers()
	s.epochs()
	s.identity()
	s.snapshots()
	for i, f := range l.segments {
		next := int64(-1)
		if i+1 < len(l.segments) {
			next = l.segments[i+1].base
		}
		pl := place{partition: p.name, dir: p.dir, base: f.base, next: next, epochs: s.starts, unclean: p.unclean, flushed: p.flushed, has: f.has}
		for _, suffix := range []string{suffixIndex, suffixTimeIndex} {
			if f.has[suffix] == 0 && next >= 0 { // those of the active one come with the first need of them
				s.add(Damage{Kind: MissingFile, Severity: Minor, File: pl.file(suffix), Position: -1, BaseOffset: f.base, LastOffset: -1,
					Text: "missing beside its log; the broker makes it anew at its next start", SelfHealing: true})
			}
		}
		places = append(places, pl)
	}
	return places, l, s.damage, ctx.Err()
}

// survey is one look at a partition's small files.
type survey struct {
	*partition
	*listing
	ctx    context.Context
	starts []epochStart
	damage []Damage
}

func (s *survey) add(d Damage) {
	d.Partition = s.name
	s.damage = append(s.damage, d)
}

func (s *survey) whole(kind Kind, severity Severity, file, format string, args ...any) {
	s.add(Damage{Kind: kind, Severity: severity, File: file, Position: -1, BaseOffset: -1, LastOffset: -1, Text: fmt.Sprintf(format, args...)})
}

// read is a small file of the partition; false when it is not there, or cannot
// be read.
func (s *survey) read(file string, limit int64) (string, bool) {
	raw, err := readSmall(s.ctx, s.target, file, limit)
	switch {
	case err == nil:
		return string(raw), true
	case !errors.Is(err, fs.ErrNotExist) && s.ctx.Err() == nil:
		s.whole(Unreadable, Info, file, "%v", err)
	}
	return "", false
}

// leftOvers judges files that should be gone, or were never a broker's.
func (s *survey) leftOvers() {
	for _, f := range s.transient {
		age := s.now.Sub(f.changed)
		if s.running && age < leftOver {
			continue
		}
		text := fmt.Sprintf("left over: %s after it was renamed or written; a broker deletes its like within minutes, or at its next start", round(age))
		s.add(Damage{Kind: StrayFile, Severity: Minor, File: f.name, Position: -1, BaseOffset: -1, LastOffset: -1, Text: text, SelfHealing: !s.running})
	}
	for _, f := range s.orphans {
		s.add(Damage{Kind: StrayFile, Severity: Minor, File: f.name, Position: -1, BaseOffset: -1, LastOffset: -1,
			Text: "an index without a log; the broker deletes it at its next start", SelfHealing: true})
	}
	for _, f := range s.others {
		base := filepath.Base(f.name)
		switch {
		case s.dirKind == metadataDir && checkpointOf.MatchString(base):
			if s.dirKind == metadataDir && strings.HasSuffix(base, ".checkpoint") {
				s.quorumSnapshot(f.name)
			}
		case strings.HasSuffix(base, ".tmp") && s.now.Sub(f.changed) < leftOver:
		default:
			s.whole(StrayFile, Info, f.name, "no file of a broker's; it passes over it")
		}
	}
}

func round(d time.Duration) time.Duration {
	if d > time.Hour {
		return d.Round(time.Minute)
	}
	return d.Round(time.Second)
}

func (s *survey) epochs() {
	name := filepath.Join(s.dir, smallFiles[0])
	if !s.small[smallFiles[0]] {
		return
	}
	text, ok := s.read(name, maxSmall)
	if !ok {
		return
	}
	starts, err := parseEpochs(text)
	if err != nil {
		s.whole(EpochInvalid, Major, name, "%v", err)
		return
	}
	s.starts = starts
}

// holdsMessages says whether any segment has one: a broker that meets a full file
// system while it makes a replica leaves a directory without, and makes it anew.
func (s *survey) holdsMessages() bool {
	return slices.ContainsFunc(s.segments, func(f segmentFile) bool { return f.size > 0 })
}

func (s *survey) identity() {
	name := filepath.Join(s.dir, smallFiles[1])
	if !s.small[smallFiles[1]] {
		if s.lacksID != nil && s.dirKind == partitionDir && s.holdsMessages() && s.settled() {
			s.lacksID(Damage{Kind: MissingFile, Severity: Minor, Partition: s.name, File: name, Position: -1, BaseOffset: -1, LastOffset: -1,
				Text: "missing, although other partitions of this log dir have it: the broker cannot tell which topic of this name the messages belong to"})
		}
	} else if text, ok := s.read(name, 4<<10); ok {
		id, err := parsePartitionMetadata(text)
		if err != nil {
			s.whole(CheckpointBad, Major, name, "%v", err)
		} else if s.topicIDs != nil {
			topic := s.name[:strings.LastIndexByte(s.name, '-')]
			if other, differs := s.topicIDs(topic, id); differs {
				s.whole(CheckpointBad, Major, name, "topic id %s, another partition of the topic has %s", id, other)
			}
		}
	}
	if s.small[metadataKit] {
		name := filepath.Join(s.dir, metadataKit)
		if text, ok := s.read(name, 1<<20); ok {
			if err := parseQuorumState(text); err != nil {
				s.whole(CheckpointBad, Critical, name, "%v", err)
			}
		}
	}
}

// settled says whether nothing has come or gone in the directory lately: a broker
// writes some files when it first needs them.
func (s *survey) settled() bool {
	info, err := os.Stat(s.dir)
	return err == nil && (!s.running || s.now.Sub(info.ModTime()) > 5*time.Minute)
}

func (s *survey) snapshots() {
	newest := int64(-1)
	for _, f := range s.listing.snapshots {
		n, _ := parseFileName(filepath.Base(f.name))
		newest = max(newest, n.base)
	}
	for _, f := range s.listing.snapshots {
		text, ok := s.read(f.name, maxSnapshot)
		if !ok {
			continue
		}
		if err := checkSnapshot([]byte(text)); err != nil {
			n, _ := parseFileName(filepath.Base(f.name))
			more := "a broker that starts reads the newest alone"
			if n.base == newest {
				more = "the broker deletes it at its next start, and reads the log instead"
			}
			s.add(Damage{Kind: SnapshotCorrupt, Severity: Minor, File: f.name, Position: -1, BaseOffset: n.base, LastOffset: -1,
				Text: fmt.Sprintf("%v; %s", err, more), SelfHealing: true})
		}
	}
}

// quorumSnapshot verifies a snapshot of the metadata log: batches up to a footer.
func (s *survey) quorumSnapshot(name string) {
	file, err := polite.Open(s.ctx, s.target, name, s.pace)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.whole(Unreadable, Info, name, "%v", err)
		}
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return
	}
	position, why := checkQuorumSnapshot(file, info)
	if why != nil {
		s.add(Damage{Kind: SnapshotCorrupt, Severity: Critical, File: name, Position: position, BaseOffset: -1, LastOffset: -1, Text: why.Error()})
	}
}

// checkQuorumSnapshot says what is wrong with a snapshot of the metadata log, and where.
func checkQuorumSnapshot(from io.ReaderAt, info os.FileInfo) (position int64, err error) {
	scan := batch.NewScanner(from, 0, info.Size(), make([]byte, 64<<10))
	records, footer := batch.Records{Keep: 8}, false
	for scan.Next() {
		if !scan.Valid() {
			return scan.Position(), fmt.Errorf("checksum %08x of the batch does not fit its %d bytes", scan.Header().CRC, scan.Header().Size())
		}
		records.Open(scan.Header(), scan.Body())
		for footer = false; records.Next(); {
			kind, err := batch.ControlType(records.Record().Key)
			footer = scan.Header().Control() && err == nil && kind == batch.SnapshotFooter
		}
		if records.Err() != nil {
			return scan.Position(), records.Err()
		}
	}
	switch {
	case scan.Err() != nil:
		return scan.Position(), scan.Err()
	case scan.Stop() != batch.AtEnd:
		return scan.Position(), errors.New("the last batch is incomplete")
	case !footer:
		return scan.Position(), errors.New("no footer at the end")
	}
	return 0, nil
}
