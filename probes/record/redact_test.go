package record

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// kept is the fields whose texts are words of Kafka, the kernel or ktriage.
var kept = map[string]bool{
	"Mount.Device": true, "Mount.Type": true, "Mount.Options": true, "Mount.SuperOptions": true,
	"ProcessState.State": true, "ProcessState.Found": true, "LocalBroker.Roles": true, "LocalBroker.FoundBy": true,
	"Unknown.Reason": true, "Reach.Step": true, "Reach.Outcome": true, "Reach.Detail": true, "TopicConfigs.MinISRSource": true,
	"OwnAddress.Step": true, "OwnAddress.Outcome": true, "StepTime.Step": true, "Feature.Name": true, "NamedSetting.Name": true, "SettingColumn.Name": true, "Setting.Source": true,
	"QuorumReplica.Directory": true, "ClientQuota.Key": true, "QuotaEntity.Type": true, "Rights.Cluster": true, "TopicRights.Operations": true, "Right.Operation": true, "Right.Resource": true,
	"OpenTransactions.State": true,
	"GCLog.Collector":        true, "GCLog.JDK": true, "GCLog.Format": true, "GCShare.Name": true, "GCPause.Kind": true, "GCPause.Cause": true,
	"ThreadRole.Role": true, "JVMFlags.Sources": true,
	"IOLimit.Device": true, "StateOf.State": true, "TransparentHugePages.Enabled": true, "TransparentHugePages.Defrag": true, "OOMKill.Name": true,
	"DeviceInfo.Kind": true, "DeviceInfo.Level": true, "DeviceInfo.On": true, "DeviceInfo.Scheduler": true, "DeviceInfo.State": true,
	"BatchHeader.Codec": true, "MetricsEndpoint.Format": true, "MetricsEndpoint.FoundBy": true, "RequestTimes.Request": true, "NamedCount.Name": true,
	"ClientThrottle.Quota": true, "DamagedFile.Kind": true, "DamagedFile.Severity": true, "DamagedFile.Text": true,
	"RestOfScan.State": true, "GroupPast.State": true, "GoneOffset.How": true, "LastTransaction.State": true, "Change.Kind": true, "Change.Scope": true,
	"LogLines.Text": true, "LogLines.Latest": true, // free texts: names known elsewhere, addresses and paths are replaced in them
}

// fill sets every string of a value to a secret of its own.
func fill(v reflect.Value, field string, n *int) {
	if kept[field] {
		return
	}
	switch v.Kind() {
	case reflect.String:
		*n++
		v.SetString(fmt.Sprintf("/SECRET%d", *n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), field, n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), field, n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := v.Type().Name() + "." + f.Name
			fill(v.Field(i), name, n)
		}
	}
}

func TestNoNameOfAnyKeySurvives(t *testing.T) {
	n, structs := 0, 0
	for _, k := range fact.Keys {
		var o fact.Observation
		if err := json.Unmarshal(fmt.Appendf(nil, `{"k":%q,"s":"group SECRET-group","v":null}`, k.Def().Name), &o); err != nil {
			t.Fatal(err)
		}
		typ := reflect.TypeOf(o.Value)
		if typ.Kind() == reflect.String || typ.Kind() == reflect.Float64 {
			continue // words of Kafka and the JVM, and numbers
		}
		structs++
		v := reflect.New(typ).Elem()
		fill(v, "", &n)
		o.Value = v.Interface()
		before := text(t, fact.Batch{Observations: []fact.Observation{o}})
		after := text(t, NewRedactor().Batch(fact.Batch{Observations: []fact.Observation{o}}))
		if strings.Contains(after, "SECRET") {
			t.Errorf("%s: %s", k.Def().Name, after)
		}
		if again := text(t, fact.Batch{Observations: []fact.Observation{o}}); again != before {
			t.Errorf("%s: the batch given was changed", k.Def().Name)
		}
	}
	if structs < 10 || n < 20 {
		t.Fatalf("only %d values with %d names were tried", structs, n)
	}
}

func TestPseudonymsAreStableAndReachTexts(t *testing.T) {
	r := NewRedactor()
	offsets := fact.GroupOffsets{Topic: []string{"payments", "__consumer_offsets"}, Partition: []int32{0, 1}}
	b := fact.Batch{
		Observations: []fact.Observation{
			fact.Offsets.Is(fact.Subject{Scope: fact.Group, Name: "billing"}, offsets),
			fact.BrokerReach.Is(fact.Subject{Scope: fact.Broker, Name: "kafka1.bank.example:9092"}, fact.Reach{Address: "kafka1.bank.example:9092", Detail: "dial tcp 10.1.2.3:9092: connection refused"}),
			fact.LogDirFailed.Is(fact.LogDirOf(3, "/srv/bank/kafka"), fact.LogLines{Count: 1, Text: "Stopping serving logs in dir /srv/bank/kafka of payments-0 for User:alice from [2001:db8::7]"}),
		},
		Runs:  []fact.Run{{Probe: "kafka.offsets", Status: fact.Failed, Error: "group billing: denied"}},
		Marks: []fact.Mark{{Kind: fact.Note, Text: "moved payments away from kafka1.bank.example"}},
	}
	got := text(t, r.Batch(b))
	for _, secret := range []string{"payments", "billing", "bank", "10.1.2.3", "alice", "2001:db8", "/srv"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q survives in %s", secret, got)
		}
	}
	for _, want := range []string{"__consumer_offsets", ":9092", "3:/path-", "Stopping serving logs in dir /path-", "denied"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if again := text(t, r.Batch(b)); again != got {
		t.Errorf("the second time differs:\n%s\n%s", got, again)
	}
}

// What a log line speaks of keeps its meaning: a number, an error code, our own
// words; and the same topic is the same pseudonym as elsewhere.
func TestWhatLinesSpeakOf(t *testing.T) {
	lines := fact.LogLines{Count: 1}
	for _, name := range []string{"payments-3", "billing", "2", "NOT_LEADER_OR_FOLLOWER", "member left", "tls", "User:alice READ Topic:LITERAL:salaries from 10.1.2.3", "kafka-request-handler"} {
		lines.Names = append(lines.Names, fact.NameCount{Name: name})
	}
	b := fact.Batch{Observations: []fact.Observation{
		fact.LogDenied.Is(fact.BrokerOf(1), lines),
		fact.GroupState.Is(fact.Subject{Scope: fact.Group, Name: "billing"}, "Stable"),
		fact.PartitionEnds.Is(fact.TheCluster, fact.PartitionOffsets{Topics: []string{"payments"}}),
	}}
	got := NewRedactor().Batch(b)
	var names []string
	for _, n := range got.Observations[0].Value.(fact.LogLines).Names {
		names = append(names, n.Name)
	}
	want := []string{"topic-1-3", "group-1", "2", "NOT_LEADER_OR_FOLLOWER", "member left", "tls", "User:user-1 READ Topic:LITERAL:resource-1 from host-1", "name-1"}
	if !slices.Equal(names, want) {
		t.Errorf("got  %q\nwant %q", names, want)
	}
}

func TestMappingIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "a.ktr"), Header{Redacted: true}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	names := filepath.Join(dir, "a.names.json")
	if err := w.Redact(names); err != nil {
		t.Fatal(err)
	}
	if err := w.Redact(names); err == nil {
		t.Error("an existing mapping is written over")
	}
	if err := w.Write(batch(0, 3)); err != nil { // its topic is orders
		t.Fatal(err)
	}
	info, err := os.Stat(names)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mapping has mode %v, %v; want 0600", info.Mode(), err)
	}
	if m, _ := os.ReadFile(names); !strings.Contains(string(m), `"orders": "topic-1"`) {
		t.Errorf("mapping: %s", m)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(filepath.Join(dir, "a.ktr"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := text(t, all(t, r)); strings.Contains(got, "orders") || !strings.Contains(got, "topic-1") {
		t.Errorf("the recording holds %s", got)
	}
}

// The kernel names processes that are nobody's business.
func TestKernelLines(t *testing.T) {
	b := fact.Batch{Observations: []fact.Observation{fact.KernelIOErrors.Is(fact.Subject{Scope: fact.Host, Name: "h"}, []fact.KernelLine{
		{Text: "EXT4-fs error (device sdb1): ext4_journal_check_start: comm payroll: Detected aborted journal"},
		{Text: "INFO: task payroll:4711 blocked for more than 120 seconds."},
		{Text: "INFO: task java:4712 blocked for more than 120 seconds."}})}}
	got := text(t, NewRedactor().Batch(b))
	if strings.Contains(got, "payroll") {
		t.Errorf("a process survives in %s", got)
	}
	for _, want := range []string{"comm process-1: Detected", "task process-1:4711 blocked", "task java:4712 blocked", "device sdb1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
}

func TestUnknownKeysAreDroppedWhenRedacting(t *testing.T) {
	var o fact.Observation
	if err := json.Unmarshal([]byte(`{"k":"future.key","s":"broker 3","v":{"owner":"alice"}}`), &o); err != nil {
		t.Fatal(err)
	}
	if got := NewRedactor().Batch(fact.Batch{Observations: []fact.Observation{o}}); len(got.Observations) != 0 {
		t.Errorf("kept: %s", text(t, got))
	}
}

func TestSettingsKeepWhatIsNoName(t *testing.T) {
	r := NewRedactor()
	b := fact.Batch{Observations: []fact.Observation{fact.BrokerConfigs.Is(fact.BrokerOf(1), []fact.NamedSetting{
		{Name: "num.io.threads", Setting: fact.Setting{Value: "8", Source: "DEFAULT_CONFIG"}},
		{Name: "inter.broker.protocol.version", Setting: fact.Setting{Value: "4.3-IV0"}},
		{Name: "cleanup.policy", Setting: fact.Setting{Value: "compact,delete"}},
		{Name: "listeners", Setting: fact.Setting{Value: "PLAINTEXT://kafka1.bank.example:9092"}},
		{Name: "broker.rack", Setting: fact.Setting{Value: "10.1.2.3"}}})}}
	got := text(t, r.Batch(b))
	for _, want := range []string{`"8"`, "4.3-IV0", "compact,delete", "listeners", "DEFAULT_CONFIG"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if strings.Contains(got, "bank") || strings.Contains(got, "10.1.2.3") {
		t.Errorf("a name survives in %s", got)
	}
}
