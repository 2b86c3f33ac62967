//go:build lab

package history

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// aloneOn is what check says on a host that has one dead node of a cluster and
// nothing of the others: no process, no perf data, no file, no address.
type aloneOn struct {
	Findings []struct{ Cause, Band, Text string }
	Signs    []struct{ ID, Text, State string }
	Last     *struct {
		Gone bool `json:"all_gone"`
	} `json:"last_known"`
	text string
}

func (a *aloneOn) has(cause, band, text string) bool {
	for _, f := range a.Findings {
		if f.Cause == cause && f.Band == band && strings.Contains(f.Text, text) {
			return true
		}
	}
	return false
}

func checkAlone(ctx context.Context, t *testing.T, k *lab.Ktriage, cluster *lab.Cluster, n *lab.Node) *aloneOn {
	t.Helper()
	others := []string{}
	for _, o := range cluster.Nodes {
		if o != n {
			others = append(others, o.Dir)
		}
	}
	const hide = `for d in $OTHERS /tmp/hsperfdata_*; do mount -t tmpfs none "$d" || exit 99; done; exec "$@"`
	c := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", hide, "sh", k.Path, "check", "-o", "json", "--broker-config", filepath.Join(n.Dir, "server.properties"))
	c.Env = append(os.Environ(), "OTHERS="+strings.Join(others, " "))
	raw, err := c.Output()
	a := &aloneOn{text: string(raw)}
	if err := json.Unmarshal(raw, a); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if err == nil {
		t.Error("check exits 0 beside a dead broker")
	}
	for _, f := range a.Findings {
		t.Logf("on the host of %d: %s %s: %s", n.ID, f.Cause, f.Band, f.Text)
	}
	return a
}

// leadsOn wants live answers of the others, which only the metadata log led to.
func (a *aloneOn) leadsOn(t *testing.T, dead string) {
	t.Helper()
	if a.Last != nil || a.has("no-leader", "confirmed", "") || !a.has("broker-crashed", "likely", dead) && !a.has("broker-crashed", "confirmed", dead) {
		t.Errorf("with two brokers alive elsewhere: %s", a.text)
	}
}

// isTheEnd wants the last known cluster as the evidence that nobody leads.
func (a *aloneOn) isTheEnd(t *testing.T) {
	t.Helper()
	if a.Last == nil || !a.Last.Gone || !a.has("no-leader", "confirmed", "no broker is left to lead any of 6 partitions") || !strings.Contains(a.text, "the address is from the metadata log of node 3") {
		t.Errorf("with all brokers dead, elsewhere too: %s", a.text)
	}
}
