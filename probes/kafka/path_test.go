package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var dumped = regexp.MustCompile(`^baseOffset: (-?\d+) lastOffset: (-?\d+) count: (-?\d+) baseSequence: (-?\d+) .*producerId: (-?\d+) producerEpoch: (-?\d+) partitionLeaderEpoch: (-?\d+) isTransactional: (\w+) isControl: (\w+) .*CreateTime: (-?\d+) size: (\d+) magic: 2 compresscodec: (\w+)`)

// Headers of real segments are what Kafka's own DumpLogSegments says of them.
func TestHeadersOfRealSegments(t *testing.T) {
	for _, name := range []string{"txn-log", "compacted", "zstd"} {
		segment, err := os.ReadFile("testdata/batches/" + name + ".log")
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile("testdata/batches/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(said)), "\n")
		all, err := parseBatches(segment, len(lines))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		compared := 0
		for i, h := range all {
			m := dumped.FindStringSubmatch(lines[i])
			if m == nil {
				t.Fatalf("%s: line %q", name, lines[i])
			}
			got := []string{num(h.Base), num(h.Last), num(h.Records), num(h.Sequence), num(h.Producer), num(h.ProducerEpoch), num(h.LeaderEpoch),
				strconv.FormatBool(h.Transactional), strconv.FormatBool(h.Control), num(h.Max.UnixMilli()), num(h.Bytes), h.Codec}
			if !slices.Equal(got, m[1:]) {
				t.Errorf("%s: %v, Kafka says %v", name, got, m[1:])
			}
			compared++
		}
		if compared < 3 {
			t.Errorf("%s: only %d headers", name, compared)
		}
	}
}

func num[T int16 | int32 | int64](n T) string { return strconv.FormatInt(int64(n), 10) }

func TestDamagedHeaders(t *testing.T) {
	segment, err := os.ReadFile("testdata/batches/txn-log.log")
	if err != nil {
		t.Fatal(err)
	}
	for at, c := range map[int]struct {
		value byte
		want  string
	}{16: {1, "magic 1, 2 is expected"}, 531 + 8: {0x80, "length"}, 531 + 22: {7, "codec 7"}, 57: {0xff, "none below 0"}} {
		damaged := bytes.Clone(segment)
		damaged[at] = c.value
		if _, err := parseBatches(damaged, 9); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "at byte") {
			t.Errorf("byte %d: %v, %q is expected", at, err, c.want)
		}
	}
	if all, err := parseBatches(segment[:531+headerBytes-1], 9); len(all) != 1 || err != nil {
		t.Errorf("a header that is cut: %d, %v", len(all), err)
	}
	if all, err := parseBatches(segment[:531+headerBytes], 9); len(all) != 2 || err != nil {
		t.Errorf("records that are cut: %d, %v", len(all), err)
	}
}

func FuzzParseBatches(f *testing.F) {
	for _, name := range []string{"txn-log", "compacted", "zstd"} {
		segment, err := os.ReadFile("testdata/batches/" + name + ".log")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(segment[:min(len(segment), 1800)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseBatches(b, 50)
		if len(all) > 50 || len(all)*headerBytes > len(b) {
			t.Errorf("%d headers in %d bytes", len(all), len(b))
		}
		if _, failure := json.Marshal(all); failure != nil {
			t.Errorf("%v (%v)", failure, err)
		}
	})
}

// lagged is a topic with a batch of each kind, of which a group has committed
// the first two records.
func lagged(t *testing.T, cluster *kfake.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	began := time.Now().Add(-time.Hour)
	for i := range 5 {
		var records []*kgo.Record
		for range 4 {
			records = append(records, &kgo.Record{Topic: "orders", Partition: 3, Key: []byte("canary-of-a-key"), Value: []byte(strings.Repeat("canary-of-a-value", 20)), Timestamp: began.Add(time.Duration(i) * 10 * time.Minute)})
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var o kadm.Offsets
	o.AddOffset("orders", 3, 5, 0)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "slow", o); err != nil {
		t.Fatal(err)
	}
}

// configured answers for the settings of topics, which kfake has not.
func configured(cluster *kfake.Cluster, remote string) {
	cluster.ControlKey(int16(kmsg.DescribeConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, asked := range r.(*kmsg.DescribeConfigsRequest).Resources {
			one := kmsg.NewDescribeConfigsResponseResource()
			one.ResourceType, one.ResourceName = asked.ResourceType, asked.ResourceName
			for name, value := range map[string]string{minISR: "1", tiered: remote} {
				c := kmsg.NewDescribeConfigsResponseResourceConfig()
				c.Name, c.Value = name, kmsg.StringPtr(value)
				one.Configs = append(one.Configs, c)
			}
			answer.Resources = append(answer.Resources, one)
		}
		return answer, nil, true
	})
}

// A group that lags: headers where it is and at the end, how far it is behind in
// time, and nothing of what the records hold.
func TestBatchesOfALaggingGroup(t *testing.T) {
	cluster := fake(t)
	lagged(t, cluster)
	configured(cluster, "false")
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	if _, err := look(t, target, Batches); err == nil {
		t.Error("before any commits: no error")
	}
	must(t, target, Metadata)
	must(t, target, Configs)
	must(t, target, Groups)
	must(t, target, Offsets)
	seen := must(t, target, Batches)
	all := value(t, seen, fact.Batches, fact.TheCluster)
	starts, ends := 0, 0
	for _, b := range all {
		if b.Topic != "orders" || b.Partition != 3 || b.Group != "slow" || b.Records != 4 || b.Codec != "zstd" || b.Bytes < headerBytes || b.Producer < 0 || b.First.IsZero() {
			t.Errorf("%+v", b)
		}
		if b.End {
			ends++
		} else {
			starts++
		}
	}
	if starts != 4 || ends != 1 || all[0].Base != 4 || all[0].Asked != 5 {
		t.Errorf("%d and %d batches: %+v", starts, ends, all)
	}
	if behind, ok := fact.Behind(all, "slow"); !ok || behind != 1800 {
		t.Errorf("%g s behind, %v", behind, ok)
	}
	if _, ok := fact.Behind(all, "other"); ok {
		t.Error("another group is behind")
	}
	text, err := json.Marshal([]fact.Observation(seen))
	if err != nil || bytes.Contains(text, []byte("canary")) {
		t.Errorf("%v: %s", err, text)
	}
}

// What a glance read is overwritten before anyone else can see it.
func TestGlanceForgets(t *testing.T) {
	cluster := fake(t)
	lagged(t, cluster)
	target := aim(t, cluster.ListenAddrs()...)
	must(t, target, Metadata)
	r, err := rosterOf(target)
	if err != nil {
		t.Fatal(err)
	}
	view := r.latest()
	request := kmsg.NewPtrFetchRequest()
	request.MaxBytes = 4096
	one := kmsg.NewFetchRequestTopicPartition()
	one.Partition, one.PartitionMaxBytes = 3, 4096
	request.Topics = []kmsg.FetchRequestTopic{{Topic: "orders", Partitions: []kmsg.FetchRequestTopicPartition{one}}}
	for _, p := range r.crew() {
		if p.id != view.Leader[view.At("orders", 3)] {
			continue
		}
		var kept []byte
		err := r.with(t.Context(), p, func(ctx context.Context, l *link) error {
			return l.glance(ctx, request, byNameFetch, glanceAnswer, func(answer kmsg.Response) {
				kept = answer.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches
				if len(kept) < 5*headerBytes || bytes.Count(kept, []byte{0}) == len(kept) {
					t.Errorf("%d bytes of batches", len(kept))
				}
			})
		})
		if err != nil || len(kept) == 0 || bytes.Count(kept, []byte{0}) != len(kept) {
			t.Errorf("%v, %q", err, kept)
		}
		return
	}
	t.Error("nobody leads orders-3")
}

// Topics in tiered storage are not looked into, and one that is denied is asked
// for once.
func TestBatchesNotLookedAt(t *testing.T) {
	for what, c := range map[string]struct {
		remote string
		asked  int
	}{"tiered": {"true", 0}, "denied": {"false", 2}} { // two glances of one round
		cluster := fake(t)
		lagged(t, cluster)
		configured(cluster, c.remote)
		asked := 0
		cluster.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			asked++
			answer := r.ResponseKind().(*kmsg.FetchResponse)
			for _, topic := range r.(*kmsg.FetchRequest).Topics {
				one := kmsg.NewFetchResponseTopicPartition()
				one.Partition, one.ErrorCode = topic.Partitions[0].Partition, kerr.TopicAuthorizationFailed.Code
				answer.Topics = append(answer.Topics, kmsg.FetchResponseTopic{Topic: topic.Topic, Partitions: []kmsg.FetchResponseTopicPartition{one}})
			}
			return answer, nil, true
		})
		target := aim(t, cluster.ListenAddrs()...)
		target.Timeout = 5 * time.Second
		must(t, target, Metadata)
		must(t, target, Configs)
		must(t, target, Groups)
		must(t, target, Offsets)
		first, err := look(t, target, Batches)
		if denied := c.asked > 0; denied != (err != nil) || denied && !strings.Contains(err.Error(), "Fetch") {
			t.Errorf("%s: %v, %v", what, first, err)
		}
		if all := value(t, must(t, target, Batches), fact.Batches, fact.TheCluster); len(all) != 0 {
			t.Errorf("%s: %+v", what, all)
		}
		if asked != c.asked {
			t.Errorf("%s: Fetch was sent %d times, %d is expected", what, asked, c.asked)
		}
	}
}

// The leader has changed since the commit: where the epoch of the commit ends.
func TestEpochOfAnOldCommit(t *testing.T) {
	cluster := fake(t)
	lagged(t, cluster)
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	if _, err := look(t, target, Epochs); err == nil {
		t.Error("before any commits: no error")
	}
	ends := func() fact.EpochEnds {
		must(t, target, Metadata)
		must(t, target, Groups)
		must(t, target, Offsets)
		return value(t, must(t, target, Epochs), fact.LeaderEpochs, fact.TheCluster)
	}
	if o := ends(); len(o.Topic) != 0 || o.Untold != 0 {
		t.Errorf("while the leader is the same: %+v", o)
	}
	leader := cluster.LeaderFor("orders", 3)
	if err := cluster.MoveTopicPartition("orders", 3, (leader+1)%3); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Partition: 3}).FirstErr(); err != nil { // kfake begins an epoch with its first batch
		t.Fatal(err)
	}
	o := ends()
	if err := o.Valid(); err != nil || !slices.Equal(o.Topic, []string{"orders"}) || o.Partition[0] != 3 || o.Asked[0] != 0 || o.Untold != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	if found, end, ok := o.Of("orders", 3, 0); !ok || found != 0 || end != 20 {
		t.Errorf("epoch %d ends at %d, %v", found, end, ok)
	}
	if _, _, ok := o.Of("orders", 3, 9); ok {
		t.Error("an epoch that was not asked about")
	}
}

// Several epochs of one partition, and a short ISR; each question once.
func TestQuestions(t *testing.T) {
	v := viewOf(wide(2, 3))
	for i := range v.Epoch {
		v.Epoch[i] = 5
	}
	full := v.Replicas
	v.ISR = fact.Lists{}
	for i := range v.Partition {
		if i == 1 {
			v.ISR.Add(full.At(i)[:1])
		} else {
			v.ISR.Add(full.At(i))
		}
	}
	r := newRoster(aim(t))
	if _, view, _ := r.questions(); view != nil {
		t.Error("questions of nobody")
	}
	ends := &logEnds{view: &v, high: []int64{10, 10, 10, 10, 10, 10}}
	r.doubt(&v, []commits{{"a", []commit{{topic: "topic-000000", partition: 0, offset: 3, epoch: 4}, {topic: "topic-000001", partition: 2, offset: 30, epoch: 2}, {topic: "topic-000001", partition: 1, offset: 3, epoch: 5}}},
		{"b", []commit{{topic: "topic-000000", partition: 0, offset: 9, epoch: 4}, {topic: "topic-000000", partition: 0, offset: 1, epoch: 3}, {topic: "gone", partition: 0, offset: 1, epoch: 1}, {topic: "topic-000001", partition: 0, offset: 1, epoch: -1}}}}, ends)
	all, _, left := r.questions()
	want := []question{{0, 3, 1}, {0, 4, 1}, {1, 5, 2}, {5, 2, 3}}
	if !slices.Equal(all, want) || left != 0 {
		t.Errorf("%v, %v is expected", all, want)
	}
}
