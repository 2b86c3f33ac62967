//go:build labmore

package history

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/lab"
)

// theOnly broker is every group's coordinator: the client does not know yet that
// requests of streams groups go there.
const theOnly = 1

// describedStreams is a streams group as its coordinator describes it.
func describedStreams(cl *kgo.Client) describe {
	return func(ctx context.Context, _ *kadm.Client, group string) (d asDescribed, err error) {
		req := kmsg.NewPtrStreamsGroupDescribeRequest()
		req.Groups = []string{group}
		got, err := cl.Broker(theOnly).RetriableRequest(ctx, req)
		if err != nil {
			return d, err
		}
		answer := got.(*kmsg.StreamsGroupDescribeResponse)
		if len(answer.Groups) != 1 {
			return d, fmt.Errorf("%d groups are described", len(answer.Groups))
		}
		one := answer.Groups[0]
		d.state, d.epoch = one.State, one.Epoch
		for _, m := range one.Members {
			d.members = append(d.members, m.MemberID+" "+m.ClientID+" "+m.ClientHost)
		}
		return d, kerr.ErrorForCode(one.ErrorCode)
	}
}

// streamsBeat is one heartbeat of a member of a streams group: what Kafka Streams
// sends when it starts (epoch 0), goes on, and leaves (epoch -1).
func streamsBeat(ctx context.Context, cl *kgo.Client, group, id string, epoch int32) error {
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	process := "process-" + id
	req.Group, req.MemberID, req.MemberEpoch, req.RebalanceTimeoutMillis = group, id, epoch, 30000
	if epoch == 0 {
		topology := kmsg.NewStreamsGroupHeartbeatRequestTopology()
		sub := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
		sub.SubtopologyID, sub.SourceTopics = "0", []string{"orders"}
		topology.Subtopologies = append(topology.Subtopologies, sub)
		req.Topology, req.ProcessID = &topology, &process
		req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = []kmsg.TaskIDs{}, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	}
	got, err := cl.Broker(theOnly).RetriableRequest(ctx, req)
	if err != nil {
		return err
	}
	answer := got.(*kmsg.StreamsGroupHeartbeatResponse)
	return kerr.ErrorForCode(answer.ErrorCode)
}

// TestLabStreamsGroup: two members of a streams group (KIP-1071) come and go; it is
// told as what it is, with its epochs and its members as the coordinator says.
func TestLabStreamsGroup(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	c, cl := cluster(ctx, t, lab.Options{Shape: lab.Shape{Single: true, Settings: map[string]string{"offsets.topic.num.partitions": "5"}}}, kgo.ClientID("shop"))
	a := kadm.NewClient(cl)
	if err := create(a, "orders", 2, 1)(ctx); err != nil {
		t.Fatal(err)
	}
	o := kadm.Offsets{}
	o.AddOffset("orders", 0, 0, -1)
	if err := a.CommitAllOffsets(ctx, "other", o); err != nil { // which makes the coordinator's topic
		t.Fatal(err)
	}
	const group = "shop-app"
	dir, from := c.Nodes[0].LogDir, time.Now()
	beat := func(id string, epoch int32) {
		t.Helper()
		if err := streamsBeat(ctx, cl, group, id, epoch); err != nil {
			t.Fatalf("heartbeat of %s: %v", id, err)
		}
	}
	beat("m1", 0)
	first := peopled(ctx, t, cl, group, 1)
	asWritten(t, dir, group, "streams", first)
	beat("m2", 0)
	two := peopled(ctx, t, cl, group, 2)
	asWritten(t, dir, group, "streams", two)
	beat("m2", -1)
	beat("m1", -1)
	empty := peopled(ctx, t, cl, group, 0)
	g := asWritten(t, dir, group, "streams", empty)
	if two.epoch <= first.epoch || empty.epoch <= two.epoch {
		t.Errorf("epochs %d, %d and %d", first.epoch, two.epoch, empty.epoch)
	}
	retold(t, group, g.Changes(Want{Broker: -1, Each: true}), []happened{{step{nil, []string{
		fmt.Sprintf("generation-changed|group %s|*|%d", group, empty.epoch)}}, from, time.Now()}})
	t.Logf("told:\n%s", strings.Join(telling(g.Changes(Want{Broker: -1})), "\n"))
	for _, n := range c.Nodes {
		n.Signal(9)
	}
	agreeCoordinator(t, c, dir, OffsetsTopic, "--offsets-decoder")
}

// peopled waits for a number of members, whatever the group still has to settle:
// nobody here answers for its tasks.
func peopled(ctx context.Context, t *testing.T, cl *kgo.Client, group string, members int) asDescribed {
	t.Helper()
	ask := func(ctx context.Context, a *kadm.Client, group string) (asDescribed, error) {
		d, err := describedStreams(cl)(ctx, a, group)
		if len(d.members) > 0 {
			d.state = "Stable"
		}
		return d, err
	}
	return joined(ctx, t, nil, ask, group, members)
}
