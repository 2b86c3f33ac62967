package kafka

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// wide is an answer with many partitions, RF 3, in no order.
func wide(topics, partitions int) *kmsg.MetadataResponse {
	m := &kmsg.MetadataResponse{Version: 12, ClusterID: kmsg.StringPtr("cluster"), ControllerID: 1}
	for id := range int32(3) {
		m.Brokers = append(m.Brokers, kmsg.MetadataResponseBroker{NodeID: 3 - id, Host: "127.0.0.1", Port: 9092 + id, Rack: kmsg.StringPtr("r")})
	}
	for _, n := range rand.Perm(topics) {
		t := kmsg.NewMetadataResponseTopic()
		t.Topic = kmsg.StringPtr(fmt.Sprintf("topic-%06d", n))
		for _, p := range rand.Perm(partitions) {
			t.Partitions = append(t.Partitions, kmsg.MetadataResponseTopicPartition{Partition: int32(p), Leader: int32(p%3 + 1), LeaderEpoch: int32(n),
				Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}[:1+p%3], OfflineReplicas: []int32{1, 2, 3}[1+p%3:]})
		}
		m.Topics = append(m.Topics, t)
	}
	return m
}

func TestViewOf(t *testing.T) {
	v := viewOf(wide(50, 7))
	if v.ClusterID != "cluster" || !slices.IsSorted(v.Topics) || len(v.Topics) != 50 || len(v.Partition) != 350 {
		t.Fatalf("%d topics, %d partitions", len(v.Topics), len(v.Partition))
	}
	if v.Brokers[0].ID != 1 || v.Brokers[2].Port != 9092 || v.Brokers[0].Rack != "r" {
		t.Errorf("%+v", v.Brokers)
	}
	for i, p := range v.Partition {
		topic := v.Topic[i]
		if int(topic) != i/7 || int(p) != i%7 || v.Leader[i] != p%3+1 || v.Epoch[i] != topic || len(v.Replicas.At(i)) != 3 ||
			len(v.ISR.At(i)) != int(1+p%3) || len(v.Offline.At(i)) != int(2-p%3) {
			t.Fatalf("column %d: topic %d partition %d", i, topic, p)
		}
	}
	if short := shortTopics(&v); len(short) != 50 || !slices.IsSorted(short) {
		t.Errorf("%d topics with a short ISR", len(short))
	}
}

// What kfake cannot show is forged: a log dir with an error, and one without
// sizes.
func TestLogDirAnswers(t *testing.T) {
	cluster := fake(t)
	var closes atomic.Bool
	cluster.ControlKey(int16(kmsg.DescribeLogDirs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if closes.Load() {
			return nil, fmt.Errorf("closed"), true
		}
		answer := r.ResponseKind().(*kmsg.DescribeLogDirsResponse)
		whole := kmsg.NewDescribeLogDirsResponseDir()
		whole.Dir, whole.TotalBytes, whole.UsableBytes = "/a", 100, 40
		whole.Topics = []kmsg.DescribeLogDirsResponseDirTopic{{Topic: "orders", Partitions: []kmsg.DescribeLogDirsResponseDirTopicPartition{{Size: 7}, {Size: 5, IsFuture: true, OffsetLag: 30}, {Size: -1, OffsetLag: 4}, {OffsetLag: -1}}}}
		broken := kmsg.NewDescribeLogDirsResponseDir()
		broken.Dir, broken.ErrorCode = "/b", kerr.KafkaStorageError.Code
		old := kmsg.NewDescribeLogDirsResponseDir()
		old.Dir = "/c"
		answer.Dirs = append(answer.Dirs, whole, broken, old)
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	s := must(t, target, LogDirs)
	a, b, c := fact.LogDirOf(2, "/a"), fact.LogDirOf(2, "/b"), fact.LogDirOf(2, "/c")
	if value(t, s, fact.LogDirError, a) != "" || value(t, s, fact.LogDirSize, a) != 12 || value(t, s, fact.LogDirTotal, a) != 100 || value(t, s, fact.LogDirUsable, a) != 40 {
		t.Errorf("%s", s)
	}
	if value(t, s, fact.LogDirLag, a) != 4 || value(t, s, fact.LogDirFutures, a) != 1 || value(t, s, fact.LogDirFutureLag, a) != 30 {
		t.Errorf("%s", s)
	}
	s.unknown(t, fact.LogDirLag, b)
	if e := value(t, s, fact.LogDirError, b); e != "KAFKA_STORAGE_ERROR" {
		t.Errorf("error %q", e)
	}
	s.unknown(t, fact.LogDirSize, b)
	if u := s.unknown(t, fact.LogDirUsable, c); u.Reason != fact.NotSupported {
		t.Errorf("%+v", u)
	}

	// A broker that no longer answers leaves its log dirs unknown, by name.
	closes.Store(true)
	s, err := look(t, target, LogDirs)
	if err == nil {
		t.Error("no error although every connection was closed")
	}
	for _, dir := range []fact.Subject{a, b, c} {
		if u := s.unknown(t, fact.LogDirError, dir); u.Reason != fact.Unreachable {
			t.Errorf("%+v", u)
		}
	}
}

func TestQuorumOf(t *testing.T) {
	p := &peer{name: "1", id: 1}
	state := kmsg.DescribeQuorumResponseTopicPartitionReplicaState{ReplicaID: 3, LogEndOffset: 9, LastFetchTimestamp: 1700000000000, LastCaughtUpTimestamp: -1}
	one := kmsg.DescribeQuorumResponseTopicPartition{LeaderID: 2, LeaderEpoch: 5, HighWatermark: 8, CurrentVoters: []kmsg.DescribeQuorumResponseTopicPartitionReplicaState{state}}
	answer := &kmsg.DescribeQuorumResponse{Topics: []kmsg.DescribeQuorumResponseTopic{{Partitions: []kmsg.DescribeQuorumResponseTopicPartition{one}}}}
	q, err := quorumOf(p, answer)
	if err != nil || q.Leader != 2 || q.Epoch != 5 || q.HighWatermark != 8 || q.Voters[0].ID != 3 || q.Voters[0].LogEnd != 9 ||
		q.Voters[0].LastFetch.Unix() != 1700000000 || !q.Voters[0].LastCaughtUp.IsZero() {
		t.Errorf("%+v, %v", q, err)
	}
	for what, c := range map[string]struct {
		change func(*kmsg.DescribeQuorumResponse)
		reason fact.Reason
	}{
		"denied": {func(r *kmsg.DescribeQuorumResponse) { r.ErrorCode = kerr.ClusterAuthorizationFailed.Code }, fact.NotAllowed},
		"not leader": {func(r *kmsg.DescribeQuorumResponse) {
			r.Topics[0].Partitions[0].ErrorCode = kerr.NotLeaderForPartition.Code
		}, fact.NotYet},
		"nothing": {func(r *kmsg.DescribeQuorumResponse) { r.Topics = nil }, fact.Unreadable},
	} {
		changed := &kmsg.DescribeQuorumResponse{Topics: []kmsg.DescribeQuorumResponseTopic{{Partitions: []kmsg.DescribeQuorumResponseTopicPartition{one}}}}
		c.change(changed)
		if _, err := quorumOf(p, changed); err == nil || probe.Because(err).Reason != c.reason {
			t.Errorf("%s: %v, %s is expected", what, err, c.reason)
		}
	}
}

func TestAddEligible(t *testing.T) {
	p := &peer{name: "1", id: 1}
	answer := &kmsg.DescribeTopicPartitionsResponse{Topics: []kmsg.DescribeTopicPartitionsResponseTopic{
		{Topic: kmsg.StringPtr("gone"), ErrorCode: kerr.UnknownTopicOrPartition.Code},
		{Topic: kmsg.StringPtr("orders"), Partitions: []kmsg.DescribeTopicPartitionsResponseTopicPartition{
			{Partition: 0, Replicas: []int32{1, 2}, ISR: []int32{1, 2}},
			{Partition: 1, Replicas: []int32{1, 2}, ISR: nil, EligibleLeaderReplicas: []int32{2}, LastKnownELR: []int32{1}}}}}}
	var e fact.EligibleLeaders
	if err := addEligible(&e, p, answer); err != nil || !slices.Equal(e.Topic, []string{"orders"}) || !slices.Equal(e.ELR.At(0), []int32{2}) || !slices.Equal(e.LastKnown.At(0), []int32{1}) {
		t.Errorf("%+v, %v", e, err)
	}
	denied := &kmsg.DescribeTopicPartitionsResponse{Topics: []kmsg.DescribeTopicPartitionsResponseTopic{{Topic: kmsg.StringPtr("x"), ErrorCode: kerr.TopicAuthorizationFailed.Code}}}
	if err := addEligible(&fact.EligibleLeaders{}, p, denied); err == nil || probe.Because(err).Reason != fact.NotAllowed {
		t.Errorf("%v", err)
	}
}

// BenchmarkMetadata is 100 000 partitions from the bytes of an answer to columns.
func BenchmarkMetadata(b *testing.B) {
	request := &kmsg.MetadataRequest{Version: 12}
	frame := append([]byte{0, 0, 0, 1, 0}, wide(10000, 10).AppendTo(nil)...)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		answer, err := parseAnswer(frame, request, 1)
		if err != nil {
			b.Fatal(err)
		}
		if v := viewOf(answer.(*kmsg.MetadataResponse)); len(v.Partition) != 100000 {
			b.Fatal(len(v.Partition))
		}
	}
}
