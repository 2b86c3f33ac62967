package segments

import (
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// TestAlike: rows that stand twice count, whatever lies between; what is alike for
// other reasons does not.
func TestAlike(t *testing.T) {
	upTo := func(n uint64) (all []uint64) {
		for i := range n {
			all = append(all, i+1)
		}
		return all
	}
	many := append([]uint64{100_001, 100_002, 100_003}, upTo(alikeWindow)...)
	for _, c := range []struct {
		name    string
		digests []uint64
		want    int64
		where   Repeat
	}{
		{"nothing twice", upTo(1000), 0, Repeat{}},
		{"a batch again", []uint64{1, 2, 3, 4, 9, 2, 3, 4, 5}, 3, Repeat{First: 1, Again: 5}},
		{"one record again", []uint64{1, 2, 3, 4, 9, 2, 8, 4, 5}, 0, Repeat{}},
		{"the same all the time", []uint64{7, 7, 7, 7, 7, 7}, 0, Repeat{}},
		{"turn by turn", []uint64{1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}, 4, Repeat{First: 0, Again: 2}}, // until it is told from a retry
		{"sent three times", []uint64{1, 2, 3, 1, 2, 3, 1, 2, 3}, 6, Repeat{First: 0, Again: 3}},
		{"in another order", []uint64{1, 2, 3, 3, 2, 1}, 0, Repeat{}},
		{"beyond the window", append(many, 100_001, 100_002, 100_003), 0, Repeat{}},
	} {
		a := alike{}
		a.begin(1)
		var sum int64
		var first Repeat
		for i, d := range c.digests {
			n, where := a.record(&batch.Record{Offset: int64(i), Digest: d, ValueSize: 8})
			if sum == 0 {
				first = where
			}
			sum += n
		}
		if sum != c.want || first != c.where {
			t.Errorf("%s: %d alike, the first %+v; want %d, %+v", c.name, sum, first, c.want, c.where)
		}
		a.begin(2)
		for i, d := range c.digests[:min(2, len(c.digests))] {
			if n, _ := a.record(&batch.Record{Offset: int64(i), Digest: d, ValueSize: 8}); n != 0 {
				t.Errorf("%s: a record of another segment counts", c.name)
			}
		}
	}
}

// written writes a segment of batches of three records each, with a time of their
// own and no producer id unless told otherwise; the numbers are their payloads.
func written(t *testing.T, dir string, attributes int16, producer int64, batches ...[3]int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var log []byte
	for i, of := range batches {
		b := kmsg.RecordBatch{FirstOffset: int64(3 * i), Magic: 2, Attributes: attributes, LastOffsetDelta: 2, NumRecords: 3, ProducerID: producer, ProducerEpoch: -1, FirstSequence: -1, FirstTimestamp: 1e12 + int64(i), MaxTimestamp: 1e12 + int64(i)}
		for j, n := range of {
			b.Records = append(b.Records, sized(kmsg.Record{OffsetDelta: int32(j), Key: []byte("key"), Value: fmt.Appendf(nil, "payload %d", n)})...)
		}
		b.Length = int32(49 + len(b.Records))
		b.CRC = int32(crc32.Checksum(b.AppendTo(nil)[21:], castagnoli))
		log = b.AppendTo(log)
	}
	if err := os.WriteFile(filepath.Join(dir, "00000000000000000000.log"), log, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPayloadsTwice: what was sent again at another time is found by its payload,
// with --deep and where the broker stamps; with a producer id it is not looked for.
func TestPayloadsTwice(t *testing.T) {
	again := [][3]int{{1, 2, 3}, {4, 5, 6}, {1, 2, 3}, {7, 8, 9}}
	const appendTime = 1 << 3
	for _, c := range []struct {
		name       string
		attributes int16
		producer   int64
		o          Options
		unpacked   int64
		alike      int64
	}{
		{"deep", 0, -1, Options{Deep: true}, 12, 3},
		{"not unpacked", 0, -1, Options{}, 0, 0},
		{"by the producer, not unpacked", 0, -1, Options{Stamped: true}, 0, 0},
		{"stamped by the broker", appendTime, -1, Options{Stamped: true}, 12, 3},
		{"with a producer id", 0, 4000, Options{Deep: true}, 0, 0},
	} {
		dir := filepath.Join(t.TempDir(), "orders-3")
		written(t, dir, c.attributes, c.producer, again...)
		r := mustScan(t, c.o, dir)
		got := r.Topics["orders"]
		if len(r.Damage) > 0 || got == nil || got.Unpacked != c.unpacked || got.Alike != c.alike || got.Repeated != 0 || got.Sizes != [4]int64{0, 4} || got.Magic != [3]int64{0, 0, 4} {
			t.Errorf("%s: %+v, damage %v", c.name, got, r.Damage)
		}
		if want := "orders-3 at 0 and 6"; c.alike > 0 && got.AlikeExample.text() != want {
			t.Errorf("%s: as %s, want %s", c.name, got.AlikeExample.text(), want)
		}
	}
}
