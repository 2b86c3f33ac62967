package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestALookAtLessIsNotClear: a healthy cluster of which a part was not asked for is
// not called clear, and what was left out is named. Nor is anything called a fault.
func TestALookAtLessIsNotClear(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	for name, args := range map[string][]string{
		"two probes":   {"--only", "kafka.reach,kafka.metadata"},
		"no groups":    {"--skip", "host,kafka.groups"},
		"host alone":   {"--only", "host.usage,host.memory"},
		"remote alone": {"--skip", "host,jvm,logs,segments,disk"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ktriage(t, append([]string{"check", "-o", "json", "--every", "200ms", "--bootstrap-server", strings.Join(cluster.ListenAddrs(), ",")}, args...)...)
			var said struct {
				Verdict  struct{ Status string }
				Findings []struct{ Cause, Band, Severity string }
				Coverage struct {
					Seen    int `json:"signs_seen"`
					Total   int `json:"signs_total"`
					Unknown []struct{ Sign, Reason string }
				}
				Probes []struct{ Name, Status string }
			}
			if err := json.Unmarshal([]byte(got.out), &said); err != nil {
				t.Fatalf("%v: exit %d, %s%s", err, got.status, got.out, got.err)
			}
			if said.Verdict.Status != "incomplete" || said.Coverage.Seen >= said.Coverage.Total {
				t.Errorf("%s, %d of %d signs seen", said.Verdict.Status, said.Coverage.Seen, said.Coverage.Total)
			}
			if !slices.ContainsFunc(said.Coverage.Unknown, func(u struct{ Sign, Reason string }) bool { return u.Reason == "not-asked" }) {
				t.Errorf("nothing is said not to have been asked for: %+v", said.Coverage.Unknown)
			}
			if !slices.ContainsFunc(said.Probes, func(p struct{ Name, Status string }) bool { return p.Status == "not-asked" }) {
				t.Errorf("no probe is said not to have been asked: %+v", said.Probes)
			}
			for _, f := range said.Findings {
				if (f.Band == "confirmed" || f.Band == "likely") && (f.Severity == "major" || f.Severity == "critical") {
					t.Errorf("found %+v", f)
				}
			}
		})
	}
}
