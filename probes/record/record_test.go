package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var began = time.Date(2026, 11, 23, 1, 2, 3, 456789000, time.UTC)

// batch is what three brokers with some partitions say, each second a bit more.
func batch(n, partitions int) fact.Batch {
	at := began.Add(time.Duration(n) * time.Second)
	b := fact.Batch{At: at}
	for id := int32(1); id <= 3; id++ {
		m := fact.MetadataView{ClusterID: "c", Controller: 1, Topics: []string{"orders"}, Internal: []bool{false}}
		for p := range int32(partitions) {
			m.Topic = append(m.Topic, 0)
			m.Partition = append(m.Partition, p)
			m.Leader = append(m.Leader, 1+p%3)
			m.Epoch = append(m.Epoch, int32(n))
			m.Error = append(m.Error, 0)
			m.Replicas.Add([]int32{1 + p%3, 1 + (p+1)%3, 1 + (p+2)%3})
			m.ISR.Add([]int32{1 + p%3, 1 + (p+1)%3, 1 + (p+2)%3})
			m.Offline.Add(nil)
		}
		o := fact.Metadata.Is(fact.BrokerOf(id), m)
		o.At, o.Source = at, "kafka.metadata"
		b.Observations = append(b.Observations, o, fact.ProcessCPU.Is(fact.ProcessOf(id), float64(n)*1.37),
			fact.DirUsed.Unknown(fact.LogDirOf(id, "/data"), &fact.Unknown{Reason: fact.NotAllowed, Detail: "statfs", How: "be root"}))
	}
	b.Runs = []fact.Run{{Probe: "kafka.metadata", Status: fact.Partial, Seconds: 0.012, Error: "broker 3: timed-out"}}
	if n == 2 {
		b.Marks = []fact.Mark{{At: at, Kind: fact.FixApplied, Text: "restarted"}}
	}
	return b
}

func write(t *testing.T, path string, n, partitions int) {
	t.Helper()
	w, err := Create(path, Header{Tool: "test", Started: began}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(batch(i, partitions)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// all reads to the end.
func all(t *testing.T, r *Reader) []fact.Batch {
	t.Helper()
	var got []fact.Batch
	for {
		b, err := r.Next(t.Context())
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadsBackWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	write(t, path, 5, 10)
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if h := r.Header(); h.Tool != "test" || h.Format != Format || !h.Started.Equal(began) {
		t.Errorf("header %+v", h)
	}
	got := all(t, r)
	if len(got) != 5 || r.Damage() != nil {
		t.Fatalf("%d batches, damage %v; want 5 and none", len(got), r.Damage())
	}
	for i, b := range got {
		if want := text(t, batch(i, 10)); text(t, b) != want {
			t.Errorf("batch %d: %s\nwant %s", i, text(t, b), want)
		}
	}
	if v, ok := got[0].Observations[0].Value.(fact.MetadataView); !ok || len(v.Leader) != 10 {
		t.Errorf("value has type %T", got[0].Observations[0].Value)
	}
}

func TestEveryPrefixIsUsable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	write(t, path, 6, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for n := 0; n < len(whole); n += 3 {
		r, err := NewReader("cut", bytes.NewReader(whole[:n]))
		if err != nil {
			if before > 0 {
				t.Fatalf("%d bytes are no recording any more: %v", n, err)
			}
			continue
		}
		got := len(all(t, r))
		if got < before {
			t.Fatalf("%d bytes give %d batches, fewer than a shorter prefix", n, got)
		}
		if r.Damage() == nil {
			t.Fatalf("%d of %d bytes: nothing is said about the missing end", n, len(whole))
		}
		before = got
		r.Close()
	}
	if before != 6 {
		t.Errorf("nearly all bytes give %d batches, want 6", before)
	}
}

func TestReadableWhileWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	w, err := Create(path, Header{Tool: "test"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for n := 1; n <= 3; n++ {
		if err := w.Write(batch(n, 2)); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, r); len(got) != n {
			t.Errorf("%d batches can be read after %d were written", len(got), n)
		}
		r.Close()
	}
}

func TestDamageInTheMiddleEndsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	write(t, path, 50, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/2] ^= 0xff
	r, err := NewReader("bad.ktr", bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	got := all(t, r)
	if len(got) == 0 || len(got) == 50 || r.Damage() == nil || !strings.HasPrefix(r.Damage().Error(), "bad.ktr:") {
		t.Errorf("%d batches, damage %v", len(got), r.Damage())
	}
}

// packed is lines as a recording.
func packed(t testing.TB, lines ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if _, err := io.WriteString(z, l+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const header = `{"format":"ktriage.recording/v1","tool":"x"}`

func TestWhatIsNoRecordingIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		bytes []byte
		want  string
	}{
		"empty":     {nil, "f: not a recording: it is empty"},
		"text":      {[]byte("hello, this is a log file\n"), "f: not a recording: no zstd data here"},
		"other":     {packed(t, `{"format":"ktriage.recording/v9"}`), `f:1: format "ktriage.recording/v9", expected "ktriage.recording/v1"`},
		"no header": {packed(t, `[1]`), "f: not a recording: json: cannot unmarshal array into Go value of type record.Header"},
	} {
		if _, err := NewReader("f", bytes.NewReader(tc.bytes)); err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
	}
}

func TestBadLineNamesItsPlace(t *testing.T) {
	good := `{"at":"2026-11-23T01:02:03Z","observations":[{"k":"host.cpus","s":"host a","v":4}]}`
	for bad, want := range map[string]string{
		`{"at":"2026-11-23T01:02:04Z","observations":[{"k":"host.cpus","s":"host a","v":"four"}]}`: "value of host.cpus on host a",
		`{"at":"2026-11-23T01:02:04Z","observations":[{"k":"host.cpus","s":"galaxy a","v":4}]}`:    `unknown scope "galaxy"`,
		`{"at":"2026-11-23T01:02:04Z","observations":[null]}`:                                      "subject",
		`{}`: `field "at" is missing`,
		`{"at":"2026-11-23T01:02:04Z","observations":[` + strings.Repeat(`{},`, maxObjects) + `{}]}`: "objects in one batch",
	} {
		r, err := NewReader("f", bytes.NewReader(packed(t, header, good, bad, good)))
		if err != nil {
			t.Fatal(err)
		}
		got := all(t, r)
		if d := r.Damage(); len(got) != 1 || d == nil || !strings.HasPrefix(d.Error(), "f:3: ") || !strings.Contains(d.Error(), want) || !strings.HasSuffix(d.Error(), "; 1 batches before it are used") {
			t.Errorf("%.60s: %d batches, damage %v; want one with %q", bad, len(got), d, want)
		}
	}
}

func TestUnknownKeysAreKept(t *testing.T) {
	line := `{"at":"2026-11-23T01:02:03Z","observations":[{"k":"future.key","s":"broker 3","v":{"a":[1,2]}}]}`
	r, err := NewReader("f", bytes.NewReader(packed(t, header, line)))
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, r); len(got) != 1 || text(t, got[0]) != line {
		t.Errorf("%s, want %s", text(t, got), line)
	}
}

func TestBombCostsLittleMemory(t *testing.T) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(z, header+"\n")
	zeros := make([]byte, 1<<20)
	for range 512 {
		z.Write(zeros)
	}
	z.Close()
	r, err := NewReader("bomb", bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := all(t, r)
	runtime.ReadMemStats(&after)
	if len(got) != 0 || r.Damage() == nil || !strings.Contains(r.Damage().Error(), "a line of more than") {
		t.Errorf("%d batches, damage %v", len(got), r.Damage())
	}
	if mib := (after.Sys - before.Sys) >> 20; mib > 400 {
		t.Errorf("%d KiB that unfold to 512 MiB took %d MiB", out.Len()>>10, mib)
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	logs := filepath.Join(dir, "kafka")
	os.Mkdir(logs, 0o755)
	os.Symlink(logs, filepath.Join(dir, "link"))
	for _, path := range []string{filepath.Join(logs, "a.ktr"), filepath.Join(dir, "link", "a.ktr"), filepath.Join(dir, "x", "..", "kafka", "a.ktr")} {
		if _, err := Create(path, Header{}, Limits{LogDirs: []string{logs}}); err == nil || !strings.Contains(err.Error(), "below the log dir") {
			t.Errorf("%s: %v, want a refusal", path, err)
		}
	}
	if entries, _ := os.ReadDir(logs); len(entries) != 0 {
		t.Error("something was written below the log dir")
	}
	path := filepath.Join(dir, "kafka.ktr") // beside, not below
	w, err := Create(path, Header{}, Limits{LogDirs: []string{logs}, MaxSize: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil && n < 10_000; n++ {
		err = w.Write(batch(n, 20))
	}
	if !errors.Is(err, ErrStopped) {
		t.Fatalf("after %d batches: %v", n, err)
	}
	info, _ := os.Stat(path)
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := len(all(t, r)); info.Size() > 20_000 || got != n-1 || r.Damage() != nil {
		t.Errorf("%d bytes, %d of %d batches, damage %v", info.Size(), got, n-1, r.Damage())
	}
	if _, err := Create(path, Header{}, Limits{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file: %v, want a refusal", err)
	}
}

func TestRoomIsLeft(t *testing.T) {
	for _, tc := range []struct {
		free, total uint64
		ok          bool
	}{{99 << 20, 1 << 30, false}, {101 << 20, 1 << 30, true}, {4 << 30, 100 << 30, false}, {6 << 30, 100 << 30, true}} {
		if err := enough(tc.free, tc.total); (err == nil) != tc.ok {
			t.Errorf("%d MiB of %d: %v", tc.free>>20, tc.total>>20, err)
		}
	}
	if _, err := Create("/sys/fs/a.ktr", Header{}, Limits{}); err == nil {
		t.Error("no refusal where there is no room at all")
	}
}

func TestTeeWritesWhatPasses(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.ktr"), 4, 2)
	r, err := Open(filepath.Join(dir, "a.ktr"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := Create(filepath.Join(dir, "b.ktr"), Header{Tool: "copy"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	through := Tee(r, w)
	n := 0
	for {
		if _, err = through.Next(context.Background()); err != nil {
			break
		}
		n++
	}
	w.Close()
	again, err := Open(filepath.Join(dir, "b.ktr"))
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, again); n != 4 || len(got) != 4 || text(t, got[3]) != text(t, batch(3, 2)) {
		t.Errorf("%d passed and %d were written, want 4 and 4", n, len(got))
	}
}
