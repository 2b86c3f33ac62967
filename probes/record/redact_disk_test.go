package record

import (
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// No name and no value of a change survives, whatever kind it is; what is no name
// stays, so that it can still be read.
func TestChangesWithoutNames(t *testing.T) {
	list := fact.ChangeList{Copy: fact.LogCopy{Dir: "/srv/bank/kafka"}, All: []fact.Change{
		{Kind: "config-changed", Scope: "topic", Name: "payments", Topic: "payments", Before: "", After: "confluent.placement=secretvalue", Text: "confluent.placement of topic payments was set to secretvalue, before the default"},
		{Kind: "config-changed", Scope: "topic", Name: "payments", Topic: "payments", Before: "retention.ms=1", After: "retention.ms=60000", Text: "retention.ms of topic payments was set to 60000, before 1"},
		{Kind: "acl-added", Scope: "cluster", After: "Allow User:alice Read on topic payroll", Text: "ACL added: Allow User:alice Read on topic payroll"},
		{Kind: "user-changed", Scope: "user", Name: "carol", Text: "SCRAM user carol was set"},
		{Kind: "quota-changed", Scope: "client", Name: "user dave", After: "1000", Text: "quota of user dave: 1000"},
		{Kind: "broker-registered", Scope: "broker", Name: "2", Broker: 2, Before: "PLAINTEXT://old.bank.example:9092", After: "SSL://[2001:db8::7]:9093", Text: "broker 2 was started again"},
		{Kind: "isr-shrunk", Scope: "broker", Name: "3", Broker: 3, Before: "1,2,3", After: "1,2", Text: "broker 3 fell out of the ISR of 2 partitions of topic payments", Topic: "payments", Parts: []string{"ISR shrank, ISR of payments-0: 1,2, before 1,2,3"}},
	}}
	got := text(t, NewRedactor().Batch(fact.Batch{Observations: []fact.Observation{fact.Changed.Is(fact.TheCluster, list)}}))
	for _, secret := range []string{"payments", "secretvalue", "alice", "payroll", "carol", "dave", "bank", "2001:db8"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q survives in %s", secret, got)
		}
	}
	for _, want := range []string{"retention.ms=60000", "broker 3 fell out of the ISR of 2 partitions of topic topic-", `"1,2,3"`, ":9092", "broker 2 was started again"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
}
