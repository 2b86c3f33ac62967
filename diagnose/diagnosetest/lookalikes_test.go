package diagnosetest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

// lookalikes is causes that show alike, by what an operator sees first. Each is to
// be told from each other one that stands with it.
var lookalikes = []struct {
	seen  string
	pairs []string
}{
	{"a broker does not answer", []string{
		"broker-crashed planned-shutdown", "broker-crashed broker-hung", "broker-crashed advertised-listener-unreachable", "broker-crashed broker-isolated",
		"broker-crashed broker-fenced",
		"broker-hung fd-exhaustion", "broker-hung request-overload", "broker-hung advertised-listener-unreachable", "broker-hung security-protocol-mismatch",
		"broker-hung gc-pause", "security-protocol-mismatch authentication-failed", "certificate-expired authentication-failed",
	}},
	{"partitions are under-replicated", []string{
		"broker-crashed replica-fetcher-dead", "broker-crashed log-dir-offline", "broker-crashed slow-follower", "broker-crashed broker-link-cut",
		"replica-fetcher-dead log-dir-offline", "replica-fetcher-dead slow-follower", "replica-fetcher-dead broker-link-cut", "replica-fetcher-dead replication-throttle-left",
		"replica-fetcher-dead reassignment-load", "replica-fetcher-dead message-size-mismatch", "replica-fetcher-dead fd-exhaustion",
		"slow-follower broker-link-cut", "slow-follower replication-throttle-left", "slow-follower gc-pause", "slow-follower reassignment-load", "slow-follower broker-hung",
		"broker-link-cut broker-isolated", "broker-link-cut gc-pause", "broker-link-cut replication-throttle-left", "broker-link-cut reassignment-load",
		"replication-throttle-left reassignment-load", "log-dir-offline slow-follower",
	}},
	{"a log dir fails", []string{
		"disk-full inode-exhaustion", "disk-full log-dir-offline", "disk-full read-only-filesystem", "disk-full mmap-exhaustion", "disk-full fd-exhaustion",
		"log-dir-offline read-only-filesystem", "log-dir-offline fd-exhaustion", "log-dir-offline mmap-exhaustion", "read-only-filesystem mmap-exhaustion",
		"read-only-filesystem fd-exhaustion", "fd-exhaustion mmap-exhaustion", "mmap-exhaustion heap-exhaustion", "inode-exhaustion log-dir-offline",
	}},
	{"writes are refused or partitions stand", []string{
		"under-min-isr min-isr-exceeds-replication", "under-min-isr no-leader", "no-leader controller-quorum-lost", "no-leader none-of-these",
	}},
	{"a group lags", []string{
		"slow-consumer group-stopped", "slow-consumer rebalance-storm", "slow-consumer hot-partition", "slow-consumer stalled-partition", "slow-consumer hanging-transaction",
		"slow-consumer producer-surge", "hot-partition stalled-partition", "hot-partition producer-surge", "stalled-partition hanging-transaction", "stalled-partition rebalance-storm",
		"group-stopped rebalance-storm",
	}},
	{"offsets do not fit", []string{
		"retention-overrun offset-above-log-end", "retention-overrun offset-rewind", "offset-rewind unclean-leader-election", "offset-rewind offset-below-log-start",
		"offsets-expired offset-rewind", "unclean-leader-election truncation-after-failover", "offset-above-log-end unclean-leader-election",
	}},
	{"collections stop a broker", []string{
		"heap-exhaustion gc-pause", "heap-exhaustion humongous-allocation", "heap-exhaustion allocation-storm", "heap-exhaustion swapping",
		"humongous-allocation allocation-storm", "humongous-allocation gc-pause", "allocation-storm gc-pause", "swapping gc-pause", "swapping humongous-allocation",
		"swapping allocation-storm",
	}},
	{"requests are slow", []string{
		"slow-disk cold-read", "slow-disk request-handler-saturation", "slow-disk slow-follower", "cold-read network-thread-saturation",
		"request-handler-saturation network-thread-saturation", "request-handler-saturation request-overload", "request-overload cpu-starved", "request-overload tls-handshakes",
		"packet-loss bandwidth-cap", "network-thread-saturation tls-handshakes", "network-thread-saturation bandwidth-cap", "quota-throttle bandwidth-cap",
		"gc-pause slow-disk", "gc-pause cpu-starved", "message-conversion small-batches",
	}},
}

// TestLookAlikesAreToldApart wants for both of each pair a case where it is there,
// the other is said not to be, and that is by what was seen: a case that tells
// nothing of the other does not count.
func TestLookAlikesAreToldApart(t *testing.T) {
	told := apart(t)
	known := map[string]bool{}
	for _, c := range causes(diagnose.All) {
		known[c.ID] = true
	}
	for _, l := range lookalikes {
		for _, pair := range l.pairs {
			a, b, _ := strings.Cut(pair, " ")
			if !known[a] || !known[b] {
				t.Errorf("%s: %q: no two causes of the catalogue", l.seen, pair)
			}
			for _, p := range [][2]string{{a, b}, {b, a}} {
				if !told[p] {
					t.Errorf("%s: no case where it is %s and is seen not to be %s", l.seen, p[0], p[1])
				}
			}
		}
	}
}

// apart is each two causes of which a case wants one to be sure, and the other to be
// seen not to be there.
func apart(t *testing.T) map[[2]string]bool {
	t.Helper()
	all := map[[2]string]bool{}
	for _, k := range allCases(t) {
		for _, is := range k.Wants {
			if is.What != Cause || is.No || !diagnose.Band(is.Word).Sure() {
				continue
			}
			for _, not := range k.Wants {
				if not.What == Cause && not.No && lookedAt(k.verdict, not.ID) {
					all[[2]string{is.ID, not.ID}] = true
				}
			}
		}
	}
	return all
}

// concluded is a case with its verdict.
type concluded struct {
	*Case
	verdict *diagnose.Verdict
}

// everyCase is all case files of the catalogue, concluded once for all tests.
var everyCase = sync.OnceValues(func() (all []concluded, err error) {
	files, err := filepath.Glob("../testdata/*/*.case")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no cases: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		k, err := Parse(file, text)
		if err != nil {
			return nil, err
		}
		_, v := conclude(diagnose.All, k.Batches)
		all = append(all, concluded{k, v})
	}
	return all, nil
})

// allCases is everyCase, or the end of a test.
func allCases(t *testing.T) []concluded {
	t.Helper()
	all, err := everyCase()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lookedAt says whether a verdict has dropped a cause, or knows that one of the signs
// which the cause nearly always shows, or which would confirm it, is not there.
func lookedAt(v *diagnose.Verdict, cause string) bool {
	ruled := func(r diagnose.RuledOut) bool { return r.Cause.ID == cause }
	if slices.ContainsFunc(v.RuledOut, ruled) || cause == diagnose.All.None.ID {
		return true
	}
	i := slices.IndexFunc(diagnose.All.Causes, func(c *diagnose.Cause) bool { return c.ID == cause })
	return i >= 0 && slices.ContainsFunc(diagnose.All.Causes[i].Signs, func(l diagnose.Link) bool {
		return (l.Decisive || l.Must || l.Strength == diagnose.Always && !l.Follows) && slices.ContainsFunc(v.Signs, func(s diagnose.SignState) bool {
			return s.Sign == l.Sign && s.Outcome == diagnose.No
		})
	})
}
