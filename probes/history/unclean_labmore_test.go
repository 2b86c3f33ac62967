//go:build labmore

package history

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/lab"
)

// atStake is what check says of the records that the new leader lacks: 400 of them,
// which producers had got acknowledged, from offset 100 on.
var atStake = regexp.MustCompile(`wallet-0: 400 records from offset 100 on, in \S+/b2/\S* only \(.*\)`)

// TestLabUncleanElection: after a real unclean election check names the records at
// stake, which only the dead leader's disk has, and history tells of the election,
// at the time and with the leaders that the controller's log has.
func TestLabUncleanElection(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 170*time.Second)
	defer cancel()
	k, err := lab.BuildKtriage(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	faults, err := lab.FaultOf("unclean-leader-election")
	if err != nil {
		t.Fatal(err)
	}
	f := *faults[0]
	f.Blind = nil
	row := (&lab.Checker{Ktriage: k, Blunt: true, Also: func(ctx context.Context, c *lab.Cluster, k *lab.Ktriage, _ *lab.Row) error {
		checkStake(ctx, t, c, k)
		historyTells(ctx, t, c, k)
		return nil
	}}).Run(ctx, &f)
	t.Logf("%s", row.Saw)
	if row.Err != nil {
		t.Error(row.Err)
	}
}

func checkStake(ctx context.Context, t *testing.T, c *lab.Cluster, k *lab.Ktriage) {
	raw, _ := exec.CommandContext(ctx, k.Path, "check", "-o", "json", "--bootstrap-server", strings.Join(c.Bootstrap(), ",")).Output()
	var told struct {
		Findings []struct{ Cause, Band, Text string }
		Log      struct {
			End  int64  `json:"end_offset"`
			High *int64 `json:"quorum_high_watermark"`
		} `json:"metadata_log"`
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if told.Log.High == nil || *told.Log.High < told.Log.End-100 || *told.Log.High > told.Log.End+100 {
		t.Errorf("the copy's end and the high watermark: %+v", told.Log)
	}
	for _, one := range told.Findings {
		t.Logf("%s %s: %s", one.Cause, one.Band, one.Text)
		if one.Cause == "unclean-leader-election" {
			if one.Band != "confirmed" || !strings.Contains(string(raw), "at stake") || !atStake.Match(raw) {
				t.Errorf("%s", raw)
			}
			return
		}
	}
	t.Errorf("no unclean-leader-election in %s", raw)
}

func historyTells(ctx context.Context, t *testing.T, c *lab.Cluster, k *lab.Ktriage) {
	n := c.Node(3)
	line, err := c.Node(100).InLog("controller.log", "UNCLEAN partition change for wallet-0")
	if err != nil || line == "" {
		t.Fatalf("controller.log: %v", err)
	}
	dir := n.LogDir
	if n.MetadataDir != "" {
		dir = n.MetadataDir
	}
	raw, err := exec.CommandContext(ctx, k.Path, "history", "-o", "json", "--topic", "wallet", filepath.Join(dir, MetadataDir)).Output()
	if err != nil {
		t.Errorf("history: %v", err)
	}
	var told struct{ Changes []Change }
	if err := json.Unmarshal(raw, &told); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	stamp, err := time.ParseInLocation("2006-01-02 15:04:05", regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).FindString(line), time.Local)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	for _, one := range told.Changes {
		if one.Kind == UncleanElection {
			t.Logf("%s %s; controller.log: %s", one.At, one.Text, line)
			if by := one.At.Sub(stamp); one.Subject.Name != "wallet-0" || one.After != "3" || by < -2*time.Second || by > 2*time.Second {
				t.Errorf("%+v", one)
			}
			return
		}
	}
	t.Errorf("no unclean election in %s", raw)
}
