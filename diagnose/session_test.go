package diagnose

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var t0 = time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)

// scene builds batches of a three-broker cluster.
type scene struct {
	session *Session
	at      time.Time
	view    fact.MetadataView
	batch   []fact.Observation
	noLogs  bool // nobody looked at the logs
}

func newScene() *scene {
	s := &scene{session: NewSession(All), at: t0, view: fact.MetadataView{ClusterID: "c"}}
	for id := int32(1); id <= 3; id++ {
		s.view.Brokers = append(s.view.Brokers, fact.BrokerAddress{ID: id, Host: "b", Port: 9092})
	}
	s.view.Topics, s.view.Internal = []string{"orders"}, []bool{false}
	for p := int32(0); p < 3; p++ {
		s.view.Topic = append(s.view.Topic, 0)
		s.view.Partition = append(s.view.Partition, p)
		s.view.Leader = append(s.view.Leader, p%2+1)
		s.view.Epoch = append(s.view.Epoch, 0)
		s.view.Error = append(s.view.Error, 0)
		s.view.Replicas.Add([]int32{1, 2, 3})
		s.view.ISR.Add([]int32{1, 2, 3})
		s.view.Offline.Add(nil)
	}
	return s
}

func (s *scene) see(o ...fact.Observation) { s.batch = append(s.batch, o...) }

// healthy observes everything of a quiet cluster on this host.
func (s *scene) healthy() {
	for id := int32(1); id <= 3; id++ {
		b, p := fact.BrokerOf(id), fact.ProcessOf(id)
		s.see(fact.Metadata.Is(b, s.view),
			fact.BrokerReach.Is(b, fact.Reach{Address: fmt.Sprintf("b:%d", id), Step: fact.APIVersions, Outcome: fact.Answered}),
			fact.BrokerProcess.Is(p, fact.ProcessState{PID: int(id), Exists: true, State: "S"}))
		if s.noLogs {
			s.see(fact.LogSigterm.Unknown(b, &fact.Unknown{Reason: fact.NotAskedFor, How: "drop --skip logs.server"}))
			continue
		}
		s.see(fact.LogSigterm.Is(b, fact.LogLines{}), fact.LogFatal.Is(b, fact.LogLines{}), fact.LogNotEnoughReplicas.Is(b, fact.LogLines{}))
	}
	if !s.noLogs {
		s.see(fact.LogController.Is(fact.TheCluster, fact.LogLines{Count: 3}))
	}
	s.see(fact.Configs.Is(fact.TheCluster, fact.TopicConfigs{Topics: []string{"orders"}, MinISR: []int32{2}, MinISRSource: []string{""}, Unclean: []bool{false}}),
		fact.QuorumState.Is(fact.TheCluster, fact.Quorum{Leader: 1, Voters: make([]fact.QuorumReplica, 3)}))
}

// crash is broker 3 killed: fenced, refused, its process gone.
func (s *scene) crash() {
	s.view.Brokers = s.view.Brokers[:2]
	s.view.ISR = fact.Lists{}
	for range s.view.Partition {
		s.view.ISR.Add([]int32{1, 2})
	}
	s.healthy()
	b, p := fact.BrokerOf(3), fact.ProcessOf(3)
	s.see(fact.Metadata.Unknown(b, &fact.Unknown{Reason: fact.Unreachable, Detail: "refused"}),
		fact.BrokerReach.Is(b, fact.Reach{Address: "b:3", Step: fact.Connect, Outcome: fact.Refused}),
		fact.BrokerProcess.Is(p, fact.ProcessState{PID: 3, Found: "perf data"}))
}

// next ends the batch. What it does not speak of does not exist in this scene,
// but the logs, where nobody looked at them.
func (s *scene) next() *Verdict {
	for _, k := range fact.Keys {
		because := &fact.Unknown{Reason: fact.Absent, Detail: "not in this scene"}
		if s.noLogs && strings.HasPrefix(k.Def().Name, "log.") {
			because = &fact.Unknown{Reason: fact.NotAskedFor, How: "drop --skip logs"}
		}
		s.batch = append(s.batch, fact.UnknownEverywhere(k, because))
	}
	v := s.session.Apply(fact.Batch{At: s.at, Observations: s.batch})
	s.batch, s.at = nil, s.at.Add(2*time.Second)
	return v
}

func show(v *Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s\n", v.Status, v.Branch, v.Headline)
	for _, f := range v.All() {
		fmt.Fprintf(&b, "  %s %s on %s %s %s p=%.3f since %s: %s\n", f.Role, f.Cause.ID, f.Subject, f.Severity, f.Band, f.Probability, clock(f.Since), f.Says)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "    %+.1f %s %s on %s: %s\n", e.Weight, e.Outcome, e.Sign.ID, e.Subject, e.Text)
		}
		for _, u := range f.Unknown {
			fmt.Fprintf(&b, "    ? %s on %s: %s moves=%v\n", u.Sign.ID, u.Subject, u.Because, u.Moves)
		}
		for _, a := range f.Alternatives {
			fmt.Fprintf(&b, "    not %s\n", a)
		}
	}
	fmt.Fprintf(&b, "  seen %d of %d", v.Coverage.Seen, v.Coverage.Total)
	for _, u := range v.Coverage.Unknown {
		fmt.Fprintf(&b, "; %s on %s: %s", u.Sign.ID, u.Subject, u.Because)
	}
	fmt.Fprintf(&b, "\n  next %+v\n", v.Next)
	return b.String()
}

func TestNothingIsClearBeforeAllWasLookedAt(t *testing.T) {
	session := NewSession(All)
	v := session.Apply(fact.Batch{At: t0, Observations: []fact.Observation{
		fact.BrokerReach.Is(fact.BrokerOf(1), fact.Reach{Step: fact.APIVersions, Outcome: fact.Answered}),
	}})
	if v.Status != StatusIncomplete || v.Coverage.Seen >= v.Coverage.Total {
		t.Errorf("one probe has answered: %s", show(v))
	}
}

func TestKeysOfALaterVersionAreNoHarm(t *testing.T) {
	var later fact.Observation
	if err := json.Unmarshal([]byte(`{"k":"later.key","s":"broker 1","v":1}`), &later); err != nil {
		t.Fatal(err)
	}
	s := newScene()
	for range 3 {
		s.healthy()
		s.see(later)
		if v := s.next(); v.Status != StatusClear {
			t.Fatal(show(v))
		}
	}
}

func TestWhatIsGoneIsForgotten(t *testing.T) {
	session := NewSession(All)
	for i := range 200 {
		at := t0.Add(time.Duration(i) * time.Minute)
		session.Apply(fact.Batch{At: at, Observations: []fact.Observation{
			fact.GroupState.Is(fact.Subject{Scope: fact.Group, Name: fmt.Sprint("console-", i)}, "Empty"),
		}})
	}
	if groups, tracks := len(session.history.series[fact.GroupState.Def()]), len(session.track); groups > 40 || tracks > 40*len(All.Signs) {
		t.Errorf("%d groups and %d tracks are kept of 200 that came and went", groups, tracks)
	}
}

func TestCrashIsNamed(t *testing.T) {
	s := newScene()
	s.healthy()
	if v := s.next(); v.Status != StatusClear {
		t.Fatalf("a healthy cluster: %s", show(v))
	}
	s.crash()
	v := s.next()
	if len(v.Findings) != 1 || v.Findings[0].Cause != brokerCrashed || v.Findings[0].Band != Confirmed || v.Status != StatusFault {
		t.Errorf("a crashed broker: %s", show(v))
	}
}

func TestCrashWithoutLogsCannotBeToldFromAShutdown(t *testing.T) {
	s := newScene()
	s.noLogs = true
	s.crash()
	v := s.next()
	if len(v.Findings) == 0 || v.Findings[0].Band != CannotTell || v.Status != StatusIncomplete {
		t.Errorf("want cannot tell: %s", show(v))
	}
	if v.Next == nil || v.Next.Sign != shutdownLogged {
		t.Errorf("look next at the shutdown: %s", show(v))
	}
}

func TestShutdownIsNoCrash(t *testing.T) {
	s := newScene()
	s.crash()
	s.see(fact.LogSigterm.Is(fact.BrokerOf(3), fact.LogLines{Count: 1, First: t0, Last: t0}))
	v := s.next()
	if len(v.Findings) != 1 || v.Findings[0].Cause != plannedShutdown || len(v.Context) != 1 || v.Status == StatusFault {
		t.Errorf("a planned shutdown: %s", show(v))
	}
}

func TestVerdictIsAFunctionOfTheBatches(t *testing.T) {
	var first string
	for i := range 5 {
		s := newScene()
		s.healthy()
		s.next()
		s.crash()
		got := show(s.next())
		if i == 0 {
			first = got
		} else if got != first {
			t.Fatalf("run %d differs:\n%s\n%s", i, first, got)
		}
	}
}

func TestFixIsSeen(t *testing.T) {
	s := newScene()
	s.crash()
	s.next()
	mark := s.at
	s.session.Apply(fact.Batch{At: mark, Marks: []fact.Mark{{At: mark, Kind: fact.FixApplied}}})
	fixed := newScene()
	fixed.session, fixed.at = s.session, mark.Add(10*time.Second)
	fixed.healthy()
	v := fixed.next()
	moved := s.session.Verify(mark)
	if len(moved) == 0 || v.Status != StatusClear {
		t.Fatalf("after the fix: %v %s", moved, show(v))
	}
	for _, m := range moved {
		if m.Change != Fixed {
			t.Errorf("%s on %s is %s, want FIXED", m.Sign.ID, m.Subject, m.Change)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	s := newScene()
	for b.Loop() {
		s.crash()
		s.view.Brokers = append(s.view.Brokers[:2:2], fact.BrokerAddress{ID: 3})
		s.next()
	}
}

// What a log told of the past counts as fixed when a minute has brought no more.
func TestFixOfWhatWasLogged(t *testing.T) {
	s := newScene()
	refused := fact.LogLines{Count: 3, First: s.at.Add(-20 * time.Second), Last: s.at.Add(-10 * time.Second)}
	about := func(lines fact.LogLines) Change {
		s.healthy()
		s.see(fact.LogNotEnoughReplicas.Is(fact.BrokerOf(1), lines))
		s.next()
		for _, m := range s.session.Verify(s.session.FixApplied()) {
			if m.Sign == notEnoughReplicasLogged {
				return m.Change
			}
		}
		return ""
	}
	about(refused)
	mark := s.at
	s.session.Apply(fact.Batch{At: mark, Marks: []fact.Mark{{At: mark, Kind: fact.FixApplied}}})
	s.at = mark.Add(50 * time.Second)
	if got := about(refused); got != Unchanged {
		t.Errorf("before a minute has passed: %s", got)
	}
	s.at = mark.Add(70 * time.Second)
	if got := about(refused); got != Fixed {
		t.Errorf("after a minute without such a line: %s", got)
	}
	refused.Last = mark.Add(65 * time.Second)
	s.at = mark.Add(80 * time.Second)
	if got := about(refused); got != Unchanged {
		t.Errorf("after another such line: %s", got)
	}
}

func TestFaded(t *testing.T) {
	s := newScene()
	s.healthy()
	s.next()
	fix := s.at
	s.at = fix.Add(2 * time.Minute)
	s.healthy()
	s.next()
	was := func(last time.Time) Evidence {
		return Evidence{SignState: SignState{Sign: notEnoughReplicasLogged, Reading: Reading{Outcome: Yes, Last: last}}, Weight: 2}
	}
	against := was(time.Time{})
	against.Weight = -1
	for name, c := range map[string]struct {
		evidence []Evidence
		want     bool
	}{
		"nothing":                {nil, false},
		"the past":               {[]Evidence{was(fix.Add(-time.Second)), against}, true},
		"the past and the fix":   {[]Evidence{was(fix.Add(30 * time.Second))}, true},
		"the past and now":       {[]Evidence{was(fix.Add(-time.Second)), was(time.Time{})}, false},
		"the past and just then": {[]Evidence{was(fix.Add(100 * time.Second))}, false},
	} {
		if got := s.session.Faded(&Finding{Evidence: c.evidence}, fix); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
