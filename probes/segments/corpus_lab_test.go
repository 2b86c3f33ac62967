//go:build lab

package segments

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ktriage/ktriage/probes/lab"
)

// rolling makes segments of a few dozen batches, with an index entry for nearly
// each: a roll comes when the index is full.
var rolling = map[string]string{"segment.index.bytes": "240", "index.interval.bytes": "300"}

func with(configs map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for k, v := range configs {
		all[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

// corpusTopics is what a corpus is made of, by version.
func corpusTopics(version string) []lab.Topic {
	topic := func(name string, more ...string) lab.Topic {
		return lab.Topic{Name: name, Partitions: 1, Replication: 3, Configs: with(rolling, more...)}
	}
	all := []lab.Topic{topic("none"), topic("gzip"), topic("snappy"), topic("lz4"), topic("stamped", "message.timestamp.type", "LogAppendTime"), topic("txn"),
		topic("compacted", "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01", "delete.retention.ms", "100"),
		topic("short", "retention.ms", "2000")}
	if strings.HasPrefix(version, "2.") {
		return append(all, topic("v0", "message.format.version", "0.9.0"), topic("v1", "message.format.version", "0.10.0"),
			topic("v0-gzip", "message.format.version", "0.9.0"), topic("v1-lz4", "message.format.version", "0.10.0"))
	}
	return append(all, topic("zstd"), topic("preallocated", "preallocate", "true"))
}

func codecOf(topic string) kgo.CompressionCodec {
	switch {
	case strings.HasSuffix(topic, "gzip"):
		return kgo.GzipCompression()
	case strings.HasSuffix(topic, "snappy"):
		return kgo.SnappyCompression()
	case strings.HasSuffix(topic, "lz4"):
		return kgo.Lz4Compression()
	case strings.HasSuffix(topic, "zstd"):
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

// write writes records to a topic in small batches until the context ends, or
// n batches are written.
func write(ctx context.Context, c *lab.Cluster, topic string, n int) error {
	opts := []kgo.Opt{kgo.SeedBrokers(c.Bootstrap()...), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codecOf(topic)),
		kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if strings.HasPrefix(topic, "v0") || strings.HasPrefix(topic, "v1") {
		opts = append(opts, kgo.DisableIdempotentWrite()) // magic 0 and 1 have no room for it
	}
	if topic == "txn" {
		opts = append(opts, kgo.TransactionalID("corpus"))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.Close()
	for i := range n {
		if topic == "txn" {
			if err := client.BeginTransaction(); err != nil {
				return err
			}
		}
		var records []*kgo.Record
		for j := range 5 {
			records = append(records, &kgo.Record{Key: []byte(fmt.Sprint("key-", (i*5+j)%40)), Value: []byte(fmt.Sprintf("record %d of %s, which tells nothing at all", i*5+j, topic))})
		}
		if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("%s: %w", topic, err)
		}
		if topic == "txn" {
			if err := client.EndTransaction(ctx, kgo.TransactionEndTry(i%3 != 0)); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestLabCorpus has real brokers write partitions. Nothing is wrong with them
// while they are written, compacted and deleted, nor after a clean stop; and
// every way to damage them is found. KTRIAGE_CORPUS=1 keeps them as test data.
func TestLabCorpus(t *testing.T) {
	for _, version := range []string{"4.3.1", "3.9.2", "2.8.2"} {
		t.Run(version, func(t *testing.T) { corpus(t, version) })
	}
}

func corpus(t *testing.T, version string) {
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Second)
	defer cancel()
	zk := strings.HasPrefix(version, "2.")
	shape := lab.Shape{ZooKeeper: zk, OwnController: !zk, Settings: map[string]string{
		"log.cleaner.backoff.ms": "500", "log.retention.check.interval.ms": "500", "log.flush.offset.checkpoint.interval.ms": "2000"}}
	c, err := lab.Start(ctx, lab.Options{Version: version, Owner: "test", Shape: shape})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Stop() })
	topics := corpusTopics(version)
	for _, topic := range topics {
		if err := c.CreateTopic(ctx, topic); err != nil {
			t.Fatal(err)
		}
	}
	underLoad(ctx, t, c, topics)
	flippedLive(t, c.Node(3))
	for _, n := range c.Brokers() {
		if err := n.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range c.Brokers() {
		if err := n.Gone(ctx); err != nil {
			t.Fatal(err)
		}
	}
	dir := c.Node(1).LogDir
	for _, n := range c.Brokers() {
		r := mustScan(t, Options{Deep: true}, n.LogDir)
		// A broker that stops between renaming a file and deleting it leaves it there.
		bad := slices.DeleteFunc(r.Damage, func(d Damage) bool { return d.Kind == StrayFile && strings.HasSuffix(d.File, ".deleted") })
		if len(bad) > 0 {
			t.Errorf("broker %d, stopped cleanly: %s", n.ID, listed(bad))
		}
	}
	var partitions []string
	for _, topic := range topics {
		if topic.Name != "short" {
			partitions = append(partitions, topic.Name+"-0")
		}
	}
	if os.Getenv("KTRIAGE_CORPUS") != "" {
		keep(t, version, dir, partitions)
	}
	done := everyDamage(t, dir, partitions)
	ways, copies := 0, 0
	for _, n := range done {
		ways++
		copies += n
	}
	t.Logf("%s: %d copies damaged in %d ways", version, copies, ways)
	asDumped(t, c, dir, partitions)
}

// underLoad scans the brokers' log dirs again and again while all topics are
// written to, rolled, compacted and deleted.
func underLoad(ctx context.Context, t *testing.T, c *lab.Cluster, topics []lab.Topic) {
	failed := make(chan error, len(topics))
	for _, topic := range topics {
		n := 150
		if topic.Name == "txn" {
			n = 45 // each with a commit or an abort
		}
		go func() { failed <- write(ctx, c, topic.Name, n) }()
	}
	var dirs []string
	for _, n := range c.Brokers() {
		dirs = append(dirs, n.LogDir)
	}
	rounds, left, settle := 0, len(topics), time.Time{}
	for left > 0 || time.Now().Before(settle) {
		select {
		case err := <-failed:
			if err != nil {
				t.Fatal(err)
			}
			if left--; left == 0 {
				settle = time.Now().Add(8 * time.Second) // compaction and retention go on
			}
		case <-time.After(500 * time.Millisecond):
		}
		r := mustScan(t, Options{Deep: rounds%2 == 1}, dirs...)
		if len(r.Damage) > 0 {
			t.Errorf("under load: %s", listed(r.Damage))
		}
		rounds++
	}
	t.Logf("%d scans of three brokers under load", rounds)
}

// flippedLive flips a byte in a closed segment under a running broker, as a disk
// does: a plain check finds it, though nobody has read it. It is put right again.
func flippedLive(t *testing.T, n *lab.Node) {
	if !locked(target(), filepath.Join(n.LogDir, lockFile)) {
		t.Error("a running broker's lock is not seen")
	}
	name := filepath.Join(n.LogDir, "none-0", "00000000000000000000.log")
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	flip := func() {
		if _, err := f.ReadAt(b[:], 100); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1
		if _, err := f.WriteAt(b[:], 100); err != nil {
			t.Fatal(err)
		}
	}
	flip()
	defer flip()
	check := scanTarget(n.LogDir, 256<<20)
	defer check.Close()
	if f := observed(t, check); len(f.damage) != 1 || f.damage[0].Kind != "crc-mismatch" || f.damage[0].File != name || f.damage[0].Position != 0 {
		t.Errorf("a flipped byte under a running broker: %+v", f)
	}
}

// keep packs partitions of a log dir, and what stands beside them, as test data.
func keep(t *testing.T, version, dir string, partitions []string) {
	scratch := t.TempDir()
	name := filepath.Join(scratch, "corpus-"+version)
	for _, p := range partitions {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
		copyTo(t, dir, name, p)
	}
	out, err := filepath.Abs(filepath.Join("testdata", "corpus-"+version+".tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "tar --sort=name --owner=0 --group=0 --exclude=.lock -cf - "+filepath.Base(name)+" | zstd -19 --long=27 -q -f -o "+out)
	cmd.Dir = scratch
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// asDumped holds verdicts on checksums against those of Kafka's own tool.
func asDumped(t *testing.T, c *lab.Cluster, dir string, partitions []string) {
	scratch := t.TempDir()
	var files []string
	want := map[string]int64{}
	for _, p := range partitions {
		to := filepath.Join(scratch, p)
		if err := os.MkdirAll(to, 0o755); err != nil {
			t.Fatal(err)
		}
		copyTo(t, dir, to, p)
		logs, err := filepath.Glob(filepath.Join(to, p, "*.log"))
		if err != nil {
			t.Fatal(err)
		}
		for _, log := range logs {
			data, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if len(data) < 2000 {
				continue
			}
			data[len(data)/3] ^= 1 << 3
			if err := os.WriteFile(log, data, 0o644); err != nil {
				t.Fatal(err)
			}
			r := mustScan(t, Options{}, log)
			for _, d := range r.Damage {
				if d.Kind == CRCMismatch {
					files, want[log] = append(files, log), d.Position
				}
			}
		}
	}
	script := filepath.Join(scratch, "dump")
	class := "org.apache.kafka.tools.DumpLogSegments"
	if c.Version < "4.3" {
		class = "kafka.tools.DumpLogSegments"
	}
	if err := c.Script(script, class); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(script, "--files", strings.Join(files, ",")).CombinedOutput()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v: %.2000s", err, out)
	}
	agreed, file := 0, ""
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "Dumping "); ok {
			file = strings.TrimSpace(rest)
		}
		if !strings.Contains(line, "isvalid: false") && !strings.Contains(line, "isvalid: true") {
			continue
		}
		bad := strings.Contains(line, "isvalid: false")
		ours := strings.Contains(line, fmt.Sprintf(" position: %d ", want[file]))
		if bad != ours {
			t.Errorf("%s: DumpLogSegments says %s, and here position %d is wrong", file, line, want[file])
		} else if bad {
			agreed++
		}
	}
	if agreed != len(files) || agreed < 5 {
		t.Errorf("DumpLogSegments agrees on %d of %d files", agreed, len(files))
	}
	t.Logf("DumpLogSegments agrees on %d damaged segments", agreed)
}
