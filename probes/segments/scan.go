package segments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/polite"
)

// Options is how a scan goes about it.
type Options struct {
	Rate     int64         // bytes a second; 0: as fast as it goes, and no pause for I/O pressure
	Since    time.Duration // only segments written to within it; 0: all
	Deep     bool          // unpack and parse every record
	Workers  int           // 0: one a processor
	Progress func(Progress)
	Done     func(Segment) bool  // whether a segment need not be read: it was before; may be nil
	Finished func(Segment, bool) // a segment was read, and was sound or not; may be nil
	Only     func(Segment) bool  // which segments are to be read, where not all are; may be nil
}

// Segment is one log file as it is now.
type Segment struct {
	File  string
	Bytes int64
	MTime time.Time
}

// scan is one run.
type scan struct {
	Options
	target *probe.Target
	pace   *polite.Pace
	now    time.Time
	mu     sync.Mutex
	wake   *sync.Cond
	roots  []*root
	queue  []task // segments before partitions
	busy   int
	report *Report
	total  total
	err    error
}

// task is one segment to read.
type task struct {
	job   *job
	place place
	file  segmentFile
}

// Scan verifies log dirs, partitions and single segments. What it cannot see is
// damage of kind unreadable. The error is that of a path that holds nothing of
// Kafka's, or the context's; beside the latter the report is what was done so far.
func Scan(ctx context.Context, t *probe.Target, paths []string, o Options) (*Report, error) {
	began := time.Now()
	// one file each would make a long ledger: it gets one line a path below
	quiet := &probe.Target{Root: t.Root, Now: t.Now, Timeout: t.Timeout}
	s := &scan{Options: o, target: quiet, pace: polite.NewPace(quiet, o.Rate), now: t.Now(), report: &Report{Topics: map[string]*Topic{}}}
	s.wake = sync.NewCond(&s.mu)
	for _, path := range paths {
		r, err := s.open(ctx, path)
		if err != nil {
			return nil, err
		}
		s.roots = append(s.roots, r)
	}
	s.identities()
	dirs := s.roots
	if s.Workers <= 0 {
		s.Workers = runtime.GOMAXPROCS(0)
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() { s.run(inner); close(ended) }()
	s.follow(ctx, ended, began)
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Ledger.Note("read", "segments and what stands beside them under "+strings.Join(paths, ", "), s.pace.Read(), time.Since(began))
	for _, r := range dirs { // older brokers write none at all
		if r.dir != nil && len(r.dir.topicIDs) > 0 {
			s.report.add(persistentlyNameless(r.dir))
		}
	}
	r := *s.report // a worker that hangs on a dead disk may still hold the other
	r.Damage = append([]Damage(nil), s.report.Damage...)
	byPlace(r.Damage)
	r.Summary.DurationSeconds = time.Since(began).Seconds()
	if s.err == nil {
		s.err = ctx.Err()
	}
	r.Done = s.err == nil
	return &r, s.err
}

// follow waits for the end, and says how far it is. A disk that hangs does not
// keep it when the context ends.
func (s *scan) follow(ctx context.Context, ended <-chan struct{}, began time.Time) {
	if s.Progress != nil {
		go s.count(ctx)
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			select {
			case <-ended:
			case <-time.After(100 * time.Millisecond):
			}
			return
		case <-tick.C:
			if s.Progress != nil {
				s.Progress(s.progress(time.Since(began)))
			}
		}
	}
}

func (s *scan) progress(since time.Duration) Progress {
	s.mu.Lock()
	p := Progress{Partitions: s.report.Summary.Partitions, Damage: len(s.report.Damage), AllPartitions: s.total.partitions, AllBytes: s.total.bytes}
	known := s.total.known
	s.mu.Unlock()
	p.Bytes, p.Paused = s.pace.Read(), s.pace.Paused(time.Now())
	p.Rate = float64(p.Bytes) / since.Seconds()
	if left := p.AllBytes - p.Bytes; known && left > 0 && p.Rate > 0 {
		p.Left = time.Duration(float64(left) / p.Rate * float64(time.Second))
	}
	return p
}

// run works until nothing is left.
func (s *scan) run(ctx context.Context) {
	var all sync.WaitGroup
	for range s.Workers {
		all.Add(1)
		go func() {
			defer all.Done()
			polite.Background()
			v := newVerifier(s.target, s.pace, s.Deep)
			for work := s.take(ctx); work != nil; work = s.take(ctx) {
				work(ctx, v)
				s.mu.Lock()
				s.busy--
				s.wake.Broadcast()
				s.mu.Unlock()
			}
		}()
	}
	all.Wait()
}

// take is the next piece of work; nil when there will be none.
func (s *scan) take(ctx context.Context) func(context.Context, *verifier) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if ctx.Err() != nil || s.err != nil {
			s.wake.Broadcast()
			return nil
		}
		if n := len(s.queue); n > 0 {
			t := s.queue[n-1]
			s.queue = s.queue[:n-1]
			s.busy++
			return func(ctx context.Context, v *verifier) { s.read(ctx, v, t) }
		}
		if p := s.nextPartition(ctx); p != nil {
			s.busy++
			return func(ctx context.Context, _ *verifier) { s.look(ctx, p) }
		}
		if s.busy == 0 {
			return nil
		}
		s.wake.Wait()
	}
}

// nextPartition is the next directory to look into; nil after the last.
func (s *scan) nextPartition(ctx context.Context) *job {
	for len(s.roots) > 0 {
		if j := s.roots[0].next(ctx, s); j != nil {
			return j
		}
		if d := s.roots[0].dir; d != nil && s.roots[0].judge {
			s.report.add(d.damage)
		}
		s.roots[0].close()
		s.roots = s.roots[1:]
	}
	return nil
}

// identities compares the log dirs of one broker with each other.
func (s *scan) identities() {
	var first *logDir
	ids := map[string]string{}
	for _, r := range s.roots {
		d := r.dir
		if d == nil || !d.hasMeta {
			continue
		}
		if first == nil {
			first = d
		}
		switch {
		case d.id.cluster != first.id.cluster && d.id.cluster != "" && first.id.cluster != "" && d.id.node == first.id.node:
			d.whole(CheckpointBad, Critical, metaProperties, "cluster id %s, %s has %s: a broker does not start with both", d.id.cluster, first.path, first.id.cluster)
		case d.id.directory != "" && ids[d.id.directory] != "" && ids[d.id.directory] != d.path:
			d.whole(CheckpointBad, Critical, metaProperties, "directory id %s, which %s has too: one is a copy of the other", d.id.directory, ids[d.id.directory])
		}
		if d.id.directory != "" {
			ids[d.id.directory] = d.path
		}
	}
}

// root is one path that was asked for.
type root struct {
	path  string
	dir   *logDir // nil: a partition that lies in no log dir
	judge bool    // the log dir itself is asked for
	one   *job    // a partition, instead of all there are
	file  *os.File
	batch []os.DirEntry
}

// open finds out what a path is.
func (s *scan) open(ctx context.Context, path string) (*root, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := probe.Within(ctx, s.target, "stat "+path, func() (os.FileInfo, error) { return os.Stat(path) })
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		n, ok := parseFileName(filepath.Base(path))
		if !ok || n.suffix != suffixLog || n.transient != "" {
			return nil, fmt.Errorf("%s: not a segment, expected a name like %020d.log", path, 0)
		}
		return s.single(ctx, filepath.Dir(path), &n.base), nil
	}
	if IsLogDir(path) {
		return &root{path: path, dir: openLogDir(ctx, s.target, path), judge: true}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n, ok := parseFileName(e.Name()); ok && n.suffix == suffixLog {
			return s.single(ctx, path, nil), nil
		}
	}
	for _, e := range entries {
		if _, kind := parseDirName(e.Name()); e.IsDir() && (kind == partitionDir || kind == metadataDir) {
			return &root{path: path, dir: openLogDir(ctx, s.target, path)}, nil
		}
	}
	return nil, fmt.Errorf("%s: neither a log dir nor a partition's directory", path)
}

// single is one partition, or one segment of it.
func (s *scan) single(ctx context.Context, dir string, only *int64) *root {
	r := &root{path: dir}
	if parent := filepath.Dir(dir); IsLogDir(parent) {
		r.dir = openLogDir(ctx, s.target, parent)
	}
	partition, kind := parseDirName(filepath.Base(dir))
	if partition == "" {
		partition = filepath.Base(dir)
	}
	r.one = s.job(r.dir, dir, partition, kind)
	r.one.only = only
	return r
}

// next is the next partition of a root; nil after the last.
func (r *root) next(_ context.Context, s *scan) *job {
	if r.one != nil || r.path == "" {
		j := r.one
		r.one, r.path = nil, ""
		return j
	}
	if r.file == nil {
		f, err := s.target.Open(r.path)
		if err != nil {
			r.dir.whole(Unreadable, Info, "", "%v", err)
			r.path = ""
			return nil
		}
		r.file = f
	}
	for {
		if len(r.batch) == 0 {
			var err error
			if r.batch, err = r.file.ReadDir(512); len(r.batch) == 0 {
				_ = err // io.EOF, or the end of what can be listed
				r.path = ""
				return nil
			}
		}
		e := r.batch[0]
		r.batch = r.batch[1:]
		isDir := e.IsDir()
		if e.Type()&os.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(r.path, e.Name()))
			isDir = err == nil && info.IsDir()
		}
		if partition, kind, look := r.dir.entry(e.Name(), isDir, s.now); look {
			return s.job(r.dir, filepath.Join(r.path, e.Name()), partition, kind)
		}
	}
}

func (r *root) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// persistentlyNameless is the partitions that lack a partition.metadata still: a
// broker writes it right after it has made the directory.
func persistentlyNameless(d *logDir) []Damage {
	return slices.DeleteFunc(d.nameless, func(m Damage) bool {
		_, now := os.Lstat(m.File)
		_, dir := os.Lstat(filepath.Dir(m.File))
		return now == nil || dir != nil
	})
}

// topicOf is the topic of a partition's name.
func topicOf(partition string) string {
	if i := strings.LastIndexByte(partition, '-'); i > 0 {
		return partition[:i]
	}
	return partition
}
