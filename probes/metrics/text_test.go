package metrics

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// scrapeOf is what a real exporter answered for a real broker.
func scrapeOf(t testing.TB, version string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "jmx_exporter-1.0.1.kafka-"+version+".txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func parsed(t testing.TB, text []byte) map[*fact.Def]any {
	t.Helper()
	all, err := parseText(text)
	if err != nil {
		t.Fatal(err)
	}
	return facts(all)
}

// TestRealExporter: no rules at all, the name of the metric is a label. The
// numbers stand in the file, to be found with grep.
func TestRealExporter(t *testing.T) {
	text := scrapeOf(t, "431")
	found := parsed(t, text)
	for k, want := range map[fact.Key]float64{
		fact.MetricHandlerIdle: 0.9987826997203967, fact.MetricHandlerIdleSeconds: 1675.774071538,
		fact.MetricNetworkIdle: 0.9940552962170809, fact.MetricNetworkLeastIdle: 0.9893968204542448,
		fact.MetricISRExpands: 142, fact.MetricISRShrinks: 0, fact.MetricAtMinISR: 1, fact.MetricActiveController: 1,
		fact.MetricMessagesIn: 7993, fact.MetricBytesIn: 3046510, fact.MetricDelayedFetch: 2, fact.MetricDelayedProduce: 0,
		fact.MetricBrokerState: 3, fact.MetricStarted: 1795399093.125, fact.MetricOfflineLogDirs: 0,
	} {
		got, ok := found[k.Def()].(float64)
		if d := got - want; !ok || d > 1e-6 || d < -1e-6 {
			t.Errorf("%s is %v, want %v", k.Def().Name, found[k.Def()], want)
		}
	}
	flush := found[fact.MetricLogFlush.Def()].(fact.Timer)
	if flush.Count != 3411 || flush.Times["p99"] != 0.074786 || flush.Times["max"] != 1.822127 {
		t.Errorf("log flush %+v", flush)
	}
	produce := requestOf(t, found, "Produce")
	if produce.Count != 339 || produce.Phases[fact.PhaseTotal]["max"] != 30.004 || produce.Phases[fact.PhaseLocal]["p99"] != 0.1088 || len(produce.Phases) != 7 {
		t.Errorf("Produce %+v", produce)
	}
	errors := fmt.Sprint(found[fact.MetricErrors.Def()])
	if !strings.Contains(errors, "{Produce REQUEST_TIMED_OUT 2}") || strings.Contains(errors, "NONE") {
		t.Errorf("errors %s", errors)
	}
	all, _ := parseText(text)
	if id := nodeID(all); id != 1 {
		t.Errorf("node %d, want 1", id)
	}
	for _, k := range []fact.Key{fact.MetricThrottled} { // no quota is set
		if v, ok := found[k.Def()]; ok {
			t.Errorf("%s is %v, and is not exported", k.Def().Name, v)
		}
	}
	// A combined node before 4.2 counts handlers of both: up to 2.
	if idle := parsed(t, scrapeOf(t, "392"))[fact.MetricHandlerIdle.Def()].(float64); idle < 1.99 || idle > 2 {
		t.Errorf("3.9.2: handlers idle %v", idle)
	}
}

func requestOf(t testing.TB, found map[*fact.Def]any, name string) fact.RequestTimes {
	t.Helper()
	all, _ := found[fact.MetricRequests.Def()].([]fact.RequestTimes)
	for _, r := range all {
		if r.Request == name {
			return r
		}
	}
	t.Fatalf("no times of %s in %+v", name, all)
	return fact.RequestTimes{}
}

// dialects is the same eight numbers as each rule file writes them.
var dialects = map[string]string{
	"jmx_exporter kafka-2_0_0.yml, 0.x": `
# TYPE kafka_server_brokertopicmetrics_messagesin_total counter
kafka_server_brokertopicmetrics_messagesin_total 100.0
kafka_server_brokertopicmetrics_messagesin_total{topic="a"} 60.0
kafka_server_brokertopicmetrics_messagesin_total{topic="b"} 40.0
kafka_server_replicamanager_underreplicatedpartitions 7
kafka_server_replicamanager_isrshrinks_total 5
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.50",} 4.0
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99",} 250.0
kafka_network_requestmetrics_totaltimems_count{request="Produce",} 12.0
kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent 0.93
kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_count 9.0E9
kafka_network_socketserver_networkprocessoravgidlepercent 0.75
kafka_server_replicafetchermanager_maxlag{clientId="Replica",} 33
kafka_server_delayedoperationpurgatory_numdelayedoperations{delayedOperation="Produce",} 2
`,
	"jmx_exporter kafka-2_0_0.yml, 1.x": `
kafka_server_brokertopicmetrics_messagesin_total 100.0
kafka_server_replicamanager_underreplicatedpartitions 7
kafka_server_replicamanager_isrshrinks_total 5
kafka_network_requestmetrics_totaltimems{quantile="0.50",request="Produce"} 4.0
kafka_network_requestmetrics_totaltimems{quantile="0.99",request="Produce"} 250.0
kafka_network_requestmetrics_totaltimems_count_total{request="Produce"} 12.0
kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_count_total 9.0E9
kafka_network_socketserver_networkprocessoravgidlepercent 0.75
kafka_server_replicafetchermanager_maxlag{clientId="Replica"} 33
kafka_server_delayedoperationpurgatory_numdelayedoperations{delayedOperation="Produce"} 2
`,
	"Strimzi's rules": `
kafka_server_brokertopicmetrics_messagesin_total 100.0
kafka_server_replicamanager_underreplicatedpartitions 7
kafka_server_replicamanager_isrshrinks_total 5
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.50"} 4.0
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99"} 250.0
kafka_network_requestmetrics_totaltimems_count{request="Produce"} 12.0
kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_count 9.0E9
kafka_network_socketserver_networkprocessoravgidle_percent 0.75
kafka_server_replicafetchermanager_maxlag{clientId="Replica"} 33
kafka_server_delayedoperationpurgatory_numdelayedoperations{delayedOperation="Produce"} 2
`,
	"Strimzi's reporter": `
# TYPE kafka_server_brokertopicmetrics_messagesinpersec_total counter
kafka_server_brokertopicmetrics_messagesinpersec_total 100.0
kafka_server_replicamanager_underreplicatedpartitions 7
kafka_server_replicamanager_isrshrinkspersec_total 5
# TYPE kafka_network_requestmetrics_totaltimems summary
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.5"} 4.0
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99"} 250.0
kafka_network_requestmetrics_totaltimems_count{request="Produce"} 12.0
kafka_network_requestmetrics_totaltimems_sum{request="Produce"} 99.0
kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_total 9.0E9
kafka_network_socketserver_networkprocessoravgidlepercent 0.75
kafka_server_replicafetchermanager_maxlag{clientId="Replica"} 33
kafka_server_delayedoperationpurgatory_numdelayedoperations{delayedOperation="Produce"} 2
`,
	"Bitnami's rules": `
kafka_server_brokertopicmetrics_total_messagesinpersec_count 100.0
kafka_server_brokertopicmetrics_messagesinpersec_count{topic="a"} 60.0
kafka_server_replicamanager_total_underreplicatedpartitions_value 7
kafka_server_replicamanager_total_isrshrinkspersec_count 5
kafka_server_kafkarequesthandlerpool_total_requesthandleravgidlepercent_count 9.0E9
kafka_network_requestmetrics_totaltimems_count{request="Produce"} 12.0
kafka_network_socketserver_networkprocessoravgidlepercent_value 0.75
kafka_server_replicafetchermanager_maxlag_value{client_id="Replica"} 33
`,
	"Confluent's rules": `
kafka_server_brokertopicmetrics_messagesinpersec 100.0
kafka_server_brokertopicmetrics_messagesinpersec_oneminuterate_alltopics 3.0
kafka_server_replicamanager_underreplicatedpartitions 7
kafka_server_replicamanager_isrshrinkspersec 5
kafka_network_requestmetrics_totaltimems{request="Produce"} 12.0
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.50"} 4.0
kafka_network_requestmetrics_totaltimems{request="Produce",quantile="0.99"} 250.0
kafka_server_kafkarequesthandlerpool_requesthandleravgidlepercent_oneminuterate 0.9
kafka_network_socketserver_networkprocessoravgidlepercent 0.75
kafka_server_replicafetchermanager_maxlag{clientid="Replica"} 33
kafka_server_delayedoperationpurgatory_numdelayedoperations{delayedoperation="Produce"} 2
`,
	"no rules, upper case": `
kafka_server_BrokerTopicMetrics_Count{name="MessagesInPerSec",} 100.0
kafka_server_BrokerTopicMetrics_Count{name="MessagesInPerSec",topic="a",} 60.0
kafka_server_ReplicaManager_Value{name="UnderReplicatedPartitions",} 7
kafka_server_ReplicaManager_Count{name="IsrShrinksPerSec",} 5
kafka_network_RequestMetrics_50thPercentile{name="TotalTimeMs",request="Produce",} 4
kafka_network_RequestMetrics_99thPercentile{name="TotalTimeMs",request="Produce",} 250
kafka_network_RequestMetrics_Count{name="TotalTimeMs",request="Produce",} 12
kafka_server_KafkaRequestHandlerPool_Count{name="RequestHandlerAvgIdlePercent",} 9.0E9
kafka_network_SocketServer_Value{name="NetworkProcessorAvgIdlePercent",} 0.75
kafka_server_ReplicaFetcherManager_Value{name="MaxLag",clientId="Replica",} 33
kafka_server_DelayedOperationPurgatory_Value{name="NumDelayedOperations",delayedOperation="Produce",} 2
`,
}

// TestDialects: whatever the rules call a thing, it is the same fact.
func TestDialects(t *testing.T) {
	for name, text := range dialects {
		found := parsed(t, []byte(text))
		for k, want := range map[fact.Key]float64{
			fact.MetricMessagesIn: 100, fact.MetricUnderReplicated: 7, fact.MetricISRShrinks: 5, fact.MetricNetworkIdle: 0.75, fact.MetricMaxLag: 33,
		} {
			if got, ok := found[k.Def()].(float64); !ok || got != want {
				t.Errorf("%s: %s is %v, want %v", name, k.Def().Name, found[k.Def()], want)
			}
		}
		if produce := requestOf(t, found, "Produce"); produce.Count != 12 {
			t.Errorf("%s: %v produce requests, want 12", name, produce.Count)
		} else if p := produce.Phases[fact.PhaseTotal]; name != "Bitnami's rules" && (p["p50"] != 0.004 || p["p99"] != 0.25) {
			t.Errorf("%s: total %v", name, p)
		}
		switch idle, counted := found[fact.MetricHandlerIdleSeconds.Def()]; {
		case name == "Confluent's rules":
			if found[fact.MetricHandlerIdle.Def()] != 0.9 || counted {
				t.Errorf("%s: handlers idle %v, %v", name, found[fact.MetricHandlerIdle.Def()], idle)
			}
		case idle != 9.0:
			t.Errorf("%s: handlers idle for %v s, want 9", name, idle)
		case found[fact.MetricHandlerIdle.Def()] != nil: // only a mean since the start is exported
			t.Errorf("%s: handlers idle %v", name, found[fact.MetricHandlerIdle.Def()])
		}
		if v, ok := found[fact.MetricDelayedProduce.Def()]; name != "Bitnami's rules" && v != 2.0 || name == "Bitnami's rules" && ok {
			t.Errorf("%s: delayed %v", name, v)
		}
	}
}

// TestThrottledClients: NaN is a client that never was, the mean over all
// requests hides one that is.
func TestThrottledClients(t *testing.T) {
	found := parsed(t, []byte(`kafka_server_produce_throttle_time{client_id="loader"} 594.8
kafka_server_produce_throttle_time{client_id="calm"} NaN
kafka_server_produce_byte_rate{client_id="loader"} 20000
kafka_server_fetch_throttle_time{client_id="idle",user="bob"} 0.0
kafka_server_request_throttle_time{client_id="loader",user="alice"} 1000
`))
	want := "{4 [{request alice loader 1} {produce  loader 0.5948}]}"
	if got := fmt.Sprint(found[fact.MetricThrottled.Def()]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGluedLabels(t *testing.T) {
	found := parsed(t, []byte(`kafka_network_requestmetrics_errorspersec_count{request="Produce, error=NOT_ENOUGH_REPLICAS"} 4
kafka_network_requestmetrics_errorspersec_count{request="Produce, error=NONE"} 40
`))
	if got := fmt.Sprint(found[fact.MetricErrors.Def()]); got != "[{Produce NOT_ENOUGH_REPLICAS 4}]" {
		t.Errorf("errors %s", got)
	}
}

// TestNotPrometheus: what is no metrics of a broker is unreadable, and says what
// it is instead.
func TestNotPrometheus(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "an empty answer",
		"<html><body>hello</body></html>": "a web page",
		`{"request":{},"status":200}`:     "JSON",
		"go_goroutines 5\n":               "no metric of a Kafka broker in 1 lines",
		"kafka_server_replicamanager_isrshrinks{a=":                     "line 1",
		"go_x 1\n\nkafka_server_replicamanager_isrshrinks_total five\n": "line 3",
		"SSH-2.0-OpenSSH_9.2\r\n":                                       "line 1",
	} {
		_, err := parseText([]byte(text))
		if err == nil || probe.Because(err).Reason != fact.Unreadable || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

// TestTopicsAddUp where nothing stands for all of them.
func TestTopicsAddUp(t *testing.T) {
	found := parsed(t, []byte("kafka_server_brokertopicmetrics_bytesin_total{topic=\"a\"} 6\nkafka_server_brokertopicmetrics_bytesin_total{topic=\"b\"} 4\n"))
	if got := found[fact.MetricBytesIn.Def()]; got != 10.0 {
		t.Errorf("bytes in %v, want 10", got)
	}
}

func FuzzText(f *testing.F) {
	for _, text := range dialects {
		f.Add([]byte(text))
	}
	f.Add(scrapeOf(f, "431")[:20000])
	f.Add([]byte("kafka_server_produce_throttle_time{client_id=\"\xff\"} NaN\nkafka_server_x{name=\"\\\"\"} +Inf"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := parseText(b)
		if err != nil {
			return
		}
		for k, v := range facts(all) {
			if n, ok := v.(float64); ok && n != n {
				t.Fatalf("%s is NaN", k.Name)
			}
		}
		nodeID(all)
	})
}

func BenchmarkText(b *testing.B) {
	text := scrapeOf(b, "431")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		all, err := parseText(text)
		if err != nil {
			b.Fatal(err)
		}
		facts(all)
	}
}
