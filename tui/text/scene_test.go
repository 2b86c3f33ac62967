package text

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/diagnosetest"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var update = flag.Bool("update", false, "write the golden files anew")

var t0 = time.Date(2026, 11, 23, 1, 41, 0, 0, time.UTC)

// cluster of three brokers with the topic orders of 12 partitions, as batches.
type scene struct {
	session *diagnose.Session
	at      time.Time
}

func newScene() *scene { return &scene{session: diagnose.NewSession(diagnose.All), at: t0} }

// view is what each live broker says.
func view(live ...int32) fact.MetadataView {
	m := fact.MetadataView{ClusterID: "prod-eu-1", Controller: live[0], Topics: []string{"orders"}, Internal: []bool{false}}
	for _, id := range live {
		m.Brokers = append(m.Brokers, fact.BrokerAddress{ID: id, Host: fmt.Sprintf("b%d", id), Port: 9092})
	}
	for p := range int32(12) {
		m.Topic = append(m.Topic, 0)
		m.Partition = append(m.Partition, p)
		m.Leader = append(m.Leader, live[int(p)%len(live)])
		m.Epoch = append(m.Epoch, 1)
		m.Error = append(m.Error, 0)
		m.Replicas.Add([]int32{p%3 + 1, (p+1)%3 + 1, (p+2)%3 + 1}) // the leader of a whole cluster is the preferred one
		m.ISR.Add(live)
		m.Offline.Add(nil)
	}
	return m
}

// batch is one round with these brokers live and the others crashed, broker 1
// on this host.
func (s *scene) batch(live ...int32) fact.Batch {
	b := fact.Batch{At: s.at, Runs: []fact.Run{{Probe: "kafka.metadata", Status: fact.OK, Seconds: 0.012}, {Probe: "jvm.perf", Status: fact.Failed, Error: "not-allowed: open /tmp/hsperfdata_kafka/4711"}}}
	see := func(o ...fact.Observation) {
		for _, one := range o {
			one.At, one.Source = s.at, "kafka.metadata"
			b.Observations = append(b.Observations, one)
		}
	}
	up := map[int32]bool{}
	for _, id := range live {
		up[id] = true
	}
	for id := int32(1); id <= 3; id++ {
		on, process := fact.BrokerOf(id), fact.ProcessOf(id)
		see(fact.LogSigterm.Is(on, fact.LogLines{}), fact.LogFatal.Is(on, fact.LogLines{}), fact.LogNotEnoughReplicas.Is(on, fact.LogLines{}))
		if !up[id] {
			see(fact.Metadata.Unknown(on, &fact.Unknown{Reason: fact.Unreachable, Detail: "refused"}),
				fact.BrokerReach.Is(on, fact.Reach{Address: fmt.Sprintf("b%d:9092", id), Step: fact.Connect, Outcome: fact.Refused, Seconds: 0.0002}),
				fact.BrokerProcess.Is(process, fact.ProcessState{PID: 4710 + int(id), Found: "perf data"}))
			continue
		}
		see(fact.Metadata.Is(on, view(live...)),
			fact.BrokerReach.Is(on, fact.Reach{Address: fmt.Sprintf("b%d:9092", id), Step: fact.APIVersions, Outcome: fact.Answered}),
			fact.BrokerProcess.Is(process, fact.ProcessState{PID: 4710 + int(id), Exists: true, State: "S"}))
	}
	see(fact.LogController.Is(fact.TheCluster, fact.LogLines{Count: 3}),
		fact.Configs.Is(fact.TheCluster, fact.TopicConfigs{Topics: []string{"orders"}, MinISR: []int32{2}, MinISRSource: []string{""}, Unclean: []bool{false}}),
		fact.QuorumState.Is(fact.TheCluster, fact.Quorum{Leader: 1, Voters: []fact.QuorumReplica{{ID: 1}, {ID: 2}, {ID: 3}}}),
		fact.Groups.Is(fact.TheCluster, []string{"billing"}))
	all := []fact.Batch{b}
	diagnosetest.Silence(all)
	return all[0]
}

func (s *scene) apply(b fact.Batch) *diagnose.Verdict {
	v := s.session.Apply(b)
	s.at = s.at.Add(30 * time.Second)
	return v
}

// crash is healthy for a round, and then a broker is gone.
func crash() (*scene, *diagnose.Verdict) {
	s := newScene()
	s.apply(s.batch(1, 2, 3))
	return s, s.apply(s.batch(1, 2))
}

// without is a batch in which a key could not be had.
func without(b fact.Batch, k fact.Key, because *fact.Unknown) fact.Batch {
	for i, o := range b.Observations {
		if o.Key == k.Def() {
			b.Observations[i].Value, b.Observations[i].Because = nil, because
		}
	}
	return b
}

// golden compares with testdata/name, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, got)
	}
}
