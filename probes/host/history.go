package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// History tells what became of each broker's former processes.
var History = &probe.Probe{
	Name:    "host.history",
	Doc:     "restarts seen, and the fatal error report (hs_err_pid*.log) that a JVM left where the broker runs",
	Cost:    probe.Free,
	Every:   5 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  historyKeys,
	Observe: observeHistory,
}

var historyKeys = []fact.Key{fact.ProcessRestarts, fact.ProcessCrash}

// lives remembers the processes of each broker.
type lives struct {
	mu sync.Mutex
	of map[fact.Subject]*life
}

type life struct {
	pid      int
	start    uint64
	restarts int
	pids     []int    // all that were seen, the last 100
	dirs     []string // where its JVM writes its report: its working directory, or that of -XX:ErrorFile
}

type livesKey struct{}

func observeHistory(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	brokers := t.Brokers()
	if len(brokers) == 0 {
		return Nowhere(historyKeys, NoBroker), nil
	}
	all := probe.Shared(t, livesKey{}, func() *lives { return &lives{of: map[fact.Subject]*life{}} })
	all.mu.Lock()
	defer all.mu.Unlock()
	var seen []fact.Observation
	for _, b := range brokers {
		s := SubjectOf(b)
		l := all.of[s]
		if l == nil {
			l = &life{}
			all.of[s] = l
		}
		l.follow(t, b)
		seen = append(seen, fact.ProcessRestarts.Is(s, float64(l.restarts)))
		places, pids := l.places(t, b), slices.Clone(l.pids)
		crash, err := probe.Within(ctx, t, "fatal error reports of "+s.String(), func() (fact.CrashReport, error) { return newestCrash(t, b, places, pids) })
		if err != nil {
			seen = append(seen, fact.ProcessCrash.Unknown(s, probe.Because(fmt.Errorf("look for a fatal error report: %w", err))))
			continue
		}
		seen = append(seen, fact.ProcessCrash.Is(s, crash))
	}
	return seen, nil
}

// follow takes note of the process that a broker now is.
func (l *life) follow(t *probe.Target, b fact.LocalBroker) {
	start := censusOf(t).start(b.PID)
	if b.PID == 0 || b.PID == l.pid && start == l.start {
		return
	}
	if l.pid != 0 && b.Running {
		l.restarts++
	}
	l.pid, l.start = b.PID, start
	l.pids = append(l.pids, b.PID)
	l.pids = l.pids[max(0, len(l.pids)-100):]
	if dir, err := os.Readlink(t.Proc(b.PID, "cwd")); err == nil {
		l.dirs = []string{dir}
	}
	cmdline, err := t.ReadFile(t.Proc(b.PID, "cmdline"), 2<<20)
	if err != nil {
		return
	}
	for word := range strings.SplitSeq(string(cmdline), "\x00") {
		if file, ok := strings.CutPrefix(word, "-XX:ErrorFile="); ok && filepath.IsAbs(file) {
			l.dirs = append(l.dirs, filepath.Dir(file))
		}
	}
}

// places is the directories in which a report may lie, as this process finds them:
// where the JVM writes it, what it falls back to, and where Kafka is installed.
func (l *life) places(t *probe.Target, b fact.LocalBroker) []string {
	dirs := append([]string{"/tmp", "/"}, l.dirs...)
	if filepath.IsAbs(b.Config) {
		dirs = append(dirs, filepath.Dir(b.Config), filepath.Dir(filepath.Dir(b.Config)))
	}
	if filepath.IsAbs(b.LogsDir) {
		dirs = append(dirs, b.LogsDir, filepath.Dir(b.LogsDir))
	}
	pid := 0
	if b.Running {
		pid = b.PID
	}
	for i, dir := range dirs {
		dirs[i] = t.PathOf(pid, dir)
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// newestCrash is the newest report of this broker in the directories: one of a
// process that it was, or one whose command line names its properties file.
func newestCrash(t *probe.Target, b fact.LocalBroker, dirs []string, pids []int) (fact.CrashReport, error) {
	type report struct {
		path string
		at   time.Time
	}
	var all []report
	var failed error
	for _, dir := range dirs {
		files, _ := filepath.Glob(filepath.Join(dir, "hs_err_pid*.log"))
		for _, file := range files {
			if info, err := stat(t, file); err == nil && info.Mode().IsRegular() {
				all = append(all, report{file, info.ModTime()})
			}
		}
	}
	slices.SortFunc(all, func(a, b report) int { return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.path, b.path)) })
	const most = 10
	for _, r := range all[:min(len(all), most)] {
		text, err := t.ReadFile(r.path, 8<<20)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		crash, command := ParseHsErr(text)
		if crash.PID == 0 {
			crash.PID, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(r.path), "hs_err_pid"), ".log"))
		}
		args := strings.Fields(command)
		of := len(args) > 1 && args[0] == mainClass && b.Config != "" && filepath.Base(args[1]) == filepath.Base(b.Config) && (!filepath.IsAbs(args[1]) || args[1] == b.Config)
		if of || slices.Contains(pids, crash.PID) {
			crash.File, crash.At = r.path, r.at
			return crash, nil
		}
	}
	return fact.CrashReport{}, failed
}

// ParseHsErr reads the head of a fatal error report of a JVM, and the command that
// it ran.
//
//	# A fatal error has been detected by the Java Runtime Environment:
//	#
//	#  SIGSEGV (0xb) at pc=0x00007f3c, pid=4711, tid=4712
//	#
//	# Problematic frame:
//	# C  [libc.so.6+0x8ec2c]
func ParseHsErr(text []byte) (crash fact.CrashReport, command string) {
	var before string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "java_command: "); ok {
			return crash, cut(rest, 4096)
		}
		said, comment := strings.CutPrefix(line, "#")
		said = strings.TrimSpace(said)
		if !comment || said == "" {
			continue
		}
		switch {
		case strings.HasPrefix(before, "A fatal error has been detected"):
			crash.Error = cut(said, 300)
			if _, rest, ok := strings.Cut(said, "pid="); ok {
				number, _, _ := strings.Cut(rest, ",")
				crash.PID, _ = strconv.Atoi(number)
			}
		case strings.HasPrefix(before, "There is insufficient memory"):
			crash.Error = cut(before+" "+said, 300)
		case strings.HasPrefix(before, "Problematic frame"):
			crash.Frame = cut(said, 300)
		}
		before = said
	}
	return crash, ""
}
