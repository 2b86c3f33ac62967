package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ktriage/ktriage/probes/history"
)

func historyRun(args ...string) (status int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), append([]string{"history"}, args...), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestHistoryText(t *testing.T) {
	dir := filepath.Join(realPartitions(t), "log-dir")
	for _, c := range []struct {
		args   []string
		status int
		say    []string
		not    string
	}{
		{nil, 0, []string{"broker 3 asked to shut down: planned\n", "02:04:29  broker 3 fell out of the ISR of 14 partitions\n", "broker 3 fenced after a planned shutdown since 2026-11-23 02:04:30", "idem-0: leader 1, ISR 1,2 of 1,2,3\n", "Nothing was written since", "ends at offset 827; how much of the end was\n  committed is not known"}, "damaged"},
		{[]string{"--since", "2s"}, 0, []string{"02:04:30  broker 3 was fenced"}, "topic idem was created"},
		{[]string{"--since", "2s", "--each"}, 0, []string{"ISR shrank, ISR of idem-0: 1,2, before 1,2,3\n"}, "14 partitions\n"},
		{[]string{"--topic", "idem"}, 0, []string{"topic idem was created: 1 partition, replication factor 3\n", "segment.ms of topic idem was set to 3000"}, "codec-none"},
		{[]string{"--broker", "2"}, 0, []string{"broker 2 registered for the first time"}, "broker 3 asked"},
		{[]string{"--at", "2026-11-23T02:04:29Z"}, 0, []string{"broker 3 serving since", "0 without leader, 0 with a short ISR", "as of\n  2026-11-23 02:04:29"}, "fenced after"},
		{[]string{"--at", "yesterday"}, 2, nil, "x"},
		{[]string{"--since", "-1h"}, 2, nil, "x"},
	} {
		status, out, errOut := historyRun(append(c.args, dir)...)
		if status != c.status || c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("%v: exit %d, want %d, %q not in\n%s%s", c.args, status, c.status, c.not, out, errOut)
		}
		for _, say := range c.say {
			if !strings.Contains(out, say) {
				t.Errorf("%v: says not %q, but\n%s", c.args, say, out)
			}
		}
		for line := range strings.Lines(out) {
			if n := len([]rune(line)); n > 81 {
				t.Errorf("%v: a line of %d columns: %s", c.args, n, line)
			}
		}
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(dir, "elsewhere")} {
		if status, _, errOut := historyRun(dir); status != 2 || !strings.Contains(errOut, "no __cluster_metadata-0") {
			t.Errorf("%s, which is empty or not there: exit %d, %s", dir, status, errOut)
		}
	}
}

// TestHistoryOfNothing: what cannot be meant is one line that says what is wrong,
// and no history in which nothing happened.
func TestHistoryOfNothing(t *testing.T) {
	dir := filepath.Join(realPartitions(t), "log-dir")
	segment := filepath.Join(dir, history.MetadataDir, "00000000000000000000.log")
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"--topic", "idme", dir}, `--topic: no topic "idme" in the metadata log from 2026-11-23 01:58:21 to 2026-11-23 02:04:30 UTC`},
		{[]string{"--broker", "99", dir}, "--broker: no broker 99 in the metadata log from 2026-11-23 01:58:21"},
		{[]string{"--broker", "-5", dir}, "--broker: -5, expected a broker's id"},
		{[]string{"--at", "2999-01-01T00:00:00Z", dir}, "--at: 2999-01-01 00:00:00 UTC is yet to come"},
		{[]string{"--at", "2020-01-01T00:00:00Z", dir}, "--at: 2020-01-01 00:00:00 UTC is before what the metadata log has: it begins at 2026-11-23 01:58:21"},
		{[]string{segment}, segment + " is a file, expected a log dir or the __cluster_metadata-0 in it"},
	} {
		for _, format := range []string{"text", "json"} {
			status, out, errOut := historyRun(append(c.args, "-o", format)...)
			if status != 2 || out != "" || strings.Count(errOut, "\n") != 1 || !strings.Contains(errOut, c.say) {
				t.Errorf("%v: exit %d, %q, %q", c.args, status, out, errOut)
			}
		}
	}
}

func TestHistoryJSON(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("../../docs/history.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(realPartitions(t), "log-dir", history.MetadataDir)
	name := filepath.Join(dir, "00000000000000000000.log")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cut := time.Now().Add(-time.Hour)
	for _, status := range []int{0, 3} {
		if status == 3 {
			if err := os.WriteFile(name, whole[:len(whole)-5], 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(name, cut, cut); err != nil {
				t.Fatal(err)
			}
		}
		got, out, errOut := historyRun(dir, "-o", "json")
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err != nil || got != status {
			t.Fatalf("exit %d, want %d, %v, %s", got, status, err, errOut)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
		var told struct {
			Node    int
			Changes []history.Change
			Damage  []string
			State   struct{ Partitions []history.Partition }
		}
		if err := json.Unmarshal([]byte(out), &told); err != nil || len(told.Changes) < 40 || len(told.State.Partitions) != 14 || told.Node != 3 || (len(told.Damage) == 1) != (status == 3) {
			t.Errorf("%v: node %d, %d changes, %d partitions, damage %q", err, told.Node, len(told.Changes), len(told.State.Partitions), told.Damage)
		}
	}
	text, err := os.ReadFile("../../docs/history.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range history.Kinds {
		if !strings.Contains(string(text), `"`+string(k)+`"`) {
			t.Errorf("the schema has no kind %s", k)
		}
	}
}

// withCoordinators is the log dir of a real broker with partitions of
// coordinators beside, which were generated.
func withCoordinators(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(realPartitions(t), "log-dir")
	if err := os.CopyFS(dir, os.DirFS("testdata/coordinators")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestHistoryGroups(t *testing.T) {
	dir := withCoordinators(t)
	rewound := "02:04:05 group billing: committed offset of idem-0 went back from 400 to 20 "
	for _, c := range []struct {
		args []string
		say  []string
		not  string
	}{
		{nil, []string{rewound, "group audit was deleted, with its offsets of 2 partitions", "02:03:00 transaction of payer (producer 42, epoch 3) on 1 partition is open since", "broker 3 asked to shut down"}, "member"},
		{[]string{"--group", "billing"}, []string{rewound, "Group billing (partition 3 of __consumer_offsets) has 1 member, generation 1 since", "member client-a of /10.0.0.1: a idem-0", "idem-0: 20, committed 2026-11-23 02:04:05, went back from 400 to 20 at"}, "audit"},
		{[]string{"--group", "billing", "--at", "2026-11-23T02:04:03Z"}, []string{"idem-0: 200, committed 2026-11-23 02:04:03"}, "went back"},
		{[]string{"--group", "payroll"}, []string{"nothing of group payroll is on this node, and how many partitions __consumer_offsets has is not known"}, "billing"},
		{[]string{"--topic", "orders"}, []string{"group audit: committed offset of orders-1 was deleted, it was 20"}, "billing"},
		{[]string{"--broker", "3"}, []string{"broker 3 asked to shut down"}, "billing"},
	} {
		status, out, errOut := historyRun(append(c.args, dir)...)
		if status != 0 || strings.Contains(out, c.not) {
			t.Errorf("%v: exit %d, %q not in\n%s%s", c.args, status, c.not, out, errOut)
		}
		out = strings.Join(strings.Fields(out), " ") + " "
		for _, say := range c.say {
			if !strings.Contains(out, say) {
				t.Errorf("%v: says not %q, but\n%s", c.args, say, out)
			}
		}
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/history.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{dir, "-o", "json"}, {dir, "-o", "json", "--group", "billing"}, {dir, "-o", "json", "--group", "payroll"}, {dir, "-o", "json", "--broker", "1"}} {
		status, out, errOut := historyRun(args...)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err != nil || status != 0 {
			t.Fatalf("%v: exit %d, %v, %s", args, status, err, errOut)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestHistoryOfCoordinatorsAlone: with ZooKeeper there is no metadata log, and
// what coordinators wrote is told without.
func TestHistoryOfCoordinatorsAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/coordinators")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta.properties"), []byte("version=0\nbroker.id=7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/history.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	const alone = "no metadata log on node 7, as with ZooKeeper: what follows is of its groups and transactions alone"
	rewound := "02:04:05 group billing: committed offset of idem-0 went back from 400 to 20 "
	for _, c := range []struct {
		args   []string
		status int
		say    []string
		not    string
	}{
		{[]string{"--group", "billing"}, 0, []string{alone + ", 2026-11-23 ", " UTC; the newest record is ", rewound, "Group billing (partition 3 of __consumer_offsets) has 1 member"}, "audit"},
		{[]string{"--group", "billing", "--at", "2026-11-23T02:04:03Z"}, 0, []string{" UTC, as of 2026-11-23 02:04:03", "idem-0: 200, committed 2026-11-23 02:04:03"}, "went back"},
		{[]string{"--group", "payroll"}, 0, []string{"nothing of group payroll is on this node, and how many partitions __consumer_offsets has is not known"}, "billing"},
		{nil, 0, []string{rewound, "group audit was deleted", "02:03:00 transaction of payer (producer 42, epoch 3) on 1 partition is open since"}, "The cluster at"},
		{[]string{"--since", "1s"}, 0, []string{alone, rewound}, "The cluster at"}, // counted from their newest record
		{[]string{"--broker", "3"}, 2, nil, "billing"},
	} {
		status, out, errOut := historyRun(append(c.args, dir)...)
		if status != c.status || strings.Contains(out, c.not) {
			t.Errorf("%v: exit %d, want %d, %q not in\n%s%s", c.args, status, c.status, c.not, out, errOut)
		}
		said := strings.Join(strings.Fields(out), " ") + " "
		for _, say := range c.say {
			if !strings.Contains(said, say) {
				t.Errorf("%v: says not %q, but\n%s", c.args, say, out)
			}
		}
		if status != 0 {
			continue
		}
		_, out, errOut = historyRun(append(c.args, dir, "-o", "json")...)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		if err != nil {
			t.Fatalf("%v: %v, %s", c.args, err, errOut)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		if j := value.(map[string]any); j["state"] != nil || j["log"] != "" {
			t.Errorf("%v: a state without a metadata log: %v, %v", c.args, j["log"], j["state"])
		}
	}
}

// TestHistoryGroupElsewhere: where a group's partition is on other brokers, the
// metadata log says on which. That of testdata has five partitions of
// __consumer_offsets, of which number 3 is here.
func TestHistoryGroupElsewhere(t *testing.T) {
	dir := t.TempDir()
	for _, from := range []string{"testdata/elsewhere", "testdata/coordinators"} {
		if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	const of = "partition of __consumer_offsets"
	for group, say := range map[string]string{
		"search":  "group search's " + of + " (1) is not on this node; brokers 2,3 have it, broker 2 leads it ",
		"mailer":  "group mailer's " + of + " (2) is not on this node; brokers 3,1 have it, and none leads it ",
		"billing": "group billing's " + of + " (4) is not on this node; broker 2 has it, broker 2 leads it ",
		"payroll": "group payroll has neither committed nor formed in what its " + of + " (3) holds ",
	} {
		status, out, errOut := historyRun("--group", group, dir)
		if said := strings.Join(strings.Fields(out), " ") + " "; status != 0 || !strings.Contains(said, say) {
			t.Errorf("%s: exit %d, says not %q, but\n%s%s", group, status, say, out, errOut)
		}
		_, out, _ = historyRun("--group", group, dir, "-o", "json")
		var told struct {
			Elsewhere string `json:"group_elsewhere"`
		}
		if err := json.Unmarshal([]byte(out), &told); err != nil || told.Elsewhere+" " != say {
			t.Errorf("%s: %v, JSON says %q", group, err, told.Elsewhere)
		}
	}
}

// TestGroupText: a group is said to be of the kind that it is.
func TestGroupText(t *testing.T) {
	members := []history.Member{{ID: "a", Client: "shop"}, {ID: "b", Client: "shop"}}
	for kind, want := range map[string]string{
		"streams": "Streams group g (partition 4 of __consumer_offsets) has 2 members, epoch 7 since ?, 1 rebalance in what was read, no commit",
		"share":   "Share group g (partition 4",
		"classic": "Group g (partition 4 of __consumer_offsets) has 2 members, generation 7 since",
		"":        "Group g (",
	} {
		got := groupText(&history.Group{Name: "g", Partition: 4, Type: kind, State: history.GroupStable, Members: members, Generation: 7, Rebalances: 1})
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, expected %q", kind, got, want)
		}
	}
}
