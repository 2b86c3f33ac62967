package host

import (
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
	if err != nil && !probe.Missing(err) {
		return probe.Because(err)
	}
	if start := censusOf(t).start(b.PID); err != nil || stat.Ended() || start != 0 && start != stat.Start {
		return gone
	}
	return nil
}
