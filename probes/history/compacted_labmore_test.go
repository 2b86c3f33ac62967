//go:build labmore

package history

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ktriage/ktriage/probes/lab"
)

// cleaned is how far the cleaner of a log dir has come in __consumer_offsets, by
// its checkpoint; -1 where it has not begun.
func cleaned(t *testing.T, dir string) int64 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "cleaner-offset-checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == OffsetsTopic {
			n, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return -1
}

// TestLabCompacted: __consumer_offsets is read again and again while the cleaner
// puts other files in the places of its segments: every group is told, with no
// offset older than what was committed before. A group that commits no more is
// told to have expired when Kafka says so.
func TestLabCompacted(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 175*time.Second)
	defer cancel()
	shape := lab.Shape{Single: true, Settings: map[string]string{"offsets.topic.num.partitions": "1", "log.cleaner.backoff.ms": "100", "log.cleaner.min.cleanable.ratio": "0.01",
		"offsets.retention.minutes": "1", "offsets.retention.check.interval.ms": "2000", "log.segment.delete.delay.ms": "500"}}
	c, cl := cluster(ctx, t, lab.Options{Shape: shape})
	a := kadm.NewClient(cl)
	commit := func(group string, to int64) {
		t.Helper()
		o := kadm.Offsets{}
		o.AddOffset("orders", 0, to, -1)
		if err := a.CommitAllOffsets(ctx, group, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := create(a, "orders", 1, 1)(ctx); err != nil {
		t.Fatal(err)
	}
	commit("once", 42)
	lastUse := time.Now()
	for key, value := range map[string]string{"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01"} {
		if err := alter(a, OffsetsTopic, key, value)(ctx); err != nil {
			t.Fatal(err)
		}
	}
	dir := c.Nodes[0].LogDir
	const groups = 20
	name := func(n int) string { return fmt.Sprintf("steady-%02d", n) }
	commits, readings, swapped, to := int64(0), 0, 0, int64(0)
	began, before := time.Now(), int64(-1)
	for to = 1; time.Since(began) < 55*time.Second; to++ {
		for n := range groups {
			commit(name(n), to)
			commits++
		}
		g := readGroups(t, dir, CoordinatorOptions{Retention: time.Minute})
		readings++
		if now := cleaned(t, dir); now != before {
			swapped, before = swapped+1, now
		}
		for n := range groups {
			one := g.Named(name(n))
			if one == nil || len(one.Offsets) != 1 || one.Offsets[0].Offset != to || one.Rewinds != 0 || !one.Offsets[0].Gone.IsZero() {
				t.Fatalf("round %d: %d was committed for %s, told is %+v", to, to, name(n), one)
			}
		}
		if len(g.Damage)+len(g.Unreachable) > 0 || g.Undecoded+g.Unknown+g.Newer+g.Left != 0 {
			t.Fatalf("round %d: %+v", to, g.Reading)
		}
		time.Sleep(30 * time.Millisecond)
	}
	g := readGroups(t, dir, CoordinatorOptions{Retention: time.Minute})
	t.Logf("%d readings of %d commits, the cleaner came further %d times, %d records are left", readings, commits, swapped, g.Records)
	if swapped < 5 || g.Records >= commits/2 {
		t.Errorf("the cleaner came further %d times, %d of %d records are left", swapped, g.Records, commits)
	}
	expired(ctx, t, dir, lastUse)
	for _, n := range c.Nodes {
		n.Signal(syscall.SIGKILL)
	}
	agreeCoordinator(t, c, dir, OffsetsTopic, "--offsets-decoder")
}

// expired waits until the offset of group once has expired, and holds what is
// told against when it was used last.
func expired(ctx context.Context, t *testing.T, dir string, lastUse time.Time) {
	t.Helper()
	for ctx.Err() == nil {
		for _, one := range readGroups(t, dir, CoordinatorOptions{Retention: time.Minute}).Changes(Want{Broker: -1, Each: true}) {
			if one.Subject.Name != "once" || one.Kind != OffsetsExpired {
				continue
			}
			age := one.At.Sub(lastUse)
			if age < time.Minute-time.Second || age > time.Minute+5*time.Second || one.Text != "group once: committed offset of orders-0 expired, it was 42" && one.Text != "group once: committed offset of orders-0 expired" {
				t.Errorf("expired %s after its last use: %s", age, one.Text)
			}
			t.Logf("%s after its last use: %s", age.Round(100*time.Millisecond), one.Text)
			return
		}
		time.Sleep(time.Second)
	}
	t.Error("the offset of group once is not told to have expired")
}

// TestLabHistorySegments: the same of metadata logs of several segments with
// snapshots in between.
func TestLabHistorySegments(t *testing.T) {
	tell(t, lab.DefaultVersion, lab.Shape{Settings: map[string]string{"metadata.log.segment.ms": "4000"}})
}
