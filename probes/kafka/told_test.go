package kafka

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

func TestSteps(t *testing.T) {
	cluster := fake(t)
	_, port := hostPort(t, cluster.ListenAddrs()[0])
	for address, want := range map[string][]fact.Step{
		cluster.ListenAddrs()[0]:                {fact.Connect, fact.APIVersions},
		fmt.Sprintf("localhost:%d", port):       {fact.Resolve, fact.Connect, fact.APIVersions},
		closedPort(t):                           {fact.Connect},
		"broker.invalid:9092":                   {fact.Resolve},
		listen(t, answers("\x7f\xff\xff\xff")):  {fact.Connect, fact.APIVersions},
		listen(t, answers("HTTP/1.1 400 Bad.")): {fact.Connect, fact.APIVersions},
	} {
		r, err := rosterOf(aim(t, address))
		if err != nil {
			t.Fatal(err)
		}
		a := r.attempt(t.Context(), address, "broker "+address)
		var steps []fact.Step
		sum := 0.0
		for _, s := range a.reach.Times {
			steps = append(steps, s.Step)
			sum += s.Seconds
		}
		if !slices.Equal(steps, want) || sum > a.reach.Seconds+0.01 {
			t.Errorf("%s: %v in %.3f of %.3f s, %v is expected", address, steps, sum, a.reach.Seconds, want)
		}
		if a.link != nil {
			a.link.close()
		}
	}
}

func TestVersionsAndFeatures(t *testing.T) {
	answer := &kmsg.ApiVersionsResponse{FinalizedFeaturesEpoch: 7,
		ApiKeys:           []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: 4}, {ApiKey: 3, MinVersion: 4, MaxVersion: 13}},
		FinalizedFeatures: []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "metadata.version", MinVersionLevel: 30, MaxVersionLevel: 30}, {Name: "group.version", MaxVersionLevel: 1}},
		SupportedFeatures: []kmsg.ApiVersionsResponseSupportedFeature{{Name: "metadata.version", MinVersion: 7, MaxVersion: 31}}}
	lowest, highest, ok := rangesOf(answer).Versions(3)
	if !ok || lowest != 4 || highest != 13 {
		t.Errorf("Metadata from %d to %d", lowest, highest)
	}
	if _, _, ok := rangesOf(answer).Versions(55); ok {
		t.Error("a request that is not answered has versions")
	}
	f := featuresOf(answer)
	if level, ok := f.Level("metadata.version"); !ok || level != 30 || f.Finalized[0].Name != "group.version" || f.Supported[0].Max != 31 {
		t.Errorf("%+v", f)
	}
	p := &peer{name: "1", id: 1}
	if o := featuresSeen(p, &fact.Features{Epoch: -1}); o.Because == nil || o.Because.Reason != fact.NotSupported {
		t.Errorf("no features told: %+v", o)
	}
}

func TestSettingColumns(t *testing.T) {
	s := newSettings([]string{"retention.ms", "cleanup.policy"})
	answer := kmsg.NewPtrDescribeConfigsResponse()
	topic := func(name string, set map[string]string) {
		one := kmsg.NewDescribeConfigsResponseResource()
		one.ResourceName = name
		for _, c := range []string{minISR, "retention.ms", "cleanup.policy"} {
			config := kmsg.NewDescribeConfigsResponseResourceConfig()
			config.Name, config.Source = c, kmsg.ConfigSourceDynamicTopicConfig
			if v, ok := set[c]; ok {
				config.Value = &v
			}
			one.Configs = append(one.Configs, config)
		}
		answer.Resources = append(answer.Resources, one)
	}
	topic("c", map[string]string{minISR: "2", "retention.ms": "1"})
	topic("a", map[string]string{minISR: "2", "retention.ms": "1", "cleanup.policy": "compact"})
	topic("b", map[string]string{minISR: "1", "retention.ms": "5"})
	if untold, err := s.addTopics(&peer{name: "1"}, answer); err != nil || untold != 0 {
		t.Fatal(err)
	}
	c := s.configs
	if err := c.Valid(); err != nil || !slices.Equal(c.Topics, []string{"a", "b", "c"}) || len(c.Others[0].Distinct) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	if v, ok := c.Of("retention.ms", 1); !ok || v != (fact.Setting{Value: "5", Source: "DYNAMIC_TOPIC_CONFIG"}) {
		t.Errorf("retention of b: %+v", v)
	}
	if v, ok := c.Of("cleanup.policy", 2); ok {
		t.Errorf("a setting without a value: %+v", v)
	}
}

func TestReassignmentsAndQuotas(t *testing.T) {
	m := reassignments(&kmsg.ListPartitionReassignmentsResponse{Topics: []kmsg.ListPartitionReassignmentsResponseTopic{
		{Topic: "plays", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{{Partition: 2, Replicas: []int32{3, 1, 2}, AddingReplicas: []int32{3}}, {Partition: 0}}},
		{Topic: "orders", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{{Partition: 1, RemovingReplicas: []int32{1}}}}}})
	if err := m.Valid(); err != nil || !slices.Equal(m.Topic, []string{"orders", "plays", "plays"}) || !slices.Equal(m.Partition, []int32{1, 0, 2}) ||
		!slices.Equal(m.Adding.At(2), []int32{3}) || !slices.Equal(m.Removing.At(0), []int32{1}) || len(m.Replicas.At(2)) != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	q := quotasOf(&kmsg.DescribeClientQuotasResponse{Entries: []kmsg.DescribeClientQuotasResponseEntry{
		{Entity: []kmsg.DescribeClientQuotasResponseEntryEntity{{Type: "user", Name: kmsg.StringPtr("alice")}, {Type: "client-id"}},
			Values: []kmsg.DescribeClientQuotasResponseEntryValue{{Key: "request_percentage", Value: 5}, {Key: "consumer_byte_rate", Value: 9}}}}})
	if len(q) != 2 || q[0].Key != "consumer_byte_rate" || !q[0].Entity[0].Default || q[0].Entity[1].Name != "alice" {
		t.Errorf("%+v", q)
	}
}

func TestRights(t *testing.T) {
	if got := operations(1<<3 | 1<<8); !slices.Equal(got, []string{"READ", "DESCRIBE"}) {
		t.Errorf("%v", got)
	}
	if got := operations(-2147483648); len(got) != 0 {
		t.Errorf("not told: %v", got)
	}
	var answer kmsg.MetadataResponse
	for i := range 9 {
		answer.Topics = append(answer.Topics, kmsg.MetadataResponseTopic{Topic: kmsg.StringPtr(fmt.Sprint("t", 9-i)), AuthorizedOperations: 1 << 8})
	}
	answer.Topics[3].AuthorizedOperations = 1<<3 | 1<<8
	r := topicRights(&answer)
	if len(r) != 2 || r[0].Count != 8 || len(r[0].Some) != namesOfRights || r[0].Some[0] != "t1" || !slices.Equal(r[1].Some, []string{"t6"}) {
		t.Errorf("%+v", r)
	}
}

// A denial is asked once, names the right that would help, and leaves the rest
// of the probe alone.
func TestDeniedSecurity(t *testing.T) {
	cluster := fake(t)
	asked := 0
	cluster.ControlKey(int16(kmsg.DescribeACLs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked++
		answer := r.ResponseKind().(*kmsg.DescribeACLsResponse)
		answer.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	for range 3 {
		s, err := look(t, target, Security)
		if err == nil {
			t.Error("no error although a request was denied")
		}
		u := s.unknown(t, fact.ACLs, fact.TheCluster)
		if u.Reason != fact.NotAllowed || !strings.Contains(u.How, "--operation Describe --cluster") {
			t.Errorf("%+v", u)
		}
		value(t, s, fact.SCRAMUsers, fact.TheCluster)
		value(t, s, fact.Permissions, fact.TheCluster)
	}
	if asked != 1 { // the brokers share what they deny by
		t.Errorf("asked %d times", asked)
	}
}

// An open transaction on kfake: its coordinator, and who holds the partition.
func TestOpenTransaction(t *testing.T) {
	cluster := fake(t)
	commitSome(t, cluster.ListenAddrs())
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.TransactionalID("payments"), kgo.TransactionTimeout(40*time.Second), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: 2}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	id, _, err := client.ProducerID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	if _, err := look(t, target, OpenProducers); err == nil || probe.Because(err).Reason != fact.NotYet {
		t.Errorf("before any offsets: %v", err)
	}
	for _, p := range []*probe.Probe{Metadata, Partitions} {
		must(t, target, p)
	}
	o := value(t, must(t, target, Transactions), fact.Transactions, fact.TheCluster)
	if err := o.Valid(); err != nil || !slices.Equal(o.ID, []string{"payments"}) || o.Producer[0] != id || o.Timeout[0] != 40 || o.Partitions[0] != 1 || len(o.Untold) != 0 {
		t.Errorf("%+v, %v", o, err)
	}
	p := value(t, must(t, target, OpenProducers), fact.OpenProducers, fact.TheCluster)
	if err := p.Valid(); err != nil || !slices.Equal(p.Topic, []string{"orders"}) || p.Partition[0] != 2 || p.Producer[0] != id || p.Started[0] != 10 || p.Held != 1 || p.Untold != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := client.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	ends := value(t, must(t, target, Partitions), fact.PartitionEnds, fact.TheCluster)
	if err := ends.Valid(); err != nil || len(ends.Partition) != 12 {
		t.Errorf("%+v, %v", ends, err)
	}
	if i := ends.At("orders", 2); i != 2 || ends.HighWatermark[i] != 12 || ends.LastStable[i] != 12 || ends.LogStart[i] != 0 {
		t.Errorf("orders-2 at %d: %+v", i, ends)
	}
	if o := value(t, must(t, target, Transactions), fact.Transactions, fact.TheCluster); len(o.ID) != 0 {
		t.Errorf("after its end: %+v", o)
	}
	if p := value(t, must(t, target, OpenProducers), fact.OpenProducers, fact.TheCluster); p.Held != 0 || len(p.Topic) != 0 {
		t.Errorf("after its end: %+v", p)
	}
}

// A coordinator that tells nothing is named: what it coordinates is missing.
func TestTransactionsOfASilentCoordinator(t *testing.T) {
	cluster := fake(t)
	cluster.ControlKey(int16(kmsg.ListTransactions), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.ListTransactionsResponse)
		answer.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return answer, nil, cluster.CurrentNode() == 1
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	s, err := look(t, target, Transactions)
	if o := value(t, s, fact.Transactions, fact.TheCluster); err == nil || !slices.Equal(o.Untold, []string{"1"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

// More groups than are looked at: the first by id, and the rest is said.
func TestTooManyGroups(t *testing.T) {
	r := newRoster(aim(t, "127.0.0.1:1"))
	answer := kmsg.NewPtrListGroupsResponse()
	for i := range groupsAtMost + 7 {
		answer.Groups = append(answer.Groups, kmsg.ListGroupsResponseGroup{Group: fmt.Sprintf("g%06d", groupsAtMost+6-i)})
	}
	p := &peer{name: "1", id: 1}
	for range 2 {
		if left := r.list(p, answer); left != 7 || len(r.groups) != groupsAtMost {
			t.Errorf("%d left, %d kept", left, len(r.groups))
		}
	}
	if ids := r.groupIDs(); ids[0] != "g000000" {
		t.Errorf("first %s", ids[0])
	}
}

func TestRosterIn(t *testing.T) {
	r := rosterIn([]member{
		{GroupMember: fact.GroupMember{ID: "2", Client: "b"}, subscribed: []string{"plays", "orders"}, assigned: []owned{{"plays", []int32{3, 1}}, {"orders", []int32{0}}}},
		{GroupMember: fact.GroupMember{ID: "1", Client: "a"}, subscribed: []string{"orders", "orders"}, target: []owned{{"other", []int32{5}}}}})
	if err := r.Valid(); err != nil || r.Members[0].ID != "1" || !slices.Equal(r.Topics, []string{"orders", "other", "plays"}) ||
		r.Owned(0) != 0 || !slices.Equal(r.Partition.At(1), []int32{0, 1, 3}) || !slices.Equal(r.Topic.At(1), []int32{0, 2, 2}) ||
		!slices.Equal(r.TargetPartition.At(0), []int32{5}) || len(r.Subscribed.At(0)) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r := rosterIn(make([]member, membersAtMost+3)); len(r.Members) != membersAtMost || r.Left != 3 {
		t.Errorf("%d members, %d left", len(r.Members), r.Left)
	}
}

// FuzzMember parses what any client can write into its group's coordinator.
func FuzzMember(f *testing.F) {
	said := kmsg.ConsumerMemberMetadata{Version: 3, Topics: []string{"orders"}, Rack: kmsg.StringPtr("r")}
	given := kmsg.ConsumerMemberAssignment{Topics: []kmsg.ConsumerMemberAssignmentTopic{{Topic: "orders", Partitions: []int32{0, 1}}}}
	f.Add(said.AppendTo(nil), given.AppendTo(nil))
	f.Add([]byte{0, 0, 0x7f, 0xff, 0xff, 0xff}, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte(nil), []byte{0})
	f.Fuzz(func(t *testing.T, metadata, assignment []byte) {
		r := classicRoster(kmsg.DescribeGroupsResponseGroup{ProtocolType: "consumer",
			Members: []kmsg.DescribeGroupsResponseGroupMember{{MemberID: "m", ProtocolMetadata: metadata, MemberAssignment: assignment}}})
		if err := r.Valid(); err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again fact.Roster
		if err := json.Unmarshal(line, &again); err != nil || !reflect.DeepEqual(again.Partition, r.Partition) {
			t.Fatalf("%s: %v", line, err)
		}
	})
}

func TestMembersThatCannotBeRead(t *testing.T) {
	var m member
	m.read([]byte{0, 0, 0x7f, 0xff}, nil)
	if !m.Unread {
		t.Error("a broken subscription counts as none")
	}
	m = member{}
	m.read(nil, nil)
	if m.Unread {
		t.Error("a member in a rebalance counts as broken")
	}
}

// answers serves a connection with the same bytes whatever is asked.
func answers(bytes string) func(net.Conn) {
	return func(c net.Conn) {
		c.Read(make([]byte, 512))
		io.WriteString(c, bytes)
		io.Copy(io.Discard, c)
	}
}

// Where the last stable offset stands still comes before where it moves, the most
// held back first; where none was told, or it is the end, nothing is held back.
func TestHeldBack(t *testing.T) {
	v := viewOf(wide(1, 5))
	ends := &logEnds{view: &v, stable: []int64{100, 40, 90, 7, -1}, high: []int64{105, 50, 200, 7, 9}}
	for _, c := range []struct {
		before []int64
		want   []int32
	}{{nil, []int32{2, 1, 0}}, {[]int64{100, 30, -1, 7, 9}, []int32{0, 2, 1}}, {[]int64{100, 40, 90, 7, -1}, []int32{2, 1, 0}}} {
		var before *logEnds
		if c.before != nil {
			before = &logEnds{view: &v, start: c.before, high: c.before, stable: c.before}
		}
		var got []int32
		for _, p := range heldIn(ends, before) {
			got = append(got, p.number)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, %v is expected", c.before, got, c.want)
		}
	}
}

func TestByLeader(t *testing.T) {
	v := viewOf(wide(3, 4))
	led := byLeader(&v, []partition{{"gone", 1}, {"topic-000000", 2}, {"topic-000001", 0}, {"topic-000001", 9}, {"topic-000002", 3}, {"zzz", 0}})
	if len(led) != 2 || !slices.Equal(led[3], []partition{{"topic-000000", 2}}) || !slices.Equal(led[1], []partition{{"topic-000001", 0}, {"topic-000002", 3}}) {
		t.Errorf("%v", led)
	}
}
