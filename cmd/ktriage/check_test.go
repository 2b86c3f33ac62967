package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// deadPorts is addresses that refuse connections.
func deadPorts(t *testing.T, n int) string {
	t.Helper()
	var all []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l.Addr().String())
		l.Close()
	}
	return strings.Join(all, ",")
}

// silentPort is an address that accepts connections and says nothing.
func silentPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
		}
	}()
	return l.Addr().String()
}

func TestAllBrokersDeadIsSaidSoon(t *testing.T) {
	addresses := deadPorts(t, 3)
	got := ktriage(t, "check", "--skip", "host", "--every", "200ms", "--bootstrap-server", addresses)
	if got.took > 10*time.Second || (got.status != 1 && got.status != 3) {
		t.Errorf("exit %d after %s", got.status, got.took)
	}
	for _, address := range strings.Split(addresses, ",") {
		if !strings.Contains(strings.Join(strings.Fields(got.out), " "), address+" refuses") {
			t.Errorf("not a word of %s: %s", address, got.out)
		}
	}
}

func TestSilentBrokersCannotHoldUpACheck(t *testing.T) {
	got := ktriage(t, "check", "--skip", "host", "--bootstrap-server", silentPort(t)+","+silentPort(t), "--timeout", "500ms", "--deadline", "4s", "--every", "100ms")
	if got.took > 5*time.Second || (got.status != 1 && got.status != 3) {
		t.Errorf("exit %d after %s: %s%s", got.status, got.took, got.out, got.err)
	}
}

// TestFlagsOnADeadDisk names log dirs whose disk answers nothing.
func TestFlagsOnADeadDisk(t *testing.T) {
	stop := make(chan struct{})
	stat = func(string) (os.FileInfo, error) { <-stop; return nil, os.ErrNotExist }
	defer func() { stat = os.Stat; close(stop) }()
	began := time.Now()
	s := &settings{logDirs: []string{"/a", "/b", "/c"}, kafkaLogs: "/d"}
	if err := s.readFiles(); err != nil {
		t.Errorf("a dead disk is called a mistake: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestOneNodeIDTwice has brokers of two clusters with one node id: which is meant
// nobody can say.
func TestOneNodeIDTwice(t *testing.T) {
	target := &probe.Target{}
	if err := ambiguous(target); err != nil {
		t.Error(err)
	}
	target.SetRivals([]fact.LocalBroker{{NodeID: 1, PID: 11, Config: "/a/s.properties"}, {NodeID: 1, PID: 12, Config: "/b/s.properties"}})
	err := ambiguous(target)
	if !errors.As(err, new(usage)) || !strings.Contains(err.Error(), "broker 1: --pid 11 (/a/s.properties), broker 1: --pid 12 (/b/s.properties)") {
		t.Errorf("%v", err)
	}
}

func TestCheckOfALivingCluster(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	got := ktriage(t, "check", "--skip", "host", "--bootstrap-server", strings.Join(cluster.ListenAddrs(), ","), "--every", "200ms", "-o", "json")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.out))
	if err != nil {
		t.Fatalf("%v: exit %d, %s%s", err, got.status, got.out, got.err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/check.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%v in %s", err, got.out)
	}
	var said struct {
		Cluster struct {
			Brokers []struct {
				ID        int
				Reachable bool
			}
		}
		Probes []struct{ Name, Status string }
	}
	if err := json.Unmarshal([]byte(got.out), &said); err != nil {
		t.Fatal(err)
	}
	if len(said.Cluster.Brokers) != 3 || !said.Cluster.Brokers[0].Reachable {
		t.Errorf("brokers %+v", said.Cluster.Brokers)
	}
	how := map[string]string{}
	for _, p := range said.Probes {
		how[p.Name] = p.Status
	}
	for name, want := range map[string]string{"kafka.reach": "ok", "kafka.metadata": "ok", "host.usage": "not-asked", "jvm.perf": "skipped"} {
		if how[name] != want {
			t.Errorf("probe %s is %q, want %q", name, how[name], want)
		}
	}
}

func TestAuditListsWhatWasSent(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	got := ktriage(t, "audit", "--only", "kafka.metadata", "--bootstrap-server", strings.Join(cluster.ListenAddrs(), ","))
	if got.status != 0 || !strings.Contains(got.out, "request") || !strings.Contains(got.out, "Metadata") {
		t.Errorf("exit %d, %s%s", got.status, got.out, got.err)
	}
}
