package kafka

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// fake is a cluster in this process.
func fake(t *testing.T, o ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.SeedTopics(6, "orders", "plays")}, o...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// aim is a target with a short timeout, closed with the test.
func aim(t *testing.T, addresses ...string) *probe.Target {
	t.Helper()
	target := &probe.Target{Bootstrap: addresses, Timeout: time.Second, Version: "test", Now: time.Now, Ledger: &probe.Ledger{}}
	t.Cleanup(func() { target.Close() })
	return target
}

// seen is what one run of a probe observed.
type seen []fact.Observation

func look(t *testing.T, target *probe.Target, p *probe.Probe) (seen, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), target.Timeout)
	defer cancel()
	return p.Observe(ctx, target)
}

// must is look without an error.
func must(t *testing.T, target *probe.Target, p *probe.Probe) seen {
	t.Helper()
	s, err := look(t, target, p)
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	return s
}

// of is the observation of a key on a subject; a test that wants it fails
// without it.
func (s seen) of(t *testing.T, key fact.Key, subject fact.Subject) fact.Observation {
	t.Helper()
	var found []fact.Observation
	for _, o := range s {
		if o.Key == key.Def() && o.Subject == subject {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s on %s: %d observations in %s", key.Def().Name, subject, len(found), s)
	}
	return found[0]
}

func value[T any](t *testing.T, s seen, key fact.Of[T], subject fact.Subject) T {
	t.Helper()
	o := s.of(t, key, subject)
	v, ok := o.Value.(T)
	if !ok {
		t.Fatalf("%s on %s: unknown, %s", key.Def().Name, subject, o.Because)
	}
	return v
}

// unknown is why a key is unknown on a subject.
func (s seen) unknown(t *testing.T, key fact.Key, subject fact.Subject) *fact.Unknown {
	t.Helper()
	o := s.of(t, key, subject)
	if o.Because == nil {
		t.Fatalf("%s on %s: %v, unknown is expected", key.Def().Name, subject, o.Value)
	}
	return o.Because
}

func (s seen) String() string {
	var b strings.Builder
	for _, o := range s {
		b.WriteString(o.Key.Name + " " + o.Subject.String() + "; ")
	}
	return b.String()
}

// subjects is the names of the brokers that a key was observed on.
func (s seen) subjects(key fact.Key) []string {
	var all []string
	for _, o := range s {
		if o.Key == key.Def() {
			all = append(all, o.Subject.Name)
		}
	}
	return all
}

// listen serves every connection to a new loopback port with a function.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { close(done); l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				go func() { <-done; c.Close() }()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// closedPort is an address that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func hostPort(t *testing.T, address string) (string, int32) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, int32(n)
}

// answerOnlyForItself makes every broker refuse to tell the settings of the
// others, as Kafka does.
func answerOnlyForItself(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.DescribeConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, asked := range r.(*kmsg.DescribeConfigsRequest).Resources {
			one := kmsg.NewDescribeConfigsResponseResource()
			one.ResourceType, one.ResourceName = asked.ResourceType, asked.ResourceName
			if asked.ResourceName != strconv.Itoa(int(cluster.CurrentNode())) {
				one.ErrorCode = kerr.InvalidRequest.Code
			}
			answer.Resources = append(answer.Resources, one)
		}
		return answer, nil, true
	})
}
