//go:build lab || labmore

package kafka_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// secured is a real cluster whose broker 2 has more listeners than the others.
type secured struct {
	*lab.Cluster
	at map[string]string // addresses of broker 2 by name of listener
}

// startSecured starts a cluster and then broker 2 anew with more listeners:
// names and their protocols, and settings of them.
func startSecured(t *testing.T, jvm []string, listeners map[string]string, settings map[string]string) secured {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Owner: "test", Shape: lab.Shape{JVM: map[int32][]string{2: jvm}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	s := secured{c, map[string]string{}}
	n := c.Node(2)
	if err := n.End(ctx, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(n.Dir, "server.properties")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, name := range slices.Sorted(maps.Keys(listeners)) {
		s.at[name] = freePort(t)
		for i, line := range lines {
			switch key, _, _ := strings.Cut(line, "="); key {
			case "listeners", "advertised.listeners":
				lines[i] += "," + name + "://" + s.at[name]
			case "listener.security.protocol.map":
				lines[i] += "," + name + ":" + listeners[name]
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		lines = append(lines, key+"="+settings[key])
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(ctx, 2); err != nil {
		t.Fatal(err)
	}
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// reach is how far client properties come at an address; where they come all the
// way, metadata must be told too.
func reach(t *testing.T, address string, properties map[string]string) fact.Reach {
	t.Helper()
	target := &probe.Target{Bootstrap: []string{address}, ClientConfig: properties, Timeout: 5 * time.Second, Version: "test", Ledger: &probe.Ledger{}}
	defer target.Close()
	ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
	defer cancel()
	seen, err := kafka.Reach.Observe(ctx, target)
	if err != nil {
		return fact.Reach{Detail: "no reach: " + err.Error()}
	}
	for _, o := range seen {
		r, ok := o.Value.(fact.Reach)
		if !ok || r.Address != address {
			continue
		}
		if r.Outcome == fact.Answered {
			if _, err := kafka.Metadata.Observe(ctx, target); err != nil {
				t.Errorf("%s: metadata: %v", address, err)
			}
		}
		return r
	}
	return fact.Reach{Detail: fmt.Sprintf("not among %+v", seen)}
}

// arrives fails unless the properties open the way to an address.
func arrives(t *testing.T, what, address string, properties map[string]string) {
	t.Helper()
	if r := reach(t, address, properties); r.Outcome != fact.Answered {
		t.Errorf("%s: %+v", what, r)
	} else {
		t.Logf("%-40s answered after %.3f s", what, r.Seconds)
	}
}

// fails fails unless the way ends at a step, in words.
func fails(t *testing.T, what, address string, properties map[string]string, step fact.Step, words string) {
	t.Helper()
	r := reach(t, address, properties)
	if r.Step != step || r.Outcome == fact.Answered || !strings.Contains(r.Detail, words) {
		t.Errorf("%s: %+v, step %s and %q are expected", what, r, step, words)
	}
	t.Logf("%-40s %s %s: %s", what, r.Step, r.Outcome, r.Detail)
}

func with(m map[string]string, more ...string) map[string]string {
	m = maps.Clone(m)
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

func loginOf(module, options string) string {
	return "org.apache.kafka.common.security." + module + " required " + options + ";"
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata/stores", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
