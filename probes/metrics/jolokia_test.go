package metrics

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// answers is what Jolokia says to some reads, in both orders of properties that
// its versions write.
var answers = map[string]string{
	"kafka.server:type=BrokerTopicMetrics,name=*":                          `{"request":{"mbean":"kafka.server:name=*,type=BrokerTopicMetrics","type":"read"},"value":{"kafka.server:name=MessagesInPerSec,type=BrokerTopicMetrics":{"Count":100,"OneMinuteRate":1.5,"EventType":"messages","RateUnit":"SECONDS"}},"timestamp":1795399100,"status":200}`,
	"kafka.network:type=RequestMetrics,request=Produce,*":                  `{"request":{"mbean":"kafka.network:request=Produce,type=RequestMetrics,*"},"value":{"kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Produce":{"Count":12,"Mean":6,"50thPercentile":4.0,"99thPercentile":250.0,"Max":900}},"status":200}`,
	"kafka.server:type=ReplicaManager,*":                                   `{"request":{"mbean":"kafka.server:type=ReplicaManager,*"},"value":{"kafka.server:name=IsrShrinksPerSec,type=ReplicaManager":{"Count":5},"kafka.server:name=UnderReplicatedPartitions,type=ReplicaManager":{"Value":7}},"status":200}`,
	"kafka.log:type=LogManager,name=OfflineLogDirectoryCount":              `{"request":{"mbean":"kafka.log:name=OfflineLogDirectoryCount,type=LogManager"},"value":{"Value":1},"status":200}`,
	"kafka.log:type=LogCleanerManager,name=uncleanable-partitions-count,*": `{"request":{"mbean":"kafka.log:type=LogCleanerManager,*"},"value":{"kafka.log:type=LogCleanerManager,name=uncleanable-partitions-count,logDirectory=\"/d/1,2\"":{"Value":3},"kafka.log:type=LogCleanerManager,name=uncleanable-partitions-count,logDirectory=\"/d/3\"":{"Value":1}},"status":200}`,
	"kafka.server:type=socket-server-metrics,*":                            `{"request":{"mbean":"kafka.server:type=socket-server-metrics,*"},"value":{"kafka.server:listener=PLAINTEXT,networkProcessor=0,type=socket-server-metrics":{"connection-count":4.0,"connection-creation-total":9.0},"kafka.server:listener=PLAINTEXT,networkProcessor=1,type=socket-server-metrics":{"connection-count":2.0,"connection-creation-total":1.0}},"status":200}`,
	"kafka.server:type=Produce,*":                                          `{"request":{"mbean":"kafka.server:type=Produce,*"},"value":{"kafka.server:client-id=loader,type=Produce":{"byte-rate":20000,"throttle-time":594.8}},"status":200}`,
	"kafka.server:type=app-info,*":                                         `{"request":{"mbean":"kafka.server:type=app-info,*"},"value":{"kafka.server:id=4,type=app-info":{"start-time-ms":1795399105695}},"status":200}`,
}

// jolokia answers like the agent; anything but GET fails the test.
func jolokia(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		bean, ok := strings.CutPrefix(r.URL.Path, "/jolokia/read/")
		if r.Method != http.MethodGet || !ok {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		if answer, known := answers[bean]; known {
			fmt.Fprint(w, answer)
			return
		}
		fmt.Fprint(w, `{"request":{"mbean":"x"},"error_type":"javax.management.InstanceNotFoundException","error":"javax.management.InstanceNotFoundException : x","status":404}`)
	}
}

func TestJolokia(t *testing.T) {
	seen, err := look(t, targetOf(serve(t, jolokia(t))+"/jolokia/"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"metrics.topics.messages-in": "100", "metrics.isr.shrinks": "5", "metrics.partitions.under-replicated": "7", "metrics.log.offline-dirs": "1", "metrics.log.uncleanable": "4",
		"metrics.connections.open": "6", "metrics.connections.made": "10", "metrics.throttled": "{1 [{produce  loader 0.5948}]}",
		"metrics.requests.times": "[{Produce 12 map[total:map[max:0.9 mean:0.006 p50:0.004 p99:0.25]]}]",
	} {
		if got := fmt.Sprint(seen[key+" on broker 4"].Value); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}

func TestJolokiaRefuses(t *testing.T) {
	for answer, want := range map[string]fact.Reason{
		`{"request":{"mbean":"x"},"status":403,"error":"denied"}`: fact.NotAllowed,
		`{"request":{"mbean":"x"},"status":500,"error":"boom"}`:   fact.Unreadable,
		`{"request":{"mbean":"x:*"},"value":[1],"status":200}`:    fact.Unreadable,
		`nothing`:                                fact.Unreadable,
		`{"request":{"mbean":"x"},"status":404}`: fact.Unreadable, // no Kafka in this JVM
	} {
		_, err := look(t, targetOf(serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answer) })+"/jolokia"))
		if err == nil || probe.Because(err).Reason != want {
			t.Errorf("%s: error %v, want %s", answer, err, want)
		}
	}
}

func FuzzJolokia(f *testing.F) {
	for _, answer := range answers {
		f.Add([]byte(answer))
	}
	f.Add([]byte(`{"request":{"mbean":"java.lang:type=Runtime","attribute":"StartTime"},"value":1795399100586,"status":200}`))
	f.Add([]byte(`{"request":{"mbean":"kafka.server:type=Produce"},"value":{"throttle-time":1e999},"status":200}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseJolokia(b, map[string]bool{})
		if err == nil {
			facts(all)
		}
	})
}
