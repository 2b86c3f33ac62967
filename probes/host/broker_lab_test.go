//go:build lab

package host_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/probe"
)

// lookAtAll runs every probe of the host and returns what they saw; a probe that
// fails fails the test.
func lookAtAll(t *testing.T, target *probe.Target) map[string]fact.Observation {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	by := map[string]fact.Observation{}
	for _, p := range host.Probes {
		seen, err := p.Observe(ctx, target)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		for _, o := range seen {
			by[o.Key.Name+" on "+o.Subject.String()] = o
		}
	}
	return by
}

// A real broker in a network namespace of its own, with clients: what is seen of it
// agrees with ss in that namespace and with the kernel's files.
func TestLabBrokerInItsNamespace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c, err := lab.Start(ctx, lab.Options{Owner: "test", Shape: lab.Shape{Namespaces: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	if err := c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 6, Replication: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Produce(ctx, "orders", 200, 300); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Consume(ctx, "readers", "orders", 0); err != nil {
		t.Fatal(err)
	}
	n := c.Node(2)
	target := &probe.Target{PID: n.PID()}
	t.Cleanup(func() { target.Close() })
	first := lookAtAll(t, target)
	time.Sleep(3 * time.Second)
	second := lookAtAll(t, target)
	number := func(seen map[string]fact.Observation, what string) float64 {
		t.Helper()
		v, ok := seen[what].Value.(float64)
		if !ok {
			t.Errorf("%s is not known: %v", what, seen[what].Because)
		}
		return v
	}
	for _, what := range []string{
		"host.process.cpu", "host.process.runqueue", "host.process.io.read.chars", "host.process.io.write.chars", "host.process.io.write.bytes", "host.tcp.segments.out",
	} {
		if a, b := number(first, what+" on process 2"), number(second, what+" on process 2"); b <= a {
			t.Errorf("%s stands at %v while records are written and read", what, b)
		}
	}
	if b, a := number(second, "host.net.tx.bytes on device 2:eth0"), number(first, "host.net.tx.bytes on device 2:eth0"); b <= a {
		t.Errorf("nothing was sent by eth0 of the broker")
	}
	pid := strconv.Itoa(n.PID())
	maps, err := os.ReadFile("/proc/" + pid + "/maps")
	if lines := float64(bytes.Count(maps, []byte("\n"))); err != nil || number(second, "host.process.maps on process 2") < lines-50 || number(second, "host.process.maps on process 2") > lines+50 {
		t.Errorf("%v maps, %v lines, error %v", second["host.process.maps on process 2"].Value, lines, err)
	}
	table := second["host.sockets on process 2"].Value.(fact.SocketTable)
	out, err := exec.Command("nsenter", "-t", pid, "-n", "ss", "-Htan", "state", "established").Output()
	if err != nil {
		t.Fatal(err)
	}
	// A client may connect between the two.
	if ss, seen := float64(strings.Count(string(out), "\n")), number(second, "host.sockets.established on process 2"); seen < 4 || seen < ss-3 || seen > ss+3 {
		t.Errorf("%v established, ss says %v", seen, ss)
	}
	var listens, meets bool
	for _, l := range table.Listeners {
		listens = listens || strings.HasSuffix(l.Address, ":"+strconv.Itoa(n.Port)) && l.Limit > 0
	}
	host, _, _ := strings.Cut(c.Node(1).Address(), ":")
	for _, p := range table.Peers { // it talks to node 1, as broker or as controller
		meets = meets || p.Outgoing && strings.HasPrefix(p.Address, host+":") && p.RoundTrip > 0
	}
	if !table.Owned || !table.Detailed || !listens || !meets {
		t.Errorf("%+v", table)
	}
}
