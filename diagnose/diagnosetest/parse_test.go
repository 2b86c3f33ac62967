package diagnosetest

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

const sample = `
# a comment
live 1 2
partition orders-1 leader none replicas 1,3 isr none offline 3 epoch 4
partition orders-0 leader 1 replicas 1,2 isr 1,2
partition __consumer_offsets-0 leader 2 replicas 2 isr 2 internal
view 2 unknown timed-out no answer in 4s
logdir 3:/my data host.dir.used 90e9
logdir 3:/my data host.dir.total unknown not-allowed open /my data: permission denied
process pid 4711 host.process {"pid":4711,"exists":true,"state":"S"}
group billing kafka.group.state "Empty"
broker * log.sigterm unknown not-asked
configs orders min-isr 2
configs events min-isr 1 unclean retention 60000
offsets billing orders-0 10 0 100
offsets billing orders-1 none 0 50 40
reach 3 refused
reach 1 timed-out at tcp
log log.dir.no-space logdir 3:/my data count 4 first -30s last -5s "No space left, \"really\""
log log.fatal broker 3 count 0
+30s
partition orders-0 leader 2 replicas 1,2 isr 2
offsets billing orders-0 20 0 200
+2m
again
want cause disk-full on logdir 3:/my data likely as consequence "90% used"
want no cause broker-crashed
want no cause broker-hung even possible
want sign dir-nearly-full on logdir 3:/my data unknown "not-allowed"
want status incomplete
want branch none
want first disk-full
want context rolling-restart "broker 3"
want no context log-recovery
want alert KafkaOfflinePartitions inactive
want next controlled-shutdown-logged "on its host"
`

func TestParse(t *testing.T) {
	k, err := Parse("x.case", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if len(k.Batches) != 3 || !k.Batches[1].At.Equal(start.Add(30*time.Second)) || !k.Batches[2].At.Equal(start.Add(150*time.Second)) {
		t.Fatalf("batches: %+v", k.Batches)
	}
	dir := fact.LogDirOf(3, "/my data")
	expectValue(t, k.Batches[0], fact.DirUsed, dir, 90e9)
	expectValue(t, k.Batches[0], fact.GroupState, fact.Subject{Scope: fact.Group, Name: "billing"}, "Empty")
	expectValue(t, k.Batches[0], fact.BrokerProcess, fact.Subject{Scope: fact.Process, Name: "pid 4711"}, fact.ProcessState{PID: 4711, Exists: true, State: "S"})
	expectValue(t, k.Batches[0], fact.BrokerReach, fact.BrokerOf(3), fact.Reach{Address: "b3:9092", Step: fact.Connect, Outcome: fact.Refused, Seconds: 0.004})
	expectValue(t, k.Batches[0], fact.BrokerReach, fact.BrokerOf(1), fact.Reach{Address: "b1:9092", Step: fact.Connect, Outcome: fact.Silent, Seconds: 4})
	expectValue(t, k.Batches[0], fact.LogNoSpace, dir, fact.LogLines{Count: 4, First: start.Add(-30 * time.Second), Last: start.Add(-5 * time.Second),
		Text: `No space left, "really"`, Latest: `No space left, "really"`, Since: start.Add(-time.Hour)})
	expectValue(t, k.Batches[0], fact.LogFatal, fact.BrokerOf(3), fact.LogLines{Since: start.Add(-time.Hour)})
	expectValue(t, k.Batches[0], fact.Configs, fact.TheCluster, fact.TopicConfigs{Topics: []string{"orders", "events"}, MinISR: []int32{2, 1},
		MinISRSource: []string{"DYNAMIC_TOPIC_CONFIG", "DYNAMIC_TOPIC_CONFIG"}, Unclean: []bool{false, true},
		Others: []fact.SettingColumn{
			{Name: "retention.ms", Of: []int32{0, 1}, Distinct: []fact.Setting{{Value: "604800000", Source: "DEFAULT_CONFIG"}, {Value: "60000", Source: "DYNAMIC_TOPIC_CONFIG"}}},
			{Name: "retention.bytes", Of: []int32{0, 0}, Distinct: []fact.Setting{{Value: "-1", Source: "DEFAULT_CONFIG"}}},
			{Name: "cleanup.policy", Of: []int32{0, 0}, Distinct: []fact.Setting{{Value: "delete", Source: "DEFAULT_CONFIG"}}},
		}})
	expectValue(t, k.Batches[1], fact.Offsets, fact.Subject{Scope: fact.Group, Name: "billing"}, fact.GroupOffsets{
		Topic: []string{"orders", "orders"}, Partition: []int32{0, 1}, Committed: []int64{20, -1}, LogStart: []int64{0, 0}, LogEnd: []int64{200, 50}, LastStable: []int64{200, 40}})

	if because := look(t, k.Batches[0], fact.DirTotal, dir).Because; because == nil || because.String() != "not-allowed: open /my data: permission denied" {
		t.Errorf("unknown: %v", because)
	}
	if because := look(t, k.Batches[0], fact.Metadata, fact.BrokerOf(2)).Because; because == nil || because.Reason != fact.TimedOut {
		t.Errorf("view 2: %v", because)
	}
	first := look(t, k.Batches[0], fact.Metadata, fact.BrokerOf(1)).Value.(fact.MetadataView)
	later := look(t, k.Batches[1], fact.Metadata, fact.BrokerOf(1)).Value.(fact.MetadataView)
	if want := []string{"__consumer_offsets", "orders"}; !reflect.DeepEqual(first.Topics, want) || !reflect.DeepEqual(first.Internal, []bool{true, false}) {
		t.Errorf("topics %v %v", first.Topics, first.Internal)
	}
	if !reflect.DeepEqual(first.Leader, []int32{2, 1, -1}) || !reflect.DeepEqual(later.Leader, []int32{2, 2, -1}) {
		t.Errorf("leaders %v, then %v", first.Leader, later.Leader)
	}
	if first.Error[2] != 5 || first.Epoch[2] != 4 || len(first.ISR.At(2)) != 0 || !reflect.DeepEqual(first.Offline.At(2), []int32{3}) || !reflect.DeepEqual(later.ISR.At(1), []int32{2}) {
		t.Errorf("columns %+v", first)
	}
	spoken := 0 // of what the case speaks of; the rest is silence
	for _, o := range k.Batches[0].Observations {
		if o.Because == nil || o.Because.Detail != notMentioned {
			spoken++
		}
	}
	if got := len(k.Batches[2].Observations); got != spoken {
		t.Errorf("again gives %d observations, want the %d that there were", got, spoken)
	}
	wants := []Want{
		{What: Cause, ID: "disk-full", Subject: dir, Word: "likely", Role: diagnose.Consequence, Part: "90% used"},
		{What: Cause, No: true, ID: "broker-crashed"},
		{What: Cause, No: true, AtAll: true, ID: "broker-hung"},
		{What: Sign, ID: "dir-nearly-full", Subject: dir, Word: "unknown", Part: "not-allowed"},
		{What: Status, Word: "incomplete"}, {What: Branch, Word: "none"}, {What: First, Word: "disk-full"},
		{What: Context, ID: "rolling-restart", Part: "broker 3"}, {What: Context, No: true, ID: "log-recovery"},
		{What: Alert, ID: "KafkaOfflinePartitions", Word: "inactive"},
		{What: Next, ID: "controlled-shutdown-logged", Part: "on its host"},
	}
	for i, w := range k.Wants {
		w.Line, w.Text = 0, ""
		if w.What == Status || w.What == Branch || w.What == First {
			w.ID = ""
		}
		if w != wants[i] {
			t.Errorf("want %d is %+v, expected %+v", i, w, wants[i])
		}
	}
}

func look(t *testing.T, b fact.Batch, k fact.Key, s fact.Subject) fact.Observation {
	t.Helper()
	for _, o := range b.Observations {
		if o.Key == k.Def() && o.Subject == s {
			return o
		}
	}
	t.Fatalf("no %s of %s", k.Def().Name, s)
	return fact.Observation{}
}

func expectValue(t *testing.T, b fact.Batch, k fact.Key, s fact.Subject, want any) {
	t.Helper()
	if got := look(t, b, k, s); got.Because != nil || !reflect.DeepEqual(got.Value, want) {
		t.Errorf("%s of %s is %+v (%v), want %+v", k.Def().Name, s, got.Value, got.Because, want)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"frobnicate 3", `unknown word "frobnicate"`},
		{"logdir 3:/d host.dir.usde 3", `no known key in "logdir 3:/d host.dir.usde 3"`},
		{"broker 3 host.dir.used 3", `host.dir.used is known of a logdir, not of a broker`},
		{"logdir host.dir.used 3", `name is expected`},
		{"logdir 3:/d host.dir.used", `expected a value`},
		{"logdir 3:/d host.dir.used null", `expected a value`},
		{"logdir 3:/d host.dir.used many", `"many" is no number and no JSON`},
		{`logdir 3:/d host.dir.used "3"`, `cannot unmarshal`},
		{`process 2 host.process {"pdi":3}`, `unknown field "pdi"`},
		{"logdir 3:/d host.dir.used unknown forbidden", `unknown reason "forbidden", expected one of`},
		{"+30", `"30" is no time to go on by`},
		{"+-3s", `"-3s" is no time to go on by`},
		{"live one", `"one" is no node id`},
		{"partition orders leader 1 replicas 1 isr 1", `"orders" is no partition`},
		{"partition orders-0 leader 1 replicas 1", `partition without isr`},
		{"partition orders-0 leader 1 replicas 1 isr 1,x", `"x" is no node id`},
		{"partition orders-0 leader 1 replicas 1 isr 1 isr 1", `isr twice`},
		{"partition orders-0 leader 1 replicas 1 isr 1 speed 3", `unknown word "speed" of a partition`},
		{"partition orders-0 leader", `expected a value after "leader"`},
		{"view 3 known", `expected "view ID unknown REASON [detail]"`},
		{"reach 3 busy", `unknown outcome "busy"`},
		{"reach 3 refused at home", `unknown step "at home"`},
		{"offsets g t-0 5 0", `expected "offsets GROUP`},
		{"offsets g t-0 5 0 -3", `"-3" is no offset`},
		{"configs t min-isr two", `min-isr "two", expected a number`},
		{"configs t min-isr 2 clean", `unknown word "clean" of settings`},
		{"configs t min-isr 2 retention", `unknown word "retention" of settings`},
		{"log log.fatal broker 3", `expected "log KEY SUBJECT count N`},
		{"log log.fatal logdir 3:/d count 1", `log.fatal is known of a broker`},
		{"log host.dir.used logdir 3:/d count 1", `host.dir.used is no kind of log line`},
		{"log log.fatal broker 3 count many", `count "many", expected a number`},
		{"log log.fatal broker 3 count 1 first 3s", `first "3s", expected a time before`},
		{"log log.fatal broker 3 count 1 text", `unknown word "text" after the count`},
		{`log log.fatal broker 3 count 1 "text`, `without its closing quote`},
		{"again and again", `expected nothing after "again"`},
		{"want", `expected "want cause|sign`},
		{"want luck 3", `unknown want "luck"`},
		{"want no cause x even likely", `expected "want cause|sign`},
		{"want no sign x", `expected "want cause|sign`},
		{"want cause x", `expected "on SUBJECT"`},
		{"want cause x on broker 3 sure", `"sure", expected one of [confirmed likely possible cannot-tell]`},
		{"want cause x on broker 3 likely as leaf", `unknown role "leaf"`},
		{"want cause x on planet 3 likely", `unknown scope "planet"`},
		{"want sign x on broker 3 maybe", `"maybe", expected one of [yes no unknown]`},
		{"want status fine", `expected one of [fault incomplete advice clear]`},
		{"want branch left", `expected one of [performance`},
		{"want context x y", `expected "want context|next ID`},
		{"want no context x even possible", `or "want no context ID"`},
		{"want alert KafkaOfflinePartitions loud", `expected one of [firing pending cannot-tell inactive]`},
	} {
		_, err := Parse("x.case", []byte("live 1\n"+c.line+"\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "x.case:2: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q at x.case:2", c.line, err, c.want)
		}
	}
	for text, want := range map[string]string{
		"want status clear":               "nothing observed",
		"live 1":                          "nothing wanted",
		"live 1\nwant status clear\n+30s": "x.case:3: an observation after a want",
	} {
		if _, err := Parse("x.case", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", text, err, want)
		}
	}
}

// FuzzParse: no text makes the parser panic; errors name the file; what parses
// can be concluded from.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("reach 1 answered\nwant sign answers on broker 1 yes"))
	f.Add([]byte("live\n+1ns\nagain\nlive 1\npartition --1 leader 1 replicas 1 isr 1\nwant status clear"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := Parse("x.case", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.case:") {
				t.Fatalf("error %q names no line", err)
			}
			return
		}
		_, v := conclude(diagnose.All, k.Batches)
		check(diagnose.All, k, v)
	})
}
