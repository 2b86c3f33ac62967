package segments

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// The checkpoints beside the partitions of a log dir.
const (
	recoveryPoint = iota
	logStart
	highWatermark
	cleanerPoint
	checkpoints
)

var checkpointNames = [checkpoints]string{"recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint", "cleaner-offset-checkpoint"}

const (
	metaProperties = "meta.properties"
	lockFile       = ".lock"
	cleanFile      = ".kafka_cleanshutdown"
)

// known are the other files that a log dir may have.
var known = map[string]bool{metaProperties: true, lockFile: true, cleanFile: true, "bootstrap.checkpoint": true}

// marks is what the checkpoints say of a partition; -1 where they do not.
type marks [checkpoints]int64

var noMarks = marks{-1, -1, -1, -1}

// logDir is a log dir, as one look found it.
type logDir struct {
	path     string
	running  bool
	unclean  bool
	id       identity
	hasMeta  bool
	marks    map[string]marks
	judged   [checkpoints]bool // the checkpoint was there, and parsed
	topicIDs map[string]string
	damage   []Damage
	nameless []Damage // partitions without a partition.metadata
}

// IsLogDir says whether a directory has what only log dirs have.
func IsLogDir(dir string) bool {
	for _, name := range append([]string{metaProperties}, checkpointNames[:]...) {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

func (d *logDir) whole(kind Kind, severity Severity, name, format string, args ...any) {
	d.damage = append(d.damage, Damage{Kind: kind, Severity: severity, File: filepath.Join(d.path, name), Position: -1, BaseOffset: -1, LastOffset: -1, Text: fmt.Sprintf(format, args...)})
}

// openLogDir reads what stands beside the partitions of a log dir.
func openLogDir(ctx context.Context, t *probe.Target, path string) *logDir {
	d := &logDir{path: path, id: identity{node: -1}, marks: map[string]marks{}, topicIDs: map[string]string{}, running: locked(t, filepath.Join(path, lockFile))}
	_, err := os.Lstat(filepath.Join(path, cleanFile))
	d.unclean = !d.running && errors.Is(err, fs.ErrNotExist)
	if text, ok := d.read(ctx, t, metaProperties, 64<<10); ok {
		id, err := parseMeta(text)
		if d.id, d.hasMeta = id, true; err != nil {
			d.whole(CheckpointBad, Critical, metaProperties, "%v; the broker does not start with it", err)
		}
	}
	for i, name := range checkpointNames {
		text, ok := d.read(ctx, t, name, maxCheckpoint)
		if !ok {
			continue
		}
		c, err := parseCheckpoint(text)
		if err != nil {
			d.whole(CheckpointBad, Critical, name, "%v; the broker takes this log dir offline when it next reads it", err)
			continue
		}
		d.judged[i] = true
		for partition, offset := range c {
			m, ok := d.marks[partition]
			if !ok {
				m = noMarks
			}
			m[i] = offset
			d.marks[partition] = m
		}
	}
	return d
}

// maxCheckpoint is the most bytes that are read of a log dir's checkpoint.
const maxCheckpoint = 64 << 20

func (d *logDir) read(ctx context.Context, t *probe.Target, name string, limit int64) (string, bool) {
	raw, err := readSmall(ctx, t, filepath.Join(d.path, name), limit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil {
		d.whole(Unreadable, Info, name, "%v", err)
	}
	return string(raw), err == nil
}

// entry judges an entry of the log dir by its name, and says whether it is a
// partition to look into.
func (d *logDir) entry(name string, dir bool, now time.Time) (partition string, kind dirKind, look bool) {
	if !dir {
		if !known[name] && !strings.HasSuffix(name, ".tmp") && !isCheckpoint(name) {
			d.whole(StrayFile, Info, name, "no file of a broker's; it passes over it")
		}
		return "", 0, false
	}
	partition, kind = parseDirName(name)
	switch kind {
	case foreignDir:
		d.whole(StrayFile, Critical, name, "no directory of a partition's: a broker does not start while it is in a log dir")
	case strayDir:
		d.whole(StrayFile, Info, name, "set aside by the broker: the cluster says that this replica does not belong here; it takes up room until somebody removes it")
	case deletedDir:
		if info, err := os.Lstat(filepath.Join(d.path, name)); err == nil && (!d.running || now.Sub(info.ModTime()) > 24*time.Hour) {
			d.damage = append(d.damage, Damage{Kind: StrayFile, Severity: Minor, File: filepath.Join(d.path, name), Position: -1, BaseOffset: -1, LastOffset: -1,
				Text: "was to be deleted, and still is there; the broker tries again at its next start", SelfHealing: true})
		}
	case partitionDir, futureDir, metadataDir:
		return partition, kind, true
	}
	return partition, kind, false
}

func isCheckpoint(name string) bool {
	for _, c := range checkpointNames {
		if name == c {
			return true
		}
	}
	return false
}

// against holds the checkpoints against the log of a partition: its first
// segment's base, and its end, the offset that the next message gets.
func (d *logDir) against(partition string, first, end int64, whole bool) (damage []Damage) {
	m, ok := d.marks[partition]
	if !ok || !whole {
		return nil
	}
	add := func(i int, severity Severity, heals bool, format string, args ...any) {
		damage = append(damage, Damage{Kind: CheckpointBad, Severity: severity, Partition: partition, File: filepath.Join(d.path, checkpointNames[i]),
			Position: -1, BaseOffset: m[i], LastOffset: -1, Text: fmt.Sprintf(format, args...), SelfHealing: heals})
	}
	if m[recoveryPoint] > end {
		add(recoveryPoint, Minor, true, "the log was flushed up to %d, and ends at %d: it lost its end since", m[recoveryPoint], end)
	}
	if m[highWatermark] > end {
		add(highWatermark, Critical, false, "all in-sync replicas had the messages up to %d, and the log ends at %d: %d messages that were acknowledged are not here", m[highWatermark], end, m[highWatermark]-end)
	}
	if m[logStart] > end {
		add(logStart, Major, false, "the log starts at %d, and ends at %d", m[logStart], end)
	}
	if m[cleanerPoint] > end {
		add(cleanerPoint, Minor, true, "compacted up to %d, and the log ends at %d; the cleaner begins anew", m[cleanerPoint], end)
	}
	return damage
}

// compacted says whether a cleaner has ever worked on a partition.
func (d *logDir) compacted(partition string) bool {
	m, ok := d.marks[partition]
	return !d.judged[cleanerPoint] || ok && m[cleanerPoint] >= 0
}

// locked says whether some process holds the lock of a log dir.
func locked(t *probe.Target, name string) bool {
	var st unix.Stat_t
	if unix.Lstat(name, &st) != nil {
		return false
	}
	raw, err := t.ReadFile(t.Root+"/proc/locks", 1<<20)
	return err == nil && lockHeld(string(raw), st.Ino)
}

// lockHeld finds a file's inode in the text of /proc/locks. Device numbers are
// not compared: on some file systems they are not those of stat.
//
//	1: POSIX  ADVISORY  WRITE 4711 fe:00:524301 0 EOF
func lockHeld(text string, inode uint64) bool {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 6 || words[1] != "POSIX" || words[3] != "WRITE" {
			continue
		}
		_, number, _ := strings.Cut(words[5], ":")
		_, number, _ = strings.Cut(number, ":")
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && n == inode {
			return true
		}
	}
	return false
}
