package segments

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/segments/segmentstest"
	"github.com/ktriage/ktriage/probes/segments/vandal"
)

// soundDir is a log dir of real, sound partitions.
func soundDir(t testing.TB) string {
	root := filepath.Join(segmentstest.Unpack(t, "testdata/real.tar.zst"), "real")
	dir := filepath.Join(root, "log-dir")
	for _, p := range []string{"codec-none-0", "codec-gzip-0", "codec-snappy-0", "codec-lz4-0", "codec-zstd-0", "txn-log-0", "idem-0", "appendtime-0", "compacted-0"} {
		if err := os.Rename(filepath.Join(root, p), filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEveryDamage damages copies of partitions in every way there is, and each is
// found with its kind and its place. Sound partitions beside it stay silent.
func TestEveryDamage(t *testing.T) {
	dir := soundDir(t)
	if r := mustScan(t, Options{Deep: true}, dir); len(r.Damage) > 0 || r.Summary.Partitions != 10 {
		t.Fatalf("sound partitions: %+v", r)
	}
	done := everyDamage(t, dir, []string{"codec-none-0", "codec-gzip-0", "txn-log-0", "idem-0", "appendtime-0"})
	for _, d := range vandal.Damages {
		if done[d.Name] == 0 && !manySegments[d.Name] && !strings.HasPrefix(d.Name, "old, ") {
			t.Errorf("%s: no partition could be damaged so", d.Name)
		}
	}
}

// everyDamage damages three segments of each of the partitions in every way that it can be,
// and says how often each was done.
func everyDamage(t *testing.T, dir string, partitions []string) map[string]int {
	done := map[string]int{}
	for _, p := range partitions {
		probe, err := vandal.Open(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		n := len(probe.Bases)
		for _, aim := range slices.Compact([]int{0, n / 2, n - 1}) {
			for _, d := range vandal.Damages {
				probe.Aim = aim
				if !d.Needs(probe) {
					continue
				}
				done[d.Name]++
				one(t, dir, p, aim, d)
			}
		}
	}
	return done
}

// one damages a copy of one partition, and verifies it.
func one(t *testing.T, dir, partition string, aim int, d vandal.Damage) {
	t.Helper()
	scratch, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(scratch)
	copyTo(t, dir, scratch, partition)
	v, err := vandal.Open(scratch, partition)
	if err != nil {
		t.Fatal(err)
	}
	v.Aim = aim
	truth := d.Do(v)
	age(t, scratch)
	r := mustScan(t, Options{Deep: d.Deep, Workers: 1}, scratch)
	for _, got := range r.Damage {
		if string(got.Kind) == truth.Kind && got.File == truth.File && (truth.Position < 0 || got.Position == truth.Position) && got.SelfHealing == truth.Heals {
			return
		}
	}
	t.Errorf("%s, segment %d of %s: found %s; want %s in %s at %d, heals %t", d.Name, aim, partition, listed(r.Damage), truth.Kind, filepath.Base(truth.File), truth.Position, truth.Heals)
}

// age makes all files look as if nobody wrote to them lately.
func age(t testing.TB, dir string) {
	t.Helper()
	then := time.Now().Add(-2 * leftOver)
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func listed(all []Damage) string {
	var s []string
	for _, d := range all {
		s = append(s, fmt.Sprintf("%s in %s at %d, heals %t (%s)", d.Kind, filepath.Base(d.File), d.Position, d.SelfHealing, d.Text))
	}
	if len(s) == 0 {
		return "nothing"
	}
	return strings.Join(s, "; ")
}

// copyTo copies what stands beside the partitions of a log dir, and one of these.
func copyTo(t testing.TB, dir, to, partition string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			copyFile(t, filepath.Join(dir, e.Name()), filepath.Join(to, e.Name()))
		}
	}
	if err := os.CopyFS(filepath.Join(to, partition), os.DirFS(filepath.Join(dir, partition))); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// manySegments are the damages that take a partition of many segments, or of
// large ones.
var manySegments = map[string]bool{"a segment missing": true, "time index, the last entries gone, closed": true}

// TestCorpus does the same to what TestLabCorpus has kept: partitions of many
// segments, of every codec, compacted, with transactions, by several versions.
// Nothing is wrong with them as they are; a damage of each kind is found in one.
func TestCorpus(t *testing.T) {
	archives, err := filepath.Glob("testdata/corpus-*.tar.zst")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no corpus, error %v", err)
	}
	done := map[string]int{}
	for _, archive := range archives {
		dir := filepath.Join(segmentstest.Unpack(t, archive), strings.TrimSuffix(filepath.Base(archive), ".tar.zst"))
		age(t, dir)
		r := mustScan(t, Options{Deep: true}, dir)
		if r.Found() || r.Incomplete() {
			t.Errorf("%s, as the brokers left it: %s", archive, listed(r.Damage))
		}
		for _, d := range inSecondSegment(t, dir) {
			done[d]++
		}
	}
	for name := range manySegments {
		if done[name] == 0 {
			t.Errorf("%s: no partition could be damaged so", name)
		}
	}
}

// inSecondSegment damages the second segment of two partitions, and says how.
func inSecondSegment(t *testing.T, dir string) (names []string) {
	for _, p := range []string{"none-0", "v1-0"} {
		if _, err := os.Stat(filepath.Join(dir, p)); err != nil {
			continue
		}
		v, err := vandal.Open(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range vandal.Damages {
			if v.Aim = min(1, len(v.Bases)-1); d.Needs(v) {
				one(t, dir, p, v.Aim, d)
				names = append(names, d.Name)
			}
		}
	}
	return names
}

// TestNameless: with KRaft every replica has a partition.metadata, and one that
// lacks it is named; with ZooKeeper that says nothing.
func TestNameless(t *testing.T) {
	dir := soundDir(t)
	lost := filepath.Join(dir, "idem-0", "partition.metadata")
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	age(t, dir)
	if r := mustScan(t, Options{}, dir); len(r.Damage) != 1 || r.Damage[0].Kind != MissingFile || r.Damage[0].File != lost {
		t.Errorf("%s", listed(r.Damage))
	}
	if err := os.WriteFile(filepath.Join(dir, metaProperties), []byte("version=0\nbroker.id=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := mustScan(t, Options{}, dir); len(r.Damage) != 0 {
		t.Errorf("with ZooKeeper: %s", listed(r.Damage))
	}
}

// A directory that a broker made, and could not go on in: the file system was
// full. There is nothing in it, and the broker makes the replica anew.
func TestReplicaThatWasNotFinished(t *testing.T) {
	dir := soundDir(t)
	half := filepath.Join(dir, "idem-7")
	if err := os.Mkdir(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "00000000000000000000.log"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	age(t, dir)
	if r := mustScan(t, Options{}, dir); len(r.Damage) != 0 {
		t.Errorf("%s", listed(r.Damage))
	}
}
