package host

import (
	"bytes"
	"path/filepath"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// usesArgumentFile says whether a command line does not show all that the JVM
// was told: java @FILE, or cut at 4096 bytes by an old kernel.
func usesArgumentFile(cmdline []byte) bool {
	return bytes.Contains(cmdline, []byte("\x00@")) || len(cmdline) == 4096
}

// fill puts what the configuration says into b.
func fill(t *probe.Target, b *fact.LocalBroker, c Config) {
	b.NodeID, b.Roles, b.Listeners, b.LogDirs, b.MetaDir, b.Quorum = c.NodeID, c.Roles, c.Listeners, c.LogDirs, c.MetaDir, c.Quorum
	b.OffsetsRetention = c.OffsetsRetention.Seconds()
	if len(b.LogDirs) == 0 {
		b.LogDirs = t.LogDirs
	}
	if b.NodeID < 0 {
		b.NodeID = storedID(t, discovery, b.PID, b.LogDirs)
	}
}

// configured is the broker that --broker-config speaks of.
func configured(t *probe.Target, started []Unit) (found, error) {
	path, err := filepath.Abs(t.BrokerConfig)
	if err != nil {
		path = t.BrokerConfig
	}
	b := fact.LocalBroker{NodeID: -1, Config: path, LogsDir: logsBeside(t, path, started), FoundBy: "--broker-config"}
	c, err := readConfig(t, 0, path, nil, "")
	fill(t, &b, c)
	return found{LocalBroker: b}, err
}

// complete gives the one running broker whose own properties could not be read
// those of --broker-config. It says whether there was such a broker.
func complete(running []found, f found) bool {
	at := -1
	for i, r := range running {
		if r.Running && r.NodeID < 0 {
			if at >= 0 {
				return false
			}
			at = i
		}
	}
	if at < 0 {
		return false
	}
	b := &running[at]
	b.NodeID, b.Roles, b.Listeners, b.LogDirs, b.MetaDir, b.Quorum, b.Config = f.NodeID, f.Roles, f.Listeners, f.LogDirs, f.MetaDir, f.Quorum, f.Config
	b.OffsetsRetention = f.OffsetsRetention
	return true
}

// leftBehind is the brokers that were killed: their perf data files are still
// there, and their processes are not. One whose properties file is gone too is
// no broker of this host any more.
func leftBehind(t *probe.Target) []found {
	boot := BootTime(t)
	var all []found
	for _, file := range hsperf.All(t) {
		d, ok := ofTheDead(t, file, boot)
		if !ok {
			continue
		}
		command := parseJavaCommand(d.Command(), d.Strings["java.rt.vmArgs"], d.Strings["java.property.java.class.path"])
		if !command.IsKafka() {
			continue
		}
		for _, cwd := range command.likelyDirs() {
			b := fact.LocalBroker{NodeID: -1, PID: file.PID, FoundBy: "perf data", LogsDir: command.logsDir(cwd)}
			b.Config = absolute(command.Args[0], cwd)
			if c, err := readConfig(t, 0, b.Config, command.overrides(), cwd); err == nil {
				fill(t, &b, c)
				all = append(all, found{LocalBroker: b})
				break
			}
		}
	}
	return all
}

// ofTheDead reads a perf data file if its process has ended, or another one has
// its number by now.
func ofTheDead(t *probe.Target, file hsperf.Stale, boot time.Time) (*hsperf.Data, bool) {
	stat, err := ReadStat(t, file.PID)
	if err != nil && !probe.Missing(err) {
		return nil, false
	}
	if err != nil && !seesAll(t) {
		return nil, false // it may live, out of our sight
	}
	f, err2 := hsperf.Open(t, file.Path)
	if err2 != nil {
		return nil, false
	}
	defer f.Close()
	d, err2 := f.Read()
	if err2 != nil {
		return nil, false
	}
	if err == nil && !stat.Ended() && !Before(d.Created(), stat.Started(boot)) {
		return nil, false
	}
	return d, true
}

// Before says whether a JVM created then cannot be the process that started at
// the other time: a process starts before its JVM. Clocks are stepped now and
// then, so a little is allowed.
func Before(created, started time.Time) bool {
	return !created.IsZero() && !started.IsZero() && created.Before(started.Add(-10*time.Second))
}

// likelyDirs is where a process whose working directory is no longer known may
// have been started: for a relative path of its properties file.
func (c Command) likelyDirs() []string {
	dirs := []string{""}
	if filepath.IsAbs(c.Args[0]) {
		return dirs
	}
	dirs = nil
	add := func(dir string) {
		if filepath.IsAbs(dir) {
			dirs = append(dirs, dir)
		}
	}
	add(c.installation(""))
	if logs := c.Defines["kafka.logs.dir"]; logs != "" {
		add(filepath.Dir(filepath.Clean(logs)))
		add(filepath.Clean(logs))
	}
	for _, key := range []string{"log4j2.configurationFile", "log4j.configuration", "user.dir"} {
		if file := strings.TrimPrefix(c.Defines[key], "file:"); file != "" {
			add(filepath.Dir(file))
			add(filepath.Dir(filepath.Dir(file)))
		}
	}
	return dirs
}

// seesAll says whether /proc shows the processes of other users: mounted with
// hidepid it does not, and then a process that is not seen may well live.
func seesAll(t *probe.Target) bool {
	_, err := t.ReadFile(t.Proc(1, "cmdline"), 2<<20)
	return err == nil
}
