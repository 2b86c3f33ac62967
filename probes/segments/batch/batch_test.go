package batch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

func open(t testing.TB, name string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, info.Size()
}

// dumped is a line about a batch as DumpLogSegments prints it.
func dumped(s *Scanner) string {
	h := s.Header()
	sequence, horizon := int32(-1), "OptionalLong.empty"
	if h.BaseSequence >= 0 {
		sequence = h.BaseSequence + h.LastOffsetDelta
	}
	if h.DeleteHorizon() {
		horizon = fmt.Sprintf("OptionalLong[%d]", h.BaseTimestamp)
	}
	stamp := "CreateTime"
	if h.LogAppendTime() {
		stamp = "LogAppendTime"
	}
	return fmt.Sprintf("baseOffset: %d lastOffset: %d count: %d baseSequence: %d lastSequence: %d producerId: %d producerEpoch: %d partitionLeaderEpoch: %d isTransactional: %t isControl: %t deleteHorizonMs: %s position: %d %s: %d size: %d magic: %d compresscodec: %s crc: %d isvalid: %t",
		h.BaseOffset, h.LastOffset(), h.Count, h.BaseSequence, sequence, h.ProducerID, h.ProducerEpoch, h.LeaderEpoch,
		h.Transactional(), h.Control(), horizon, s.Position(), stamp, h.MaxTimestamp, h.Size(), h.Magic, h.Codec(), h.CRC, s.Valid())
}

var batchLine = regexp.MustCompile(`(?m)^baseOffset: .*isvalid: \w+`)

// TestAsDumpLogSegments reads real segments, and gives line for line what
// Kafka's own tool printed of them, through a large buffer and a tiny one.
func TestAsDumpLogSegments(t *testing.T) {
	root := filepath.Join(segmentstest.Unpack(t, "../testdata/real.tar.zst"), "real")
	dumps, err := filepath.Glob(filepath.Join(root, "*.dump.txt"))
	if err != nil || len(dumps) < 14 {
		t.Fatalf("%d dumps, error %v", len(dumps), err)
	}
	lines := 0
	for _, dump := range dumps {
		text, err := os.ReadFile(dump)
		if err != nil {
			t.Fatal(err)
		}
		dir := strings.Replace(strings.TrimSuffix(dump, ".dump.txt"), "log-dir.", "log-dir/", 1)
		want := batchLine.FindAllString(string(text), -1)
		logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
		if err != nil || len(logs) == 0 {
			t.Fatalf("%s: no logs, error %v", dir, err)
		}
		for _, size := range []int{4 << 10, BufferSize} {
			var got []string
			for _, log := range logs {
				f, end := open(t, log)
				s := NewScanner(f, 0, end, make([]byte, size))
				for s.Next() {
					got = append(got, dumped(s))
				}
				if s.Err() != nil {
					t.Errorf("%s: %v", log, s.Err())
				}
			}
			if len(want) > 0 && !slices.Equal(got, want) { // torn-tail's dump is of its index alone
				t.Errorf("%s: %d batches, want %d; the first that differs:\n%s", dir, len(got), len(want), firstDiff(got, want))
			}
			lines += len(want)
		}
	}
	if lines < 2*600 {
		t.Errorf("only %d lines were compared", lines)
	}
}

func firstDiff(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return got[i] + "\n" + want[i]
		}
	}
	return "(in the length)"
}

// TestRecords unpacks every record of real segments of every codec.
func TestRecords(t *testing.T) {
	root := filepath.Join(segmentstest.Unpack(t, "../testdata/real.tar.zst"), "real")
	logs, err := filepath.Glob(filepath.Join(root, "*", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(root, "log-dir", "*", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]uint64{} // of the codec-… topics: one input, five codecs
	for _, log := range append(logs, more...) {
		f, end := open(t, log)
		r := &Records{Keep: 1 << 20, Digest: true}
		topic := filepath.Base(filepath.Dir(log))
		for s := NewScanner(f, 0, end, nil); s.Next(); {
			if !s.Valid() {
				continue
			}
			r.Open(s.Header(), s.Body())
			n := int32(0)
			for r.Next() {
				n++
				if strings.HasPrefix(topic, "codec-") {
					content[topic] = append(content[topic], r.Record().Digest)
				}
			}
			if r.Err() != nil || n != s.Header().Count {
				t.Errorf("%s at %d: %d records of %d, error %v", log, s.Position(), n, s.Header().Count, r.Err())
			}
		}
	}
	if len(content) != 5 || len(content["codec-none-0"]) != 600 {
		t.Fatalf("%d topics, %d records in the first", len(content), len(content["codec-none-0"]))
	}
	for topic, digests := range content {
		if !slices.Equal(digests, content["codec-none-0"]) {
			t.Errorf("%s holds other records than codec-none-0", topic)
		}
	}
}

// TestControl reads the marks of transactions.
func TestControl(t *testing.T) {
	root := filepath.Join(segmentstest.Unpack(t, "../testdata/real.tar.zst"), "real")
	f, end := open(t, filepath.Join(root, "txn-log-0", "00000000000000000000.log"))
	r := &Records{Keep: 16}
	marks := map[Control]int{}
	for s := NewScanner(f, 0, end, nil); s.Next(); {
		if !s.Header().Control() {
			continue
		}
		r.Open(s.Header(), s.Body())
		for r.Next() {
			kind, err := ControlType(r.Record().Key)
			if err != nil {
				t.Fatal(err)
			}
			marks[kind]++
		}
	}
	if marks[Abort] != 3 || marks[Commit] < 3 || len(marks) != 2 {
		t.Errorf("marks %v", marks)
	}
}

// TestStops is how scanning ends.
func TestStops(t *testing.T) {
	root := filepath.Join(segmentstest.Unpack(t, "../testdata/real.tar.zst"), "real")
	whole, err := os.ReadFile(filepath.Join(root, "codec-none-0", "00000000000000000000.log"))
	if err != nil {
		t.Fatal(err)
	}
	nonsense := bytes.Clone(whole)
	copy(nonsense[2641:], "rubbish that is no batch")
	for name, c := range map[string]struct {
		data []byte
		stop Stop
		at   int64
	}{
		"whole":             {whole, AtEnd, int64(len(whole))},
		"empty":             {nil, AtEnd, 0},
		"cut in a batch":    {whole[:72840], Torn, 71685},
		"cut in a header":   {whole[:71685+40], Torn, 71685},
		"cut in an offset":  {whole[:71685+10], Torn, 71685},
		"zeros follow":      {append(bytes.Clone(whole), make([]byte, 1<<20)...), Zeros, int64(len(whole))},
		"few zeros follow":  {append(bytes.Clone(whole), make([]byte, 3)...), Zeros, int64(len(whole))},
		"nonsense":          {nonsense, Nonsense, 2641},
		"zeros, then bytes": {append(append(bytes.Clone(whole), make([]byte, 100)...), 1), Nonsense, int64(len(whole))},
	} {
		s := NewScanner(bytes.NewReader(c.data), 0, int64(len(c.data)), make([]byte, 4<<10))
		for s.Next() {
		}
		if s.Stop() != c.stop || s.Position() != c.at || (s.Err() != nil) != (c.stop == Nonsense) {
			t.Errorf("%s: stop %d at %d, error %v; want %d at %d", name, s.Stop(), s.Position(), s.Err(), c.stop, c.at)
		}
		if name != "nonsense" {
			continue
		}
		next, err := s.Resync(c.at+1, 21, 1000)
		if err != nil || next != 5093 {
			t.Errorf("the next batch is found at %d, error %v, want 5093", next, err)
		}
		s.Skip(next)
		n := 0
		for s.Next() {
			n++
		}
		if n != 28 || s.Stop() != AtEnd {
			t.Errorf("%d batches after it, stop %d", n, s.Stop())
		}
	}
}
