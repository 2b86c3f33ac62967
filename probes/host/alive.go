package host

import (
	"fmt"
	"io/fs"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// eachProcess observes something of each broker's process on this host. For one
// that is gone, or whose number another process has by now, each key is unknown.
func eachProcess(t *probe.Target, keys []fact.Key, look func(fact.Subject, fact.LocalBroker) []fact.Observation) ([]fact.Observation, error) {
	brokers := t.Brokers()
	if len(brokers) == 0 {
		return Nowhere(keys, NoBroker), nil
	}
	var seen []fact.Observation
	for _, b := range brokers {
		s := SubjectOf(b)
		if because := noProcess(t, b); because != nil {
			seen = append(seen, all(s, keys, because)...)
			continue
		}
		seen = append(seen, look(s, b)...)
	}
	return seen, nil
}

// noProcess says why nothing can be read of a broker's process; nil while it
// runs.
func noProcess(t *probe.Target, b fact.LocalBroker) *fact.Unknown {
	if b.PID == 0 || !b.Running {
		return gone
	}
	stat, err := ReadStat(t, b.PID)
	if probe.Missing(err) && !seesAll(t) {
		err = outOfSight(t, b.PID)
	}
	if err != nil && !probe.Missing(err) {
		return probe.Because(err)
	}
	if start := censusOf(t).start(b.PID); err != nil || stat.Ended() || start != 0 && start != stat.Start {
		return gone
	}
	return nil
}

// outOfSight is the error of a process that may well live: /proc is mounted so that
// it shows the own processes only.
func outOfSight(t *probe.Target, pid int) error {
	return fmt.Errorf("read %s: %w: /proc shows this user's own processes only", t.Proc(pid, "stat"), fs.ErrPermission)
}
