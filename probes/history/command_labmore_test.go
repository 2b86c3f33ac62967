//go:build labmore

package history

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ktriage/ktriage/probes/lab"
)

// TestLabHistoryCommandZooKeeper: ktriage history finds the broker of a cluster
// with ZooKeeper by itself, and tells of a group without a metadata log, also
// when that broker was killed.
func TestLabHistoryCommandZooKeeper(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	k, err := lab.BuildKtriage(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, cl := cluster(ctx, t, lab.Options{Shape: lab.Shape{ZooKeeper: true, Single: true}, Version: "2.8.2"})
	a := kadm.NewClient(cl)
	if err := create(a, "orders", 1, 1)(ctx); err != nil {
		t.Fatal(err)
	}
	for _, to := range []int64{50, 60, 7} {
		o := kadm.Offsets{}
		o.AddOffset("orders", 0, to, -1)
		if err := a.CommitAllOffsets(ctx, "billing", o); err != nil {
			t.Fatal(err)
		}
	}
	says := func(args ...string) {
		t.Helper()
		raw, err := exec.CommandContext(ctx, k.Path, append([]string{"history", "--group", "billing"}, args...)...).CombinedOutput()
		out := strings.Join(strings.Fields(string(raw)), " ")
		for _, want := range []string{"no metadata log on node 1, as with ZooKeeper", "group billing: committed offset of orders-0 went back from 60 to 7", "orders-0: 7, committed "} {
			if !strings.Contains(out, want) {
				t.Errorf("history %q (%v) says not %q, but\n%s", args, err, want, raw)
			}
		}
		t.Logf("%s", raw)
	}
	time.Sleep(time.Second)
	says()
	for _, n := range c.Nodes {
		n.Signal(9)
	}
	says(c.Nodes[0].LogDir)
}
