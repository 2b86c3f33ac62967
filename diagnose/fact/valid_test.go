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
		`{"k":"kafka.topic.configs","s":"cluster","v":{"topics":["t"],"min_isr":[1],"min_isr_source":["D"],"unclean":[false],"others":[{"name":"retention.ms","of":[]}]}}`:                                         "retention.ms has 0 entries",
		`{"k":"kafka.broker.apis","s":"broker 1","v":{"key":[3],"min":[0],"max":[]}}`:                                                                                                                              "for 1 keys",
		`{"k":"kafka.reassignments","s":"cluster","v":{"topic":["t"],"partition":[0],"replicas":{"e":[0]},"adding":{"e":[]},"removing":{"e":[0]}}}`:                                                                "for 1 partitions",
		`{"k":"kafka.transactions","s":"cluster","v":{"id":["t"],"producer":[0],"epoch":[0],"state":["Ongoing"],"coordinator":[1],"started":["2026-11-25T00:00:00Z"],"timeout":[1],"partitions":[]}}`:              "partitions has 0 entries",
		`{"k":"kafka.producers","s":"cluster","v":{"topic":["t"],"partition":[0],"producer":[1],"epoch":[1],"last_sequence":[1],"coordinator_epoch":[1],"last_write":[],"started":[1]}}`:                           "last_write has 0 entries",
		`{"k":"kafka.group.roster","s":"group g","v":{"members":[{"id":"m"}],"subscribed":{"e":[0]},"topic":{"e":[1],"i":[0]},"partition":{"e":[1],"i":[0]}}}`:                                                     "topic index 0, 0 topics",
		`{"k":"kafka.group.roster","s":"group g","v":{"members":[{"id":"m"}],"topics":["t"],"subscribed":{"e":[0]},"topic":{"e":[1],"i":[0]},"partition":{"e":[0],"i":[]}}}`:                                       "unequal number",
		`{"k":"kafka.group.offsets","s":"group g","v":{"topic":["t"],"partition":[0],"committed":[1],"log_start":[0],"log_end":[1],"last_stable":[1],"commit_epoch":[1,2]}}`:                                       "commit_epoch has 2 entries",
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
