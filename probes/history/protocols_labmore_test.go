//go:build labmore

package history

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
)

// asDescribed is a group as its coordinator describes it.
type asDescribed struct {
	state   string
	epoch   int32
	members []string // id, client and host
}

func described848(ctx context.Context, a *kadm.Client, group string) (asDescribed, error) {
	all, err := a.DescribeConsumerGroups(ctx, group)
	one := all[group]
	d := asDescribed{state: one.State, epoch: one.Epoch}
	for _, m := range one.Members {
		d.members = append(d.members, m.MemberID+" "+m.ClientID+" "+m.ClientHost)
	}
	return d, errors.Join(err, one.Err)
}

func describedShare(ctx context.Context, a *kadm.Client, group string) (asDescribed, error) {
	all, err := a.DescribeShareGroups(ctx, group)
	one := all[group]
	d := asDescribed{state: one.GroupState, epoch: one.GroupEpoch}
	for _, m := range one.Members {
		d.members = append(d.members, m.MemberID+" "+m.ClientID+" "+m.ClientHost)
	}
	return d, errors.Join(err, one.Err)
}

type describe func(context.Context, *kadm.Client, string) (asDescribed, error)

// joined waits until a group has so many members and is at rest.
func joined(ctx context.Context, t *testing.T, a *kadm.Client, ask describe, group string, members int) asDescribed {
	t.Helper()
	want := "Stable"
	if members == 0 {
		want = "Empty"
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		d, err := ask(ctx, a, group)
		if err == nil && d.state == want && len(d.members) == members {
			slices.Sort(d.members)
			return d
		}
		select {
		case <-ctx.Done():
			t.Fatalf("group %s has %d members, wanted are %d: %s, %v", group, len(d.members), members, d.state, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// asWritten holds what the log tells of a group against what its coordinator says.
func asWritten(t *testing.T, dir, group, kind string, d asDescribed) *Groups {
	t.Helper()
	time.Sleep(500 * time.Millisecond) // for the last record to be in the file
	g := readGroups(t, dir, CoordinatorOptions{Retention: usualRetention})
	one := g.Named(group)
	if one == nil {
		t.Fatalf("nothing is told of group %s", group)
	}
	var members []string
	for _, m := range one.Members {
		members = append(members, m.ID+" "+m.Client+" "+m.Host)
	}
	slices.Sort(members)
	state := map[string]GroupState{"Stable": GroupStable, "Empty": GroupEmpty}[d.state]
	if one.Type != kind || one.Generation != d.epoch || one.State != state || !slices.Equal(members, d.members) {
		t.Errorf("group %s: %s %s, epoch %d, members %q; its coordinator says %+v", group, one.Type, one.State, one.Generation, members, d)
	}
	if n := len(one.Generations); n == 0 || one.Generations[n-1].Members != len(d.members) {
		t.Errorf("group %s: generations %+v, the last has %d members", group, one.Generations, len(d.members))
	}
	if len(g.Damage) > 0 || g.Unknown+g.Newer+g.Undecoded+g.Left != 0 {
		t.Errorf("%+v", g.Reading)
	}
	t.Logf("group %s: %s %s, epoch %d, %d members", group, one.Type, one.State, one.Generation, len(members))
	return g
}

// consoleMember starts one of Kafka's own consumers of the console.
func consoleMember(t *testing.T, c *lab.Cluster, class string, args ...string) *exec.Cmd {
	t.Helper()
	script := filepath.Join(t.TempDir(), "consumer")
	if err := c.Script(script, class); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script, append([]string{"--bootstrap-server", strings.Join(c.Bootstrap(), ","), "--topic", "orders"}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

// leave ends a member as Ctrl-C does.
func leave(cmd *exec.Cmd) {
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
}

// TestLabNewProtocols: members of a group of the protocol `consumer`, and of a
// share group, come and go; epochs and members are told as the coordinator says.
func TestLabNewProtocols(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Second)
	defer cancel()
	shape := lab.Shape{Single: true, Settings: map[string]string{"offsets.topic.num.partitions": "5", "share.coordinator.state.topic.num.partitions": "3",
		"share.coordinator.state.topic.replication.factor": "1", "share.coordinator.state.topic.min.isr": "1"}}
	c, cl := cluster(ctx, t, lab.Options{Shape: shape})
	a := kadm.NewClient(cl)
	if err := errors.Join(create(a, "orders", 2, 1)(ctx), shareFeature(ctx, cl)); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: fmt.Append(nil, n)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	dir := c.Nodes[0].LogDir
	for _, of := range []struct {
		kind, class string
		ask         describe
		args        []string
	}{
		{"consumer", "org.apache.kafka.tools.consumer.ConsoleConsumer", described848, []string{"--from-beginning", "--command-property", "group.protocol=consumer"}},
		{"share", "org.apache.kafka.tools.consumer.ConsoleShareConsumer", describedShare, nil},
	} {
		group, from := "new-"+of.kind, time.Now()
		args := append(of.args, "--group", group)
		first := consoleMember(t, c, of.class, args...)
		d := joined(ctx, t, a, of.ask, group, 1)
		asWritten(t, dir, group, of.kind, d)
		second := consoleMember(t, c, of.class, args...)
		two := joined(ctx, t, a, of.ask, group, 2)
		asWritten(t, dir, group, of.kind, two)
		leave(second)
		asWritten(t, dir, group, of.kind, joined(ctx, t, a, of.ask, group, 1))
		leave(first)
		empty := joined(ctx, t, a, of.ask, group, 0)
		g := asWritten(t, dir, group, of.kind, empty)
		retold(t, group, g.Changes(Want{Broker: -1, Each: true}), []happened{{step{nil, []string{
			fmt.Sprintf("generation-changed|group %s|%d|*", group, d.epoch), fmt.Sprintf("generation-changed|group %s|*|%d", group, empty.epoch)}}, from, time.Now()}})
		if of.kind == "consumer" {
			if o := g.Named(group).Offsets; len(o) != 2 || o[0].Offset+o[1].Offset != 100 {
				t.Errorf("committed offsets: %+v", o)
			}
		}
		t.Logf("told:\n%s", strings.Join(telling(g.Changes(Want{Broker: -1})), "\n"))
	}
	if _, err := a.DeleteGroup(ctx, "new-consumer"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if one := readGroups(t, dir, CoordinatorOptions{}).Named("new-consumer"); one.State != GroupDead {
		t.Errorf("deleted, and it is told to be %s", one.State)
	}
	for _, n := range c.Nodes {
		n.Signal(9)
	}
	agreeCoordinator(t, c, dir, OffsetsTopic, "--offsets-decoder")
}

// shareFeature switches share groups on, where that was not done at formatting.
func shareFeature(ctx context.Context, cl *kgo.Client) error {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.TimeoutMillis = 10000
	f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	f.Feature, f.MaxVersionLevel, f.UpgradeType = "share.version", 1, 1
	req.FeatureUpdates = append(req.FeatureUpdates, f)
	answer, err := req.RequestWith(ctx, cl)
	if err == nil && answer.ErrorCode != 0 {
		err = fmt.Errorf("share.version: code %d", answer.ErrorCode)
	}
	return err
}
