package host

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// node puts a formatted log dir with its properties file under root.
func node(t *testing.T, root, config, dir, cluster string, id string, used time.Time) {
	t.Helper()
	mustWrite(t, filepath.Join(root, config), "process.roles=broker\nnode.id="+id+"\nlisteners=PLAINTEXT://:9092\nlog.dirs="+root+dir+"\n")
	mustWrite(t, filepath.Join(root, dir, "meta.properties"), "version=1\nnode.id="+id+"\ncluster.id="+cluster+"\n")
	checkpoint := filepath.Join(root, dir, "recovery-point-offset-checkpoint")
	mustWrite(t, checkpoint, "0\n0\n")
	if err := os.Chtimes(checkpoint, used, used); err != nil {
		t.Fatal(err)
	}
}

// A broker that halted takes its perf data along. Its properties are where
// properties are, and its log dir was in use an hour ago.
func TestBrokersThatEndedWithoutATrace(t *testing.T) {
	root := t.TempDir()
	recent := time.Now().Add(-time.Hour)
	node(t, root, "/opt/kafka/config/server.properties", "/data/usual", "c", "1", recent)
	node(t, root, "/srv/elsewhere/broker.properties", "/data/unit", "c", "2", recent)
	mustWrite(t, root+"/etc/systemd/system/kafka.service", "[Service]\nEnvironment=KAFKA_HEAP_OPTS=-Xmx1g \"LOG_DIR=/srv/logs\"\nExecStart=/srv/kafka/bin/kafka-server-start.sh \""+root+"/srv/elsewhere/broker.properties\"\n")
	node(t, root, "/etc/kafka/retired.properties", "/data/retired", "c", "3", time.Now().Add(-30*24*time.Hour))
	mustWrite(t, root+"/etc/kafka/sample.properties", "broker.id=0\nlog.dirs=/data/never-formatted\n")
	mustWrite(t, root+"/opt/kafka/logs/server.log", "x\n")

	nodes := func(all []found) (ids []int32) {
		for _, f := range all {
			ids = append(ids, f.NodeID)
		}
		return ids
	}
	target := &probe.Target{Root: root}
	got := beside(target, nil, units(target))
	if ids := nodes(got); !slices.Equal(ids, []int32{1, 2}) {
		t.Fatalf("found brokers %v, want 1 (usual place) and 2 (unit file): not one retired, not a sample", ids)
	}
	if b := got[0]; b.Running || b.LogsDir != root+"/opt/kafka/logs" || b.LogDirs[0] != root+"/data/usual" || len(b.Listeners) != 1 {
		t.Errorf("broker 1: %+v", b)
	}

	if b := got[1]; b.LogsDir != root+"/srv/logs" {
		t.Errorf("the logs of broker 2 are said to be in %q, want those of its unit file", b.LogsDir)
	}
	// Named by its properties file, a broker that is down has its logs too.
	down := &probe.Target{Root: root, BrokerConfig: root + "/opt/kafka/config/server.properties"}
	named, err := configured(down, units(down))
	if err != nil || named.NodeID != 1 || named.LogsDir != root+"/opt/kafka/logs" {
		t.Errorf("--broker-config: %+v, %v", named, err)
	}

	// With a broker that runs, only its own cluster counts, and what lies beside it.
	node(t, root, "/srv/kafka/b7/server.properties", "/data/b7", "mine", "7", recent)
	node(t, root, "/srv/kafka/b8/server.properties", "/data/b8", "mine", "8", recent)
	mustWrite(t, root+"/srv/kafka/b8/logs/server.log", "x\n")
	running := []found{{LocalBroker: fact.LocalBroker{NodeID: 7, Running: true, Config: root + "/srv/kafka/b7/server.properties", LogDirs: []string{root + "/data/b7"}}}}
	got = beside(target, running, units(target))
	if ids := nodes(got); !slices.Equal(ids, []int32{8}) || got[0].LogsDir != root+"/srv/kafka/b8/logs" {
		t.Errorf("beside broker 7: %+v, want broker 8 of the same cluster", got)
	}
}
