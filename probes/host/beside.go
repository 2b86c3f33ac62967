package host

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// usualPlaces is where installations keep the properties of a broker.
var usualPlaces = []string{
	"/etc/kafka/*.properties", "/etc/kafka/*/*.properties",
	"/opt/kafka*/config/*.properties", "/opt/kafka*/config/kraft/*.properties",
	"/usr/local/kafka*/config/*.properties", "/usr/local/kafka*/config/kraft/*.properties",
	"/opt/bitnami/kafka/config/*.properties", "/var/lib/kafka/config/*.properties",
}

const (
	maxCandidates = 64
	// remembered is how long ago a broker may have run and still belong to this
	// host's brokers: its checkpoints are written every minute.
	remembered = 7 * 24 * time.Hour
)

// beside is the brokers that ended and left neither a process nor perf data (a
// halted JVM takes its file along): known from the properties files beside those
// of running brokers, in unit files, and in the usual places. Every Kafka archive
// has sample files, so one counts only where a log dir that it names was
// formatted, for the cluster of the running brokers if there are any, and was in
// use lately.
func beside(t *probe.Target, all []found, started []Unit) []found {
	clusters := map[string]bool{}
	for _, f := range all {
		if f.Running {
			clusters[storedMeta(t, discovery, f.PID, f.LogDirs).cluster] = true
		}
	}
	var more []found
	for _, file := range candidates(t, all, started) {
		c, err := readConfig(t, 0, file, nil, path.Dir(path.Dir(file)))
		if err != nil {
			continue
		}
		meta := storedMeta(t, discovery, 0, c.LogDirs)
		if meta.node < 0 || len(clusters) > 0 && !clusters[meta.cluster] || !usedLately(t, c.LogDirs) {
			continue
		}
		b := fact.LocalBroker{NodeID: -1, Config: file, LogsDir: logsBeside(t, file, started), FoundBy: "its properties file"}
		fill(t, &b, c)
		more = append(more, found{LocalBroker: b})
	}
	return more
}

// ended is beside, given up where a log dir does not answer: discovery must not
// hang on a dead disk.
func ended(ctx context.Context, t *probe.Target, all []found, started []Unit) []found {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	known := slices.Clone(all)
	more, _ := probe.Within(ctx, t, "properties of brokers that ended", func() ([]found, error) { return beside(t, known, started), nil })
	return more
}

// candidates is the properties files to look into, sorted, without those known.
func candidates(t *probe.Target, all []found, started []Unit) []string {
	var patterns, files []string
	known := map[string]bool{}
	for _, f := range all {
		known[f.Config] = true
		if f.Config != "" {
			dir := path.Dir(f.Config)
			patterns = append(patterns, path.Join(dir, "*.properties"), path.Join(path.Dir(dir), "*", path.Base(f.Config)))
		}
	}
	for _, u := range started {
		files = append(files, u.Configs...)
	}
	files = slices.Concat(files, glob("", patterns), glob(t.Root, usualPlaces))
	slices.Sort(files)
	files = slices.DeleteFunc(slices.Compact(files), func(f string) bool { return known[f] })
	return files[:min(len(files), maxCandidates)]
}

func stat(t *probe.Target, name string) (os.FileInfo, error) {
	t.Ledger.Note("stat", name, 0, 0)
	return os.Stat(name)
}

// glob is the files that match any of the patterns below a root.
func glob(root string, patterns []string) []string {
	var all []string
	for _, p := range patterns {
		files, _ := filepath.Glob(root + p) // a name with a bracket in it matches nothing
		all = append(all, files...)
	}
	return all
}

// usedLately says whether a broker wrote its checkpoints in one of the dirs in
// the last days.
func usedLately(t *probe.Target, dirs []string) bool {
	for _, dir := range dirs {
		if info, err := stat(t, path.Join(dir, "recovery-point-offset-checkpoint")); err == nil && time.Since(info.ModTime()) < remembered {
			return true
		}
	}
	return false
}

// logsBeside is where the logs of a broker may be that no process tells of: where
// its unit file puts them, or where one lies beside its properties.
func logsBeside(t *probe.Target, config string, started []Unit) string {
	if t.LogsDir != "" {
		return t.LogsDir
	}
	for _, u := range started {
		if u.LogsDir != "" && slices.Contains(u.Configs, config) {
			return t.Root + u.LogsDir
		}
	}
	dir := path.Dir(config)
	for _, logs := range []string{path.Join(dir, "logs"), path.Join(path.Dir(dir), "logs"), path.Join(path.Dir(path.Dir(dir)), "logs"), t.Root + "/var/log/kafka"} {
		if _, err := stat(t, path.Join(logs, "server.log")); err == nil {
			return logs
		}
	}
	return ""
}
