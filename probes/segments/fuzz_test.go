package segments

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

// FuzzSmallFiles: whatever the bytes of a checkpoint or the like, they are taken
// or refused, and what is taken is within its bounds.
func FuzzSmallFiles(f *testing.F) {
	root := filepath.Join(segmentstest.Unpack(f, "testdata/real.tar.zst"), "real")
	for _, pattern := range []string{"log-dir/*checkpoint", "log-dir/meta.properties", "*/leader-epoch-checkpoint", "txn-log-0/*.snapshot", "txn-log-0/*.txnindex", "codec-none-0/partition.metadata", "log-dir/*/quorum-state"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: no seed, error %v", pattern, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text := string(data)
		if c, err := parseCheckpoint(text); err == nil && len(c) > strings.Count(text, "\n") {
			t.Errorf("%d entries in %d lines", len(c), strings.Count(text, "\n"))
		}
		if all, err := parseEpochs(text); err == nil {
			for i := 1; i < len(all); i++ {
				if all[i].epoch <= all[i-1].epoch || all[i].start <= all[i-1].start {
					t.Errorf("epochs %v", all)
				}
			}
		}
		if id, err := parseMeta(text); err == nil && id.node < -1 {
			t.Errorf("node %d", id.node)
		}
		if id, err := parsePartitionMetadata(text); err == nil && len(id) != 22 {
			t.Errorf("topic id %q", id)
		}
		parseQuorumState(text)
		lockHeld(text, 7)
		if checkSnapshot(data) == nil && (len(data)-snapshotHead)%snapshotEntry != 0 {
			t.Errorf("a snapshot of %d bytes", len(data))
		}
		all, position, err := parseTxnIndex(data, 100)
		if position > int64(len(data)) || err == nil && int64(len(all))*txnIndexEntry != int64(len(data)) {
			t.Errorf("%d transactions, position %d of %d, error %v", len(all), position, len(data), err)
		}
		for _, a := range all {
			if a.last < 100 || a.last <= a.first {
				t.Errorf("transaction %+v", a)
			}
		}
	})
}

// FuzzNames: names of files and directories are taken apart, or are of nobody's.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"00000000000000000042.log", "00000000000000000042.timeindex.deleted", "orders-3", "orders-3.0123456789abcdef0123456789abcdef-future", "__cluster_metadata-0", "remote-log-index-cache", "lost+found", "a-b-12", "-1"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if n, ok := parseFileName(name); ok && (n.base < 0 || !strings.HasPrefix(n.suffix, ".")) {
			t.Errorf("%q: %+v", name, n)
		}
		partition, kind := parseDirName(name)
		if kind == partitionDir && (partition == "" || !strings.Contains(partition, "-") || strings.ContainsAny(partition, "/\x00")) {
			t.Errorf("%q is partition %q", name, partition)
		}
	})
}

// FuzzPartition: whatever the bytes of a segment and its indexes, they are
// verified to an end, within the memory that any segment is granted.
func FuzzPartition(f *testing.F) {
	root := filepath.Join(segmentstest.Unpack(f, "testdata/real.tar.zst"), "real")
	for _, topic := range []string{"codec-none-0", "txn-log-0", "idem-0", "compacted-0"} {
		var seed [4][]byte
		for i, suffix := range []string{".log", ".index", ".timeindex", ".txnindex"} {
			data, err := os.ReadFile(filepath.Join(root, topic, "00000000000000000000"+suffix))
			if err != nil && suffix != ".txnindex" {
				f.Fatal(err)
			}
			seed[i] = data[:min(len(data), 6000)]
		}
		f.Add(seed[0], seed[1], seed[2], seed[3], true)
		f.Add(seed[0], seed[1], seed[2], seed[3], false)
	}
	dir := f.TempDir()
	v := newVerifier(target(), nil, true)
	f.Fuzz(func(t *testing.T, log, index, times, aborts []byte, active bool) {
		p := &place{partition: "x-0", dir: dir, next: 1 << 20, flushed: -1, has: map[string]int{".index": 1, ".timeindex": 1, ".txnindex": 1}, epochs: []epochStart{{0, 0}}}
		if active {
			p.next = -1
		}
		for suffix, data := range map[string][]byte{".log": log, ".index": index, ".timeindex": times, ".txnindex": aborts} {
			if err := os.WriteFile(p.file(suffix), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		c, err := v.segment(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Fatalf("%d bytes allocated for %d", after.TotalAlloc-before.TotalAlloc, len(log)+len(index))
		}
		for _, d := range c.damage {
			if d.Position < -1 || d.Kind == "" || d.Text == "" || d.Severity == "" {
				t.Errorf("%+v", d)
			}
		}
	})
}
