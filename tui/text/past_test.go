package text

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// allGone is every broker killed, 3 last, after somebody had changed a setting;
// the metadata log of node 3 is what is left.
func allGone() *diagnose.Verdict {
	at := func(ago time.Duration) time.Time { return t0.Add(-ago) }
	last := fact.LastCluster{Copy: fact.LogCopy{Node: 3, Dir: "/data", First: at(time.Hour), Last: at(2 * time.Minute), End: 900}, Controller: 3,
		Topics: []string{"orders"}, Topic: []int32{0, 0}, Partition: []int32{0, 1}, Leader: []int32{3, -1}, LeaderEpoch: []int32{4, 5}}
	last.Replicas.Add([]int32{1, 2, 3})
	last.Replicas.Add([]int32{2, 3, 1})
	last.ISR.Add([]int32{3})
	last.ISR.Add(nil)
	last.ELR.Add([]int32{1})
	last.ELR.Add([]int32{2})
	last.LastELR.Add(nil)
	last.LastELR.Add([]int32{3})
	b := fact.Batch{At: t0}
	for id := int32(1); id <= 3; id++ {
		last.Brokers = append(last.Brokers, fact.LastBroker{BrokerAddress: fact.BrokerAddress{ID: id, Host: "b", Port: 9092}, Fenced: id < 3, Since: at(5 * time.Minute)})
		b.Observations = append(b.Observations, fact.BrokerReach.Is(fact.BrokerOf(id), fact.Reach{Address: "b:9092", Step: fact.Connect, Outcome: fact.Refused}),
			fact.BrokerProcess.Is(fact.ProcessOf(id), fact.ProcessState{PID: 4711, Found: "perf data"}),
			fact.LogSigterm.Is(fact.BrokerOf(id), fact.LogLines{}))
	}
	set := func(ago time.Duration, scope, name, topic, text string) fact.Change {
		return fact.Change{At: at(ago), Kind: "config-changed", Scope: scope, Name: name, Topic: topic, Broker: -1, Before: "k=1", After: "k=2", Count: 1, Text: text}
	}
	b.Observations = append(b.Observations, fact.LastSeen.Is(fact.TheCluster, last), fact.Changed.Is(fact.TheCluster, fact.ChangeList{Copy: last.Copy, From: at(time.Hour), All: []fact.Change{
		set(9*time.Hour, "cluster", "", "", "of last night"),
		set(7*time.Minute, "topic", "elsewhere", "elsewhere", "of another topic"),
		set(6*time.Minute, "cluster", "", "", "min.insync.replicas of all brokers was set to 2, before 1"),
		{At: at(5 * time.Minute), Kind: "broker-fenced", Scope: "broker", Name: "1", Broker: 1, Count: 1, Text: "broker 1 was fenced"},
	}}))
	return diagnose.NewSession(diagnose.All).Apply(b)
}

func TestThePastInATicket(t *testing.T) {
	var b bytes.Buffer
	v := allGone()
	if err := Check(&b, v, About{}); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"last known cluster (every broker is gone): metadata log of node 3, newest record 01:39:00 UTC, 2m0s before now",
		"broker 2 must come back first: it alone has all that was acknowledged of 1 of 2 partitions",
		"brokers: 1 fenced since 01:36:00, 2 fenced since 01:36:00, 3 serving since",
		"orders 1: no leader, ISR none of 2,3,1, ELR 2, last known ELR 3 orders 0: leader 3, ISR 3 of 1,2,3, ELR 1",
		"changed before it began: 01:35:00 (",
		"min.insync.replicas of all brokers was set to 2, before 1",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("says not %q, but\n%s", want, b.String())
		}
	}
	for _, not := range []string{"of last night", "of another topic: ", "broker 1 was fenced"} {
		if strings.Contains(got, not) {
			t.Errorf("says %q in\n%s", not, b.String())
		}
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 81 {
			t.Errorf("a line of %d columns: %s", len(line), line)
		}
	}
}

// TestWhoMayStillLead: a broker that does not answer is not seen to be gone.
func TestWhoMayStillLead(t *testing.T) {
	last := fact.LastCluster{Copy: fact.LogCopy{Node: 3, Last: t0}, Brokers: []fact.LastBroker{{BrokerAddress: fact.BrokerAddress{ID: 1}}, {BrokerAddress: fact.BrokerAddress{ID: 2}}, {BrokerAddress: fact.BrokerAddress{ID: 4}}, {BrokerAddress: fact.BrokerAddress{ID: 5}}}}
	b := fact.Batch{At: t0, Observations: []fact.Observation{fact.LastSeen.Is(fact.TheCluster, last)}}
	for id, outcome := range map[int32]fact.Outcome{1: fact.Silent, 2: fact.Refused, 4: fact.Silent} {
		b.Observations = append(b.Observations, fact.BrokerReach.Is(fact.BrokerOf(id), fact.Reach{Address: "b:9092", Step: fact.Connect, Outcome: outcome}))
	}
	var out bytes.Buffer
	if err := Check(&out, diagnose.NewSession(diagnose.All).Apply(b), About{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(got, "(no broker answers from here, broker 1 and 4 (timed-out at tcp) and broker 5 (not tried) may lead by now)") {
		t.Error(out.String())
	}
}

func TestThePastInJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := JSON(&b, allGone(), nil, About{Version: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"first_back":"broker 2 must come back first`, `"elr":[2],"last_known_elr":[3]`, `"seconds_before":`, `"state":"serving"`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
	value, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
}
