package text

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// The golden files show verdicts made by hand, so that they change with this
// package and not with the catalogue's wording.

var (
	down    = &diagnose.Fault{ID: "broker-down", Title: "a broker is down", Category: diagnose.Availability}
	crashed = &diagnose.Cause{ID: "broker-crashed", Title: "broker crashed", Fault: down, Severity: diagnose.Critical, On: fact.Broker}
	short   = &diagnose.Cause{ID: "under-min-isr", Title: "under min ISR", Fault: down, Severity: diagnose.Critical, On: fact.Cluster}
	planned = &diagnose.Cause{ID: "planned-shutdown", Title: "shut down on purpose", Fault: down, Severity: diagnose.Info, On: fact.Broker, Context: true}
	tuning  = &diagnose.Cause{ID: "os-tuning", Title: "settings of the system", Fault: &diagnose.Fault{ID: "bad-parameter", Category: diagnose.Configuration}, Branch: diagnose.PerformanceBranch, Severity: diagnose.Minor, On: fact.Host}
	notLive = &diagnose.Sign{ID: "broker-not-live", Title: "not among the live brokers", On: fact.Broker, Trouble: true}
	refuses = &diagnose.Sign{ID: "port-refuses", Title: "port refuses connections", On: fact.Broker, Trouble: true}
	logged  = &diagnose.Sign{ID: "shutdown-logged", Title: "shutdown logged", On: fact.Broker}
)

func reading(sign *diagnose.Sign, outcome diagnose.Outcome, text string) diagnose.SignState {
	return diagnose.SignState{Sign: sign, Subject: fact.BrokerOf(3), At: t0, Source: "kafka.metadata", Reading: diagnose.Reading{Outcome: outcome, Text: text, Since: t0}}
}

func made() map[string]*diagnose.Verdict {
	cluster := diagnose.ClusterState{ID: "prod-eu-1", Version: "4.3", Mode: "kraft", Controller: 1, Partitions: 214, Groups: 9}
	for id := int32(1); id <= 3; id++ {
		cluster.Brokers = append(cluster.Brokers, diagnose.BrokerState{ID: id, Host: "b", Port: 9090 + id, Reachable: id < 3})
	}
	because := &fact.Unknown{Reason: fact.NotAskedFor, How: "drop --skip logs.server"}
	missing := diagnose.Missing{Sign: logged, Subject: fact.BrokerOf(3), Because: because, Moves: true}

	numbered := reading(refuses, diagnose.Yes, "port 9092 refuses (2 tries)")
	numbered.Value, numbered.Unit, numbered.Limit = 2, fact.Count, 1
	root := &diagnose.Finding{
		Cause: crashed, Subject: fact.BrokerOf(3), Role: diagnose.Root, Severity: diagnose.Critical, Band: diagnose.Confirmed, Probability: 0.98,
		Since: t0.Add(32 * time.Second), Says: "broker 3 is down: process gone since 01:41:32",
		Evidence: []diagnose.Evidence{
			{SignState: reading(notLive, diagnose.Yes, "not among the live brokers, fenced 35 s ago"), Weight: 3.1, Decisive: true},
			{SignState: numbered, Weight: 2.2},
			{SignState: reading(logged, diagnose.No, "no controlled shutdown logged"), Weight: 1.0},
		},
		Affected:     diagnose.Affected{Brokers: []int32{3}, Topics: []string{"orders"}, Partitions: 12},
		Alternatives: []string{"planned-shutdown: no, no controlled shutdown logged"},
	}
	follows := &diagnose.Finding{Cause: short, Subject: fact.TheCluster, Role: diagnose.Consequence, Severity: diagnose.Critical, Band: diagnose.Confirmed, Probability: 0.9, ConsequenceOf: root, Says: "4 partitions under min ISR: orders 0 2 5 7"}
	root.Under = []*diagnose.Finding{follows}
	tip := &diagnose.Finding{Cause: tuning, Subject: fact.Subject{Scope: fact.Host, Name: "b1"}, Role: diagnose.Root, Severity: diagnose.Minor, Band: diagnose.Confirmed, Probability: 1, Says: "vm.swappiness 60 > 1"}

	unsure := *root
	unsure.Band, unsure.Probability, unsure.Under, unsure.Unknown = diagnose.CannotTell, 0.6, nil, []diagnose.Missing{missing}
	or := &diagnose.Finding{Cause: planned, Subject: fact.BrokerOf(3), Role: diagnose.Root, Severity: diagnose.Info, Band: diagnose.CannotTell, Probability: 0.4, Says: "broker 3 was shut down on purpose"}

	return map[string]*diagnose.Verdict{
		"fault": {At: t0, Status: diagnose.StatusFault, Branch: diagnose.AvailabilityBranch, Headline: root.Says, Cluster: cluster, Findings: []*diagnose.Finding{root, tip},
			Context: []diagnose.Context{{ID: "reassignment", Text: "12 partitions are being moved"}},
			Alerts: []diagnose.AlertState{
				{Alert: diagnose.Alert{Rule: "KafkaOfflinePartitions", Severity: diagnose.Critical}, State: diagnose.Firing, Subject: fact.TheCluster, Since: t0, Text: "12 of 80 partitions have no leader"},
				{Alert: diagnose.Alert{Rule: "KafkaUnderReplicatedPartitions", Severity: diagnose.Critical, For: 5 * time.Minute}, State: diagnose.AlertPending, Subject: fact.TheCluster, Since: t0, Text: "30 of 80 partitions under-replicated; for 4s of 5m0s"},
				{Alert: diagnose.Alert{Rule: "KafkaISRShrinking"}, State: diagnose.AlertUnknown, Text: "not-applicable: no metrics endpoint is known"}},
			Coverage: diagnose.Coverage{Seen: 58, Total: 64, Unknown: []diagnose.Missing{missing}, Elsewhere: []fact.Subject{fact.BrokerOf(1), fact.BrokerOf(3)}},
			Runs:     []fact.Run{{Probe: "jvm.perf", Status: fact.Failed, Error: "not-allowed: open /tmp/hsperfdata_kafka/4711"}, {Probe: "kafka.metadata", Status: fact.OK, Seconds: 0.012}},
			Flow:     []diagnose.BoxState{{Box: &diagnose.Box{ID: "cluster-state"}, State: diagnose.Found, Seen: 9, Total: 9, Found: 3, Recommended: true}}},
		"cannot-tell": {At: t0, Status: diagnose.StatusIncomplete, Branch: diagnose.AvailabilityBranch, Headline: "cannot tell", Cluster: cluster, Findings: []*diagnose.Finding{&unsure, or},
			Coverage: diagnose.Coverage{Seen: 63, Total: 64, Unknown: []diagnose.Missing{missing}}, Next: &diagnose.NextLook{Sign: logged, Text: "logs of broker 3: drop --skip logs.server"}},
		"advice": {At: t0, Status: diagnose.StatusAdvice, Headline: "no fault found", Cluster: cluster, Findings: []*diagnose.Finding{tip}, Coverage: diagnose.Coverage{Seen: 63, Total: 63}},
		"clear":  {At: t0, Status: diagnose.StatusClear, Headline: "no fault found", Cluster: cluster, Coverage: diagnose.Coverage{Seen: 63, Total: 63}},
		"incomplete": {At: t0, Status: diagnose.StatusIncomplete, Headline: "no fault found in the 41 of 60 signs I could see", Cluster: cluster,
			Coverage: diagnose.Coverage{Seen: 41, Total: 60, Unknown: []diagnose.Missing{missing}}},
	}
}

func TestGolden(t *testing.T) {
	s := schema(t)
	for name, v := range made() {
		var b bytes.Buffer
		if err := Check(&b, v, about); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.Bytes())
		b.Reset()
		if err := JSON(&b, v, nil, about); err != nil {
			t.Fatal(err)
		}
		validate(t, s, name, b.Bytes())
		if name == "fault" {
			var indented bytes.Buffer
			if err := json.Indent(&indented, b.Bytes(), "", " "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", indented.Bytes())
		}
	}
}
