package kafka

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestEveryProbeSaysWhatItAsks compares what probes send with what they are said
// to send: a right that is missing here would be missing from the minimum ACLs.
func TestEveryProbeSaysWhatItAsks(t *testing.T) {
	free := []string{"ApiVersions", "DescribeCluster"}
	for _, p := range Probes {
		said, listed := asks[p]
		if !listed {
			t.Errorf("%s is not in asks", p.Name)
		}
		for _, request := range said {
			if name, _, _ := strings.Cut(request, " "); needs[name] == nil {
				t.Errorf("%s asks %q, which is not in needs", p.Name, request)
			}
		}
		target := aim(t, fake(t).ListenAddrs()...)
		must(t, target, Reach) // finds the brokers, which is not for the probe to do
		if p != Metadata {
			must(t, target, Metadata) // finds topics
		}
		before := map[string]int{}
		for _, e := range target.Ledger.Entries() {
			before[e.Object] = e.Count
		}
		look(t, target, p)
		sent := 0
		for _, e := range target.Ledger.Entries() {
			name, _, _ := strings.Cut(e.Object, " ")
			if e.Count == before[e.Object] {
				continue
			}
			sent++
			named := func(all []string) bool { // kmsg writes some names in other letters
				return slices.ContainsFunc(all, func(request string) bool { n, _, _ := strings.Cut(request, " "); return strings.EqualFold(n, name) })
			}
			tried := p == Security && named(slices.Collect(maps.Keys(needs))) // it tries every right
			if !named(said) && !tried && !named(free) {
				t.Errorf("%s sends %s, which asks does not say", p.Name, e.Object)
			}
		}
		if sent == 0 && p != Quorum && p != Certificates && p != Eligible && p != Offsets && p != OpenProducers && p != ShareOffsets && p != Epochs && p != Batches { // here these have nothing to ask for
			t.Errorf("%s sent nothing", p.Name)
		}
	}
}

func TestEveryRightIsTried(t *testing.T) {
	for request, rights := range needs {
		for _, right := range rights {
			if _, tried := trials[right]; !tried && right != describeCluster {
				t.Errorf("%s needs %s, which is never tried", request, right)
			}
		}
		if kmsg.RequestForKey(keyNamed(request)) == nil {
			t.Errorf("%s is no request", request)
		}
	}
}

func keyNamed(name string) int16 {
	for key := int16(0); key < 200; key++ {
		if strings.EqualFold(kmsg.NameForKey(key), name) {
			return key
		}
	}
	return -1
}

func TestMinimumLeavesOutWhatFollows(t *testing.T) {
	var said []string
	for _, right := range Rights(Probes...) {
		said = append(said, Grant(right, "User:o'neil", "--bootstrap-server", "b:9092"))
	}
	got := strings.Join(said, "\n")
	const want = `kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation Describe --cluster
kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation DescribeConfigs --cluster
kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation DescribeConfigs --topic '*'
kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation Read --topic '*'
kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation Describe --group '*'
kafka-acls.sh --bootstrap-server b:9092 --add --allow-principal 'User:o'\''neil' --operation Describe --transactional-id '*'`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Rights(Metadata, Quotas); !slices.Equal(got, []fact.Right{clusterConfigs, describeTopics}) {
		t.Errorf("two probes need %v", got)
	}
	if got := Rights(Reach); len(got) != 0 {
		t.Errorf("to connect needs %v", got)
	}
}

// TestRightsAreTried has a user who may describe topics that begin with o: of
// others it would never hear.
func TestRightsAreTried(t *testing.T) {
	allow := func(resource kmsg.ACLResourceType, name string, pattern kmsg.ACLResourcePatternType, operation kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: resource, Name: name, Pattern: pattern, Operation: operation, Allow: true}
	}
	login := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
		"sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="bob" password="bob-word";`}
	cluster := fake(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.User("SCRAM-SHA-256", "bob", "bob-word",
		allow(kmsg.ACLResourceTypeTopic, "o", kmsg.ACLResourcePatternTypePrefixed, kmsg.ACLOperationDescribe),
		allow(kmsg.ACLResourceTypeGroup, "*", kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationDescribe),
		allow(kmsg.ACLResourceTypeTransactionalId, "*", kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLOperationDescribe)))
	target := aim(t, cluster.ListenAddrs()...)
	target.ClientConfig = login
	s, _ := look(t, target, Security)
	mine := value(t, s, fact.Permissions, fact.TheCluster)
	for _, right := range []fact.Right{describeGroups, describeTxns} {
		if !slices.Contains(mine.Holds, right) {
			t.Errorf("%s is granted and not held: %+v", right, mine)
		}
	}
	for _, right := range []fact.Right{describeCluster, describeTopics, readTopics, topicConfigs} {
		if !slices.Contains(mine.Lacks, right) {
			t.Errorf("%s is denied and not lacking: %+v", right, mine)
		}
	}
	if u := s.unknown(t, fact.ACLs, fact.TheCluster); !strings.Contains(u.How, "--allow-principal User:bob --operation Describe --cluster") {
		t.Errorf("remedy %q", u.How)
	}
	if got := Principal(login); got != "User:bob" {
		t.Error(got)
	}
	if got := Principal(nil); got != "User:ktriage" {
		t.Error(got)
	}

	sent := func(name string) (n int) {
		for _, e := range target.Ledger.Entries() {
			if strings.HasPrefix(e.Object, name+" ") {
				n += e.Count
			}
		}
		return n
	}
	before := sent("DescribeProducers")
	s, _ = look(t, target, Security)
	if again := value(t, s, fact.Permissions, fact.TheCluster); !slices.Equal(again.Lacks, mine.Lacks) || sent("DescribeProducers") != before {
		t.Errorf("a denied right was tried again: %d requests, then %d; %+v", before, sent("DescribeProducers"), again)
	}
}
