package fact

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestColumnsOfUnequalLengthAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		`{"k":"kafka.metadata","s":"broker 1","v":{"topics":["a"],"internal":[false],"topic":[0],"partition":[0],"leader":[],"epoch":[0],"error":[0],"replicas":{"e":[0]},"isr":{"e":[0]},"offline":{"e":[0]}}}`:   "leader has 0 entries, 1 partitions",
		`{"k":"kafka.metadata","s":"broker 1","v":{"topics":["a"],"internal":[false],"topic":[7],"partition":[0],"leader":[1],"epoch":[0],"error":[0],"replicas":{"e":[0]},"isr":{"e":[0]},"offline":{"e":[0]}}}`:  "topic index 7",
		`{"k":"kafka.group.offsets","s":"group g","v":{"topic":["t"],"partition":[0],"committed":[1],"log_start":[0],"log_end":[],"last_stable":[5]}}`:                                                             "log_end has 0 entries",
		`{"k":"kafka.topic.configs","s":"cluster","v":{"topics":["t"],"min_isr":[1],"min_isr_source":[],"unclean":[false]}}`:                                                                                       "0 and 1 entries for 1 topics",
		`{"k":"kafka.eligible-leaders","s":"cluster","v":{"topic":["t"],"partition":[0],"elr":{"e":[0]},"last_known":{"e":[]}}}`:                                                                                   "for 1 partitions",
		`{"k":"kafka.metadata","s":"broker 1","v":{"topics":["a"],"internal":[false],"topic":[0],"partition":[0],"leader":[1],"epoch":[0],"error":[0],"replicas":{"e":[0]},"isr":{"e":[0]},"offline":{"e":[0]}}} `: "",
	} {
		var o Observation
		err := json.Unmarshal([]byte(line), &o)
		if want == "" {
			if err != nil {
				t.Errorf("a good view: %v", err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", line, err, want)
		}
	}
}
