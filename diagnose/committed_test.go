package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestWhatIsNotCommittedHasNotHappened: a setting that was changed before a broker
// died, by a record past what the quorum has committed, is not told; once the
// quorum has, or where none answers, it is.
func TestWhatIsNotCommittedHasNotHappened(t *testing.T) {
	now := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	set := func(ago time.Duration, through int64, text string) fact.Change {
		return fact.Change{At: now.Add(-ago), Kind: "config-changed", Scope: "cluster", Broker: -1, Count: 1, Text: text, Through: through}
	}
	copied := fact.LogCopy{Node: 3, End: 903, Last: now.Add(-2 * time.Second)}
	quorum := func(leader int32, at int64) fact.Observation {
		return fact.QuorumState.Is(fact.TheCluster, fact.Quorum{Leader: leader, HighWatermark: at})
	}
	voter := fact.QuorumVoters.Is(fact.TheCluster, []fact.VoterSaid{{ID: 1, HighWatermark: -1}, {ID: 2, Leads: true, HighWatermark: 905}})
	for _, one := range []struct {
		name, text string
		told       string
		more       []fact.Observation
	}{
		{"committed up to 902", "1 record past the quorum's high watermark, 902, when that was asked for: not told as happened", "old", []fact.Observation{quorum(1, 902)}},
		{"committed up to its end", "at offset 903, newest record 00:59:58 UTC, 2s before now, which is the quorum's high watermark", "new old", []fact.Observation{quorum(1, 903)}},
		{"far behind", "97 records behind the quorum's high watermark, 1000", "new old", []fact.Observation{quorum(1, 1000)}},
		{"asked at the controllers", "2 records behind the quorum's high watermark, 905", "new old", []fact.Observation{voter}},
		{"no leader", "the quorum does not answer: how much of the end was committed is not known", "new old", []fact.Observation{quorum(-1, 902)}},
		{"nobody answers", "how much of the end was committed is not known", "new old", nil},
	} {
		b := fact.Batch{At: now, Observations: append([]fact.Observation{
			fact.BrokerReach.Is(fact.BrokerOf(3), fact.Reach{Address: "b3:9092", Step: fact.Connect, Outcome: fact.Refused}),
			fact.BrokerProcess.Is(fact.ProcessOf(3), fact.ProcessState{PID: 4711, Found: "perf data"}),
			fact.LogSigterm.Is(fact.BrokerOf(3), fact.LogLines{}),
			fact.LastSeen.Is(fact.TheCluster, fact.LastCluster{Copy: copied, Controller: 1, Brokers: []fact.LastBroker{{BrokerAddress: fact.BrokerAddress{ID: 3}}}}),
			fact.Changed.Is(fact.TheCluster, fact.ChangeList{Copy: copied, All: []fact.Change{set(time.Minute, 800, "old"), set(30*time.Second, 902, "new")}}),
		}, one.more...)}
		v := diagnose.NewSession(diagnose.All).Apply(b)
		var told []string
		for _, c := range v.Changed {
			told = append(told, c.Text)
		}
		if strings.Join(told, " ") != one.told {
			t.Errorf("%s: told %q, expected %q", one.name, told, one.told)
		}
		if v.Copy == nil || !strings.Contains(v.Copy.Text(), one.text) {
			t.Errorf("%s: %+v, expected %q", one.name, v.Copy, one.text)
		} else if strings.Contains(one.text, "not known") != (v.Copy.Committed < 0) {
			t.Errorf("%s: %d committed", one.name, v.Copy.Committed)
		}
	}
}
