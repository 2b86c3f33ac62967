//go:build lab

package preflight_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/preflight"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	bobsFile   = "bob.properties"
	aclCommand = "org.apache.kafka.tools.AclCommand" // kafka.admin.AclCommand before Kafka 4
)

// bench is a real cluster with an authorizer, and its user bob.
type bench struct {
	*lab.Cluster
	admin *kadm.Client
	bob   map[string]string // client properties
}

func login(user, password string) map[string]string {
	return map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
		"sasl.jaas.config": fmt.Sprintf(`org.apache.kafka.common.security.scram.ScramLoginModule required username="%s" password="%s";`, user, password)}
}

func startBench(t *testing.T) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shape := lab.Secured
	c, err := lab.Start(ctx, lab.Options{Owner: "test", Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for _, err := range []error{
		c.SetPassword(ctx, "bob", "SCRAM-SHA-256", "bob-word"),
		c.CreateTopic(ctx, lab.Topic{Name: "orders", Partitions: 3, Replication: 3}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Produce(ctx, "orders", 50, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Consume(ctx, "billing", "orders", 0); err != nil {
		t.Fatal(err)
	}
	openTransaction(t, c)
	return &bench{c, kadm.NewClient(client), login("bob", "bob-word")}
}

// openTransaction leaves one open, so that there is a producer to describe.
func openTransaction(t *testing.T, c *lab.Cluster) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...), kgo.TransactionalID("till-1"), kgo.TransactionTimeout(5*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) target(t *testing.T) *probe.Target {
	t.Helper()
	return &probe.Target{Bootstrap: b.BootstrapAt("SASL"), ClientConfig: b.bob, Timeout: 5 * time.Second, Version: "test", Now: time.Now, Ledger: &probe.Ledger{}}
}

// look is preflight as bob, as a new process.
func (b *bench) look(t *testing.T) preflight.Report {
	t.Helper()
	target := b.target(t)
	defer target.Close()
	return b.round(t, target)
}

func (b *bench) round(t *testing.T, target *probe.Target) preflight.Report {
	t.Helper()
	live := probes.NewLive(target, kafka.Probes, probes.LiveOptions{Deadline: 15 * time.Second})
	defer live.Close()
	batch, err := live.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return preflight.Of(batch, kafka.Probes, preflight.Words{Version: "test", Principal: kafka.Principal(b.bob),
		Connect: []string{"--bootstrap-server", strings.Join(b.BootstrapAt("SASL"), ","), "--command-config", filepath.Join(b.Dir, bobsFile)}})
}

// denials is how many lines the authorizers logged of bob.
func (b *bench) denials(t *testing.T) (lines []string) {
	t.Helper()
	for _, n := range b.Nodes {
		text, err := os.ReadFile(filepath.Join(n.LogsDir(), "kafka-authorizer.log"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "User:bob is Denied") {
				_, line, _ = strings.Cut(line, "operation = ")
				lines = append(lines, fmt.Sprintf("node %d %s", n.ID, strings.TrimSpace(line)))
			}
		}
	}
	return lines
}

// run runs a printed command as a shell does, with the rights of a super user.
func (b *bench) run(t *testing.T, command string) {
	t.Helper()
	dir := t.TempDir()
	if err := b.Script(filepath.Join(dir, "kafka-acls.sh"), aclCommand); err != nil {
		t.Fatal(err)
	}
	admin := filepath.Join(dir, "admin.properties") // the lab comes without a name, which is a super user
	if err := os.WriteFile(admin, []byte("security.protocol=PLAINTEXT\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command = strings.Replace(command, filepath.Join(b.Dir, bobsFile), admin, 1)
	command = strings.Replace(command, strings.Join(b.BootstrapAt("SASL"), ","), strings.Join(b.Bootstrap(), ","), 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", command)
	sh.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// builder is the ACL of a right.
func builder(right fact.Right) *kadm.ACLBuilder {
	operation := map[string]kadm.ACLOperation{"Describe": kadm.OpDescribe, "DescribeConfigs": kadm.OpDescribeConfigs, "Read": kadm.OpRead}[right.Operation]
	a := kadm.NewACLs().Allow("User:bob").AllowHosts("*").Operations(operation).ResourcePatternType(kadm.ACLPatternLiteral)
	switch right.Resource {
	case "cluster":
		return a.Clusters()
	case "topic":
		return a.Topics("*")
	case "group":
		return a.Groups("*")
	}
	return a.TransactionalIDs("*")
}

// The ACLs that preflight prints are enough, and each of them is needed.
func TestLabPreflight(t *testing.T) {
	b := startBench(t)

	target := b.target(t)
	defer target.Close()
	r := b.round(t, target)
	if r.Exit() != 1 || r.Principal != "User:bob" {
		t.Errorf("without ACLs: exit %d, principal %s", r.Exit(), r.Principal)
	}
	for _, right := range r.Rights {
		if right.Held == nil || *right.Held {
			t.Errorf("without ACLs: %s is %v", right.Right, right.Held)
		}
	}
	for i, p := range kafka.Probes {
		// A heavy probe is not asked unless somebody names it.
		if needs := len(kafka.Rights(p)) > 0 && p.Cost != probe.Heavy; needs != (len(r.Probes[i].Missing) > 0) {
			t.Errorf("without ACLs: %s needs %v and misses %+v", p.Name, kafka.Rights(p), r.Probes[i].Missing)
		}
	}
	before := b.denials(t)
	for range 4 {
		b.round(t, target)
	}
	after := b.denials(t)
	t.Logf("denials logged: %d in the first round, %d in four more", len(before), len(after)-len(before))
	if len(before) > 30 || len(after) > len(before) {
		t.Error("a denied request was sent again")
	}
	for _, line := range after {
		t.Log(line)
	}

	for _, command := range r.ACLs {
		t.Log(command)
		b.run(t, command)
	}
	r = b.until(t, "with all ACLs", func(r preflight.Report) bool { return r.Exit() == 0 })
	for i, s := range r.Probes {
		t.Logf("%-22s %-8s sees %d facts, misses %+v", s.Name, s.Status, len(s.Can), s.Missing)
		want := fact.OK
		if kafka.Probes[i].Cost == probe.Heavy {
			want = fact.NotAsked
		}
		if s.Status != want || len(s.Missing) > 0 {
			t.Errorf("with all ACLs: %s is %s, misses %+v", s.Name, s.Status, s.Missing)
		}
	}

	for _, right := range r.Rights {
		if _, err := b.admin.DeleteACLs(t.Context(), builder(right.Right)); err != nil {
			t.Fatal(err)
		}
		r := b.until(t, "without "+right.String(), func(r preflight.Report) bool { return r.Exit() == 1 })
		var hurt []string
		for _, s := range r.Probes {
			if len(s.Missing) > 0 {
				hurt = append(hurt, s.Name)
			}
		}
		t.Logf("without %-30s: %v", right.Right, hurt)
		if i := slices.IndexFunc(r.Rights, func(one preflight.Right) bool { return one.Right == right.Right }); i < 0 || r.Rights[i].Held == nil || *r.Rights[i].Held {
			t.Errorf("without %s: not said to be lacking", right.Right)
		}
		if _, err := b.admin.CreateACLs(t.Context(), builder(right.Right)); err != nil {
			t.Fatal(err)
		}
		b.until(t, "with all ACLs again", func(r preflight.Report) bool { return r.Exit() == 0 })
	}
}

// until looks until the authorizers know of a change.
func (b *bench) until(t *testing.T, what string, enough func(preflight.Report) bool) (r preflight.Report) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		if r = b.look(t); enough(r) {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %+v", what, r)
		}
	}
}
