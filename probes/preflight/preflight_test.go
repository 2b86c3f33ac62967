package preflight

import (
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// these are probes of two families, and words of a call.
var (
	usage  = &probe.Probe{Name: "host.usage", Yields: []fact.Key{fact.CPUs}}
	files  = &probe.Probe{Name: "host.process", Yields: []fact.Key{fact.ProcessFDs}}
	quorum = &probe.Probe{Name: "kafka.quorum", Yields: []fact.Key{fact.QuorumState, fact.ZooKeeperController}}
	call   = Words{Version: "1", Principal: "User:bob", Connect: []string{"--bootstrap-server", "b1:9092"}}
)

func seen(source string, o fact.Observation) fact.Observation {
	o.Source = source
	return o
}

func ran(names ...string) (runs []fact.Run) {
	for _, name := range names {
		runs = append(runs, fact.Run{Probe: name, Status: fact.OK})
	}
	return runs
}

func TestWhatCountsAsMissing(t *testing.T) {
	here := fact.LocalBrokers.Is(fact.Subject{Scope: fact.Host, Name: "h"}, []fact.LocalBroker{{NodeID: 1}})
	unknown := func(reason fact.Reason, how string) *fact.Unknown {
		return &fact.Unknown{Reason: reason, Detail: "d", How: how}
	}
	absent := seen("kafka.quorum", fact.ZooKeeperController.Unknown(fact.TheCluster, unknown(fact.Absent, "")))
	for name, c := range map[string]struct {
		batch  fact.Batch
		status int
		can    int
		how    []string
		away   bool // the host's probes have nothing to look at
	}{
		"all seen": {fact.Batch{Runs: ran("host.usage", "host.process", "kafka.quorum"), Observations: []fact.Observation{here, absent,
			seen("kafka.quorum", fact.QuorumState.Is(fact.TheCluster, fact.Quorum{}))}}, 0, 2, []string{}, false},
		"a broker that is down": {fact.Batch{Runs: ran("kafka.quorum"), Observations: []fact.Observation{here, absent,
			seen("kafka.quorum", fact.QuorumState.Unknown(fact.TheCluster, unknown(fact.Unreachable, "")))}}, 3, 1, []string{}, false},
		"a right, in the words of the call": {fact.Batch{Runs: ran("kafka.quorum"), Observations: []fact.Observation{absent,
			seen("kafka.quorum", fact.QuorumState.Unknown(fact.TheCluster, unknown(fact.NotAllowed, "kafka-acls.sh --add --allow-principal User:NAME --operation Describe --cluster")))}},
			1, 1, []string{"kafka-acls.sh --bootstrap-server b1:9092 --add --allow-principal User:bob --operation Describe --cluster"}, true},
		"of another probe": {fact.Batch{Runs: ran("kafka.quorum"), Observations: []fact.Observation{
			seen("kafka.other", fact.QuorumState.Unknown(fact.TheCluster, unknown(fact.NotAllowed, "")))}}, 0, 0, []string{}, true},
	} {
		r := Of(c.batch, []*probe.Probe{usage, files, quorum}, call)
		s := r.Probes[2]
		if r.Exit() != c.status || len(s.Can) != c.can || !slices.Equal(s.How, c.how) || r.Probes[0].Elsewhere != c.away {
			t.Errorf("%s: exit %d, %+v", name, r.Exit(), r.Probes)
		}
	}
}

// A file that may not be read counts, also where no broker was found for it.
func TestForbiddenFiles(t *testing.T) {
	b := fact.Batch{Runs: ran("host.process")}
	const how = "run as kafka (who owns /proc/7/fd), or root"
	for _, id := range []int32{1, 2, 3, 4, 5, 6, 7} {
		b.Observations = append(b.Observations, seen("host.process", fact.ProcessFDs.Unknown(fact.ProcessOf(id), &fact.Unknown{Reason: fact.NotAllowed, Detail: "open /proc/7/fd", How: how})))
	}
	r := Of(b, []*probe.Probe{files}, call)
	s := r.Probes[0]
	if r.Exit() != 1 || s.Elsewhere || len(s.Missing) != 1 || s.Missing[0].Subjects != 7 || len(s.Missing[0].Some) != someAtMost || !slices.Equal(s.How, []string{how}) {
		t.Errorf("exit %d, %+v", r.Exit(), s)
	}
}

func TestARightThatFollowsIsHeld(t *testing.T) {
	read, describe := fact.Right{Operation: "Read", Resource: "topic"}, fact.Right{Operation: "Describe", Resource: "topic"}
	mine := &fact.Rights{Holds: []fact.Right{read}}
	if held, known := holds(mine, describe); !held || !known {
		t.Error("Read holds Describe")
	}
	if held, known := holds(&fact.Rights{Lacks: []fact.Right{describe}}, describe); held || !known {
		t.Error("a right that lacks")
	}
	if _, known := holds(&fact.Rights{}, describe); known {
		t.Error("a right of which nothing is known")
	}
	if _, known := holds(nil, describe); known {
		t.Error("rights of which nothing is known")
	}
}
