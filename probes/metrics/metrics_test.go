package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// serve is a metrics endpoint that a test answers for.
func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// look runs the probe once.
func look(t *testing.T, target *probe.Target) (map[string]fact.Observation, error) {
	t.Helper()
	return lookWithin(t, target, 20*time.Second)
}

// lookWithin is look with a deadline.
func lookWithin(t *testing.T, target *probe.Target, most time.Duration) (map[string]fact.Observation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	seen, err := Endpoints.Observe(ctx, target)
	by := map[string]fact.Observation{}
	for _, o := range seen {
		by[o.Key.Name+" on "+o.Subject.String()] = o
	}
	return by, err
}

func targetOf(urls ...string) *probe.Target {
	return &probe.Target{MetricsURLs: urls, Ledger: &probe.Ledger{}, Version: "test"}
}

// TestWhose: the broker is known from the metrics, from the operator, from being
// the only one here; else the address stands for it.
func TestWhose(t *testing.T) {
	with := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(scrapeOf(t, "431")) })
	without := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, dialects["Strimzi's rules"]) })
	host := strings.TrimPrefix(without, "http://")
	here := []fact.LocalBroker{{NodeID: 7, PID: os.Getpid(), Running: true}}
	for _, test := range []struct {
		url, want string
		brokers   []fact.LocalBroker
	}{
		{with, "broker 1", nil},
		{with + "/metrics", "broker 1", here},
		{"5=" + without, "broker 5", here},
		{without, "broker 7", here},
		{without, "broker " + host, nil},
		{without, "broker " + host, []fact.LocalBroker{{NodeID: 7}, {NodeID: 8}}},
	} {
		target := targetOf(test.url)
		target.SetBrokers(test.brokers)
		seen, err := look(t, target)
		if o, ok := seen["metrics.isr.shrinks on "+test.want]; err != nil || !ok || o.Value == nil || o.At.IsZero() {
			t.Errorf("%s: error %v, not on %s: %v", test.url, err, test.want, len(seen))
		}
	}
}

// TestUnexportedIsUnknown, never 0.
func TestUnexportedIsUnknown(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, dialects["Bitnami's rules"]) })
	seen, err := look(t, targetOf("1="+url))
	o := seen["metrics.log.flush on broker 1"]
	if err != nil || o.Because == nil || o.Because.Reason != fact.Absent || !strings.Contains(o.Because.Detail, "not exported by "+url) {
		t.Errorf("%+v, error %v", o, err)
	}
	if len(seen) != len(keys) {
		t.Errorf("%d of %d keys answered", len(seen), len(keys))
	}
}

func TestNoEndpoint(t *testing.T) {
	seen, err := look(t, targetOf())
	o := seen["metrics.isr.shrinks on broker *"]
	if err != nil || o.Because == nil || o.Because.Reason != fact.Absent || !strings.Contains(o.Because.How, "--metrics-url") {
		t.Errorf("%+v, error %v", o, err)
	}
}

// TestBadEndpoints: each is unknown with its reason, and no password is told.
func TestBadEndpoints(t *testing.T) {
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("a redirection to another host was followed") })
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		reason fact.Reason
		detail string
	}{
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+"/metrics", http.StatusFound)
		}, fact.Unreadable, "not followed"},
		{"loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/metrics", http.StatusFound) }, fact.Unreadable, "without end"},
		{"unauthorized", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusUnauthorized) }, fact.NotAllowed, "401"},
		{"missing", http.NotFound, fact.Unreadable, "404"},
		{"page", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>kafka_server</html>") }, fact.Unreadable, "web page"},
		{"slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fact.TimedOut, ""},
		{"cut", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "kafka_server_replicamanager_isrshrinks_total 5\n")
		}, "", ""},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			line := []byte(strings.Repeat("kafka_x 1\n", 1<<16))
			for {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		}, fact.Unreadable, "more than 64 MiB"},
	} {
		url := strings.Replace(serve(t, test.answer), "http://", "http://admin:s3cret@", 1) + "/metrics?token=s3cret"
		target := targetOf("3=" + url)
		most := 20 * time.Second // 64 MiB take a while on a crowded machine
		if test.reason == fact.TimedOut {
			most = 300 * time.Millisecond
		}
		seen, err := lookWithin(t, target, most)
		o := seen["metrics.isr.shrinks on broker 3"]
		if err == nil || o.Because == nil || test.reason != "" && o.Because.Reason != test.reason || !strings.Contains(o.Because.Detail, test.detail) {
			t.Errorf("%s: %v, error %v", test.name, o.Because, err)
		}
		if all := fmt.Sprint(seen, err, target.Ledger.Entries()); strings.Contains(all, "s3cret") || strings.Contains(all, "admin") {
			t.Errorf("%s: a secret is told: %s", test.name, all)
		}
	}
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	if _, err := look(t, targetOf(dead.URL)); err == nil || probe.Because(err).Reason != fact.Unreachable {
		t.Errorf("refused: %v", err)
	}
}

// TestLeftAlone: the second scrape may follow at once, the third may not.
func TestLeftAlone(t *testing.T) {
	asked := 0
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { asked++; fmt.Fprint(w, dialects["Strimzi's rules"]) })
	target := targetOf(url)
	for i := range 5 {
		seen, err := look(t, target)
		if err != nil || (len(seen) > 0) != (i < 2) {
			t.Errorf("look %d: %d facts, error %v", i, len(seen), err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times, want 2", asked)
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://b1:7071":                 "-1 http://b1:7071/metrics",
		"3=http://b1:7071/x":             "3 http://b1:7071/x",
		"https://u:p@b1/metrics?x=1":     "-1 https://b1/metrics",
		"http://[::1]:8778/jolokia":      "-1 http://[::1]:8778/jolokia",
		"http://b1/metrics?broker=3":     "-1 http://b1/metrics",
		"b1:7071":                        "",
		"ftp://b1/metrics":               "",
		"http://":                        "",
		"http://user:s3cret@b1:port/":    "",
		"http://user:s3cret%zz@b1:7071/": "",
	} {
		node, u, err := ParseURL(text)
		got := ""
		if err == nil {
			got = fmt.Sprint(node, " ", shown(u))
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a secret is told: %v", text, err)
		}
		if got != want {
			t.Errorf("%s: %q, error %v, want %q", text, got, err, want)
		}
	}
}

func TestAgents(t *testing.T) {
	for option, want := range map[string]string{
		"-javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar=7071:/etc/kafka.yml":           "http://127.0.0.1:7071/metrics",
		"-javaagent:/opt/jmx_prometheus_javaagent.jar=0.0.0.0:7071:/etc/a:b.yml":           "http://127.0.0.1:7071/metrics",
		"-javaagent:/opt/jmx_prometheus_javaagent-0.20.0.jar=10.0.0.5:9404:/etc/kafka.yml": "http://10.0.0.5:9404/metrics",
		"-javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar=[::1]:9404:/etc/kafka.yml":     "http://[::1]:9404/metrics",
		"-javaagent:/opt/jolokia-jvm.jar=port=8779,host=0.0.0.0":                           "http://127.0.0.1:8779/jolokia",
		"-javaagent:/opt/jolokia-jvm.jar":                                                  "http://127.0.0.1:8778/jolokia",
		"-javaagent:/opt/apm.jar=9000":                                                     "",
		"-javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar":                               "",
		"-Xmx1g": "",
	} {
		e, ok := agent(option)
		got := ""
		if ok {
			got = shown(e.url)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", option, got, want)
		}
	}
}

// TestAgentOfABrokerHere is found by the broker's own command line, and named
// once where the operator names it too.
func TestAgentOfABrokerHere(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "proc", "4711")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, dialects["Strimzi's rules"]) })
	port := url[strings.LastIndexByte(url, ':')+1:]
	command := strings.Join([]string{"java", "-Xmx1g", "-javaagent:/opt/jmx_prometheus_javaagent-1.0.1.jar=" + port + ":/etc/k.yml", "-cp", "x", "kafka.Kafka", "/etc/server.properties"}, "\x00") + "\x00"
	if err := os.WriteFile(filepath.Join(dir, "cmdline"), []byte(command), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, urls := range [][]string{nil, {url}} {
		target := targetOf(urls...)
		target.Root = root
		target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: 4711, Running: true}, {NodeID: 3, PID: 4712, Running: true}})
		seen, err := look(t, target)
		if o := seen["metrics.isr.shrinks on broker 2"]; err != nil || o.Value != 5.0 || len(seen) != len(keys) {
			t.Errorf("%v: %+v, %d facts, error %v", urls, o, len(seen), err)
		}
	}
}
