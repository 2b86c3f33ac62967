package lab

import (
	"reflect"
	"testing"
	"time"
)

const describedTopics = `Topic: orders	TopicId: HVXB3bYWQb2x_RyZ2mYrYg	PartitionCount: 3	ReplicationFactor: 3	Configs: min.insync.replicas=2
	Topic: orders	Partition: 0	Leader: 1	Replicas: 1,2,3	Isr: 1,3	Elr: 	LastKnownElr: 
	Topic: orders	Partition: 1	Leader: none	Replicas: 2	Isr: 	Elr: 2	LastKnownElr: 2
	Topic: orders	Partition: 2	Leader: 3	Replicas: 3,1,2	Isr: 3,1	Elr: 2	LastKnownElr: 
`

func TestParsePartitions(t *testing.T) {
	want := []PartitionLine{
		{"orders", 0, 1, []int{1, 2, 3}, []int{1, 3}},
		{"orders", 1, -1, []int{2}, nil},
		{"orders", 2, 3, []int{3, 1, 2}, []int{3, 1}},
	}
	if got := parsePartitions(describedTopics); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

const describedGroup = `
Consumer group 'billing' has no active members.

GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG             CONSUMER-ID     HOST            CLIENT-ID
billing         orders          0          120             180             60              -               -               -
billing         orders          1          -               7               -               -               -               -
other           orders          2          1               2               1               -               -               -
`

func TestParseGroup(t *testing.T) {
	want := []GroupLine{{"orders", 0, 120, 180, "-"}}
	if got := parseGroup(describedGroup, "billing"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

const gcLog = `[2026-11-23T01:02:03.004+0000][gc,start    ] GC(30) Pause Full (G1 Compaction Pause)
[2026-11-23T01:02:03.145+0000][gc          ] GC(30) Pause Full (G1 Compaction Pause) 254M->249M(256M) 141.370ms
[2026-11-23T01:02:03.200+0000][gc          ] GC(31) Pause Young (Normal) (G1 Evacuation Pause) 254M->254M(256M) 3.100ms
`

func TestParseFullPauses(t *testing.T) {
	got := parseFullPauses(gcLog)
	if len(got) != 1 || got[0].Before != 254 || got[0].After != 249 || got[0].Capacity != 256 || got[0].Millis != 141.37 {
		t.Errorf("got %+v", got)
	}
}

func FuzzToolOutput(f *testing.F) {
	f.Add(describedTopics)
	f.Add(describedGroup)
	f.Add(gcLog)
	f.Add("Topic: a Partition: 99999999999999999999 Leader: x Replicas: ,,1 Isr: ")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range parsePartitions(text) {
			if p.Topic == "" || p.Leader < -1 {
				t.Errorf("partition %+v", p)
			}
		}
		for _, g := range parseGroup(text, "billing") {
			if g.Topic == "" || g.Member == "" {
				t.Errorf("group %+v", g)
			}
		}
		for _, p := range parseFullPauses(text) {
			if p.Millis < 0 {
				t.Errorf("pause %+v", p)
			}
		}
	})
}

func TestParseOffsets(t *testing.T) {
	got := parseOffsets("[2026-11-25 03:42:52,903] WARN something: else\nreadings:0:900\nreadings:2:17\nreadings:1:\n")
	if len(got) != 2 || got[0] != 900 || got[2] != 17 {
		t.Error(got)
	}
}

func TestPairOut(t *testing.T) {
	lines := func(isrs ...[]int) (all []PartitionLine) {
		for i, isr := range isrs {
			all = append(all, PartitionLine{Topic: "t", Partition: i, Leader: isr[0], Replicas: []int{1, 2, 3}, ISR: isr})
		}
		return all
	}
	if _, err := pairOut(lines([]int{1, 3}, []int{2, 3}, []int{3, 1, 2}, []int{1, 2, 3}), 1, 2); err != nil {
		t.Error(err)
	}
	for name, all := range map[string][]PartitionLine{
		"one way":        lines([]int{1, 3}, []int{2, 1, 3}),
		"another broker": lines([]int{1, 3}, []int{2, 1}),
		"by the third":   lines([]int{1, 3}, []int{2, 3}, []int{3, 1}),
	} {
		if said, err := pairOut(all, 1, 2); err == nil {
			t.Errorf("%s: %s", name, said)
		}
	}
}

func TestParseYoungPauses(t *testing.T) {
	got := parseYoungPauses("[2026-11-23T01:02:03.004+0000][gc          ] GC(30) Pause Young (Concurrent Start) (G1 Humongous Allocation) 226M->154M(256M) 9.370ms\n"+
		"[2026-11-23T01:02:04.004+0000][gc] GC(31) Pause Young (Normal) (G1 Evacuation Pause) 226M->155M(256M) 9.370ms\n"+
		"[2026-11-23T01:02:04.004+0000][gc,start] GC(32) Pause Young (Normal) (G1 Evacuation Pause)\n", time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC))
	if len(got) != 2 || got[0].Cause != "G1 Humongous Allocation" || got[1].After != 155 || got[1].Capacity != 256 {
		t.Errorf("%+v", got)
	}
	if late := parseYoungPauses("[2026-11-23T01:02:03.004+0000][gc] GC(30) Pause Young (Normal) (G1 Evacuation Pause) 226M->154M(256M) 9.370ms\n", time.Date(2026, 11, 23, 1, 2, 4, 0, time.UTC)); len(late) != 0 {
		t.Errorf("%+v is earlier than what was asked for", late)
	}
}
