package segments

import (
	"context"
	"runtime"
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
	Stamped  bool          // unpack the records that brokers stamp and no producer id protects, to find those there twice
	Workers  int           // 0: one a processor
	Progress func(Progress)
	Done     func(Segment) bool      // whether a segment need not be read: it was before; may be nil
	Finished func(Segment, bool)     // a segment was read, and was sound or not; may be nil
	Found    func(Segment, []Damage) // what was wrong with it, before Finished; may be nil
	First    []string                // directories of partitions, by name, that of each log dir are looked into before the others
	Only     func(Segment) bool      // which segments are to be read, where not all are; may be nil
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
	for _, r := range dirs {
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
			v.stamped = s.Stamped
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
