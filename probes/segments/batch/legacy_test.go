package batch

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// message is one entry with magic 0 or 1; nil is null.
func message(magic byte, offset int64, attributes byte, stamp int64, key, value []byte) []byte {
	body := []byte{magic, attributes}
	if magic == 1 {
		body = binary.BigEndian.AppendUint64(body, uint64(stamp))
	}
	for _, f := range [][]byte{key, value} {
		if f == nil {
			body = binary.BigEndian.AppendUint32(body, 0xffffffff)
			continue
		}
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(f))), f...)
	}
	out := binary.BigEndian.AppendUint64(nil, uint64(offset))
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)+4))
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	return append(out, body...)
}

// packed is a set of messages as the clients of their time compressed it.
func packed(t testing.TB, codec Codec, magic byte, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch codec {
	case Gzip:
		w := gzip.NewWriter(&b)
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
		w.Close()
	case Snappy:
		b.WriteString(xerialMagic + "\x00\x00\x00\x01\x00\x00\x00\x01")
		for piece := range slices.Chunk(raw, 40) {
			block := snappy.Encode(nil, piece)
			b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(block))))
			b.Write(block)
		}
	case LZ4:
		w := lz4.NewWriter(&b)
		if err := w.Apply(lz4.ChecksumOption(false), lz4.BlockSizeOption(lz4.Block64Kb)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if magic == 0 { // summed with the frame's magic
			out := b.Bytes()
			out[6] = byte(xxh32(out[:6]) >> 8)
		}
	}
	return b.Bytes()
}

// legacy is a segment of a plain message, a null value, and sets of three.
func legacy(t testing.TB, magic byte) []byte {
	data := message(magic, 7, 0, 1000, []byte("k"), []byte("value"))
	data = append(data, message(magic, 8, 0, 1001, nil, nil)...)
	base := int64(9)
	for _, codec := range []Codec{Gzip, Snappy, LZ4} {
		var raw []byte
		for i := range int64(3) {
			offset := base + i
			if magic == 1 {
				offset = i
			}
			raw = append(raw, message(magic, offset, 0, 1002+i, []byte("key"), bytes.Repeat([]byte("payload "), 9))...)
		}
		data = append(data, message(magic, base+2, byte(codec), 1004, nil, packed(t, codec, magic, raw))...)
		base += 3
	}
	return data
}

func TestLegacy(t *testing.T) {
	for _, magic := range []byte{0, 1} {
		data := legacy(t, magic)
		s, r := NewScanner(bytes.NewReader(data), 0, int64(len(data)), nil), &Records{Keep: 100}
		var last []int64
		records := 0
		for s.Next() {
			if !s.Valid() || s.Header().Magic != int8(magic) {
				t.Errorf("magic %d at %d: %+v, valid %t", magic, s.Position(), s.Header(), s.Valid())
			}
			last = append(last, s.Header().LastOffset())
			r.Open(s.Header(), s.Body())
			for r.Next() {
				records++
				if v := string(r.Record().Value); v != "value" && v != "" && !strings.HasPrefix(v, "payload payload") {
					t.Errorf("value %q", v)
				}
			}
			if r.Err() != nil {
				t.Errorf("magic %d, %s: %v", magic, s.Header().Codec(), r.Err())
			}
		}
		if s.Stop() != AtEnd || records != 11 || !slices.Equal(last, []int64{7, 8, 11, 14, 17}) {
			t.Errorf("magic %d: stop %d, %d records, last offsets %v", magic, s.Stop(), records, last)
		}
	}
}

// TestLegacyDamage flips every bit in turn: the checksum sees each that is under it.
func TestLegacyDamage(t *testing.T) {
	for _, magic := range []byte{0, 1} {
		whole := message(magic, 7, 0, 1000, []byte("k"), []byte("value"))
		for i := 12; i < len(whole); i++ {
			bad := bytes.Clone(whole)
			bad[i] ^= 4
			s := NewScanner(bytes.NewReader(bad), 0, int64(len(bad)), nil)
			if s.Next() && s.Valid() {
				t.Errorf("magic %d: a flipped bit in byte %d is not seen", magic, i)
			}
		}
	}
}

// TestBombs: what unpacks to far more than it is takes neither time nor memory.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 300 {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	huge := binary.AppendVarint(nil, 1<<30) // one record, a gigabyte by its own account
	huge = append(huge, 0)
	for _, n := range []int64{0, 0, -1, 1 << 29} {
		huge = binary.AppendVarint(huge, n)
	}
	var g bytes.Buffer
	w = gzip.NewWriter(&g)
	w.Write(huge)
	for range 300 {
		w.Write(zeros)
	}
	w.Close()
	r := &Records{Keep: 100}
	h := Header{Magic: 2, Count: 1, Attributes: int16(Gzip)}
	for name, body := range map[string][]byte{"no records": b.Bytes(), "one record": g.Bytes()} {
		var err error
		got := testing.AllocsPerRun(1, func() {
			r.Open(&h, bytes.NewReader(body))
			for r.Next() {
			}
			err = r.Err()
		})
		if err == nil || got > 100 || name == "one record" && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error %v after %.0f allocations", name, err, got)
		}
	}
	long := snappy.Encode(nil, make([]byte, maxBlock+1))
	h.Attributes = int16(Snappy)
	r.Open(&h, bytes.NewReader(long))
	if r.Next() || !errors.Is(r.Err(), ErrTooLarge) {
		t.Errorf("a long block: error %v", r.Err())
	}
}
