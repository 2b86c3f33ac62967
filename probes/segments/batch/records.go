package batch

import (
	"bufio"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
)

// Record is one record of a batch. With a compressed set of magic 1, Offset
// counts from the first record that the set was made with, which it does not name.
type Record struct {
	Offset    int64
	Timestamp int64  // milliseconds, -1 for none
	Key       []byte // nil for null; as much of it as is kept, until the next call
	Value     []byte
	KeySize   int64 // bytes there are, -1 for null
	ValueSize int64
	Headers   int
	Digest    uint64 // of key and value, where it was asked for: equal in one process when they are
}

// Records unpacks one batch after the other, and holds what that needs: some
// 100 KiB, up to 20 MiB after batches of lz4 and zstd. It is not for use by
// several goroutines.
type Records struct {
	Keep   int  // how many bytes of each key and value are kept
	Digest bool // whether Record.Digest is wanted

	header Header
	record Record
	key    []byte
	value  []byte
	read   int32
	packed *bufio.Reader
	in     input
	codecs unpacker
	hash   maphash.Hash
	last   int64 // offset of the record before
	ended  bool
	err    error
}

var seed = maphash.MakeSeed()

// Open begins with a batch. body is what follows its header, as Scanner.Body.
func (r *Records) Open(h *Header, body io.Reader) {
	if r.packed == nil {
		r.packed, r.in.from = bufio.NewReaderSize(nil, 32<<10), bufio.NewReaderSize(nil, 32<<10)
		r.key, r.value = []byte{}, []byte{}
	}
	r.hash.SetSeed(seed)
	r.header, r.read, r.ended, r.err, r.last = *h, 0, false, nil, -1
	r.packed.Reset(body)
	r.in = input{from: r.in.from, limit: maxUnpacked}
	if err := h.Check(); err != nil {
		r.fail(err)
		return
	}
	if h.Codec() == None {
		r.in.limit = h.Size()
		r.in.from.Reset(r.packed)
		return
	}
	if h.Magic < 2 {
		r.unwrap()
		if r.err != nil {
			return
		}
	}
	stream, err := r.codecs.open(h.Codec(), h.Magic, r.packed)
	if err != nil {
		r.fail(fmt.Errorf("unpack %s: %w", h.Codec(), tooLarge(err)))
		return
	}
	r.in.from.Reset(stream)
}

// Record is the current record, until the next call of Next.
func (r *Records) Record() *Record { return &r.record }

// Err says what is wrong with the batch; nil at the sound end of one. It wraps
// ErrTooLarge where nothing is known to be wrong.
func (r *Records) Err() error { return r.err }

// Next goes to the next record; false at the end, and Err says which.
func (r *Records) Next() bool {
	if r.err != nil || r.ended {
		return false
	}
	if r.header.Magic < 2 {
		return r.nextLegacy()
	}
	if r.read == r.header.Count {
		r.ended = true
		if err := r.in.ended(); err != nil {
			r.fail(fmt.Errorf("after %d records: %w", r.read, err))
		}
		return false
	}
	r.parse()
	if r.err == nil && r.in.err != nil {
		r.fail(fmt.Errorf("record %d of %d: %w", r.read+1, r.header.Count, r.in.err))
	}
	r.read++
	return r.err == nil
}

func (r *Records) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// wrong is an error of the current record.
func (r *Records) wrong(format string, args ...any) {
	if r.in.err == nil { // what was read is not just the zeros of a failed read
		r.fail(fmt.Errorf("record %d: %w", r.read+1, fmt.Errorf(format, args...)))
	}
}

// parse reads one record of magic 2.
func (r *Records) parse() {
	in := &r.in
	size := in.varint()
	begin := in.taken
	left := func() int64 { return size - (in.taken - begin) }
	if size < 0 || r.header.Codec() == None && size > in.limit-in.taken {
		r.wrong("length %d, expected from 0 to %d", size, in.limit-in.taken)
		return
	}
	in.byte() // attributes, of which none are used
	r.record = Record{Timestamp: r.header.BaseTimestamp + in.varint()}
	delta := in.varint()
	r.record.Offset = r.header.BaseOffset + delta
	if delta < 0 || delta > int64(r.header.LastOffsetDelta) || r.record.Offset <= r.last {
		r.wrong("offset %d, expected from %d to %d", r.record.Offset, max(r.last+1, r.header.BaseOffset), r.header.LastOffset())
		return
	}
	r.last = r.record.Offset
	if r.header.LogAppendTime() {
		r.record.Timestamp = r.header.MaxTimestamp
	}
	r.hash.Reset()
	if !r.field("key", in.varint(), left, &r.record.Key, &r.record.KeySize, &r.key) ||
		!r.field("value", in.varint(), left, &r.record.Value, &r.record.ValueSize, &r.value) {
		return
	}
	r.headers(in.varint(), left)
	if n := left(); n != 0 && r.err == nil {
		r.wrong("its length is %d bytes off what it holds", n)
	}
	if r.Digest {
		r.record.Digest = r.hash.Sum64()
	}
}

// field reads a key or a value of n bytes.
func (r *Records) field(name string, n int64, left func() int64, to *[]byte, size *int64, buf *[]byte) bool {
	*to, *size = nil, n
	if n < -1 || n > left() {
		r.wrong("%s of %d bytes, expected from -1 to %d", name, n, left())
		return false
	}
	if r.Digest {
		r.hash.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
	}
	if n < 0 {
		return r.in.err == nil
	}
	var digest io.Writer
	if r.Digest {
		digest = &r.hash
	}
	*buf = r.in.bytes(n, r.Keep, *buf, digest)
	*to = *buf
	return r.in.err == nil
}

// headers reads n names and values.
func (r *Records) headers(n int64, left func() int64) {
	if n < 0 || n > left() {
		r.wrong("%d headers, expected from 0 to %d", n, left())
		return
	}
	r.record.Headers = int(n)
	for range n {
		for _, least := range []int64{0, -1} { // a name, and a value or null
			size := r.in.varint()
			if size < least || size > left() {
				r.wrong("a header of %d bytes, expected from %d to %d", size, least, left())
				return
			}
			r.in.bytes(size, 0, nil, nil)
			if r.in.err != nil {
				return
			}
		}
	}
}

// ControlType is what the mark in a control record is about: its key is two
// numbers of 16 bits, version and type.
func ControlType(key []byte) (Control, error) {
	if len(key) < 4 {
		return 0, errors.New("control record with a key of fewer than 4 bytes")
	}
	return Control(int16(key[2])<<8 | int16(key[3])), nil
}

// Control is the type of a control record.
type Control int16

const (
	Abort Control = iota
	Commit
	LeaderChange
	SnapshotHeader
	SnapshotFooter
	KRaftVersion
	KRaftVoters
)
