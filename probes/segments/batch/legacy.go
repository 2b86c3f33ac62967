package batch

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// nextLegacy reads the next message with magic 0 or 1: the only one, or one of a
// compressed set.
func (r *Records) nextLegacy() bool {
	if r.header.Codec() == None {
		return r.only()
	}
	if _, err := r.in.from.Peek(1); err == io.EOF {
		r.ended = true
		if r.read == 0 {
			r.fail(errors.New("a compressed set without messages"))
		}
		return false
	}
	r.inner()
	if r.err == nil && r.in.err != nil {
		r.fail(fmt.Errorf("message %d: %w", r.read+1, r.in.err))
	}
	r.read++
	return r.err == nil
}

// only reads the one message of an uncompressed entry.
func (r *Records) only() bool {
	if r.read == 1 {
		r.ended = true
		if err := r.in.ended(); err != nil {
			r.fail(err)
		}
		return false
	}
	r.read = 1
	r.record = Record{Offset: r.header.BaseOffset, Timestamp: r.header.MaxTimestamp}
	size := r.header.Size() - headerSize(r.header.Magic)
	r.content(func() int64 { return size - r.in.taken })
	if r.in.err != nil {
		r.fail(r.in.err)
	}
	return r.err == nil
}

// inner reads one message out of a compressed set, and sums it.
func (r *Records) inner() {
	in := &r.in
	offset, size := in.fixed(8), in.fixed(4)
	if size < minLegacy-lead || size > maxUnpacked {
		r.wrong("length %d, expected at least %d", size, minLegacy-lead)
		return
	}
	sum := uint32(in.fixed(4))
	in.sums = crc32.NewIEEE()
	defer func() { in.sums = nil }()
	begin := in.taken
	magic, attributes := int8(in.fixed(1)), in.byte()
	r.record = Record{Offset: offset, Timestamp: -1}
	if magic == 1 {
		r.record.Timestamp = in.fixed(8)
	}
	switch {
	case magic != r.header.Magic:
		r.wrong("magic %d in a set with magic %d", magic, r.header.Magic)
		return
	case attributes&7 != 0:
		r.wrong("a compressed set in a compressed set")
		return
	case offset <= r.last:
		r.wrong("offset %d after %d", offset, r.last)
		return
	}
	r.last = offset
	r.content(func() int64 { return size - 4 - (in.taken - begin) })
	if r.err == nil && in.err == nil && in.sums.Sum32() != sum {
		r.wrong("checksum %08x, expected %08x", in.sums.Sum32(), sum)
	}
}

// content reads key and value up to the end of the message.
func (r *Records) content(left func() int64) {
	r.hash.Reset()
	if !r.field("key", r.in.fixed(4), left, &r.record.Key, &r.record.KeySize, &r.key) ||
		!r.field("value", r.in.fixed(4), left, &r.record.Value, &r.record.ValueSize, &r.value) {
		return
	}
	if n := left(); n != 0 {
		r.wrong("its length is %d bytes off what it holds", n)
	}
	if r.Digest {
		r.record.Digest = r.hash.Sum64()
	}
}

// unwrap passes over what a compressed set has in front of the packed messages:
// a key, and the value's length.
func (r *Records) unwrap() {
	head := input{from: r.packed, limit: r.header.Size()}
	if n := head.fixed(4); n > 0 {
		head.bytes(n, 0, nil, nil)
	}
	if n := head.fixed(4); head.err == nil && n != r.header.Size()-headerSize(r.header.Magic)-head.taken {
		head.fail(fmt.Errorf("packed messages of %d bytes, expected %d", n, r.header.Size()-headerSize(r.header.Magic)-head.taken))
	}
	if head.err != nil {
		r.fail(fmt.Errorf("compressed set: %w", head.err))
	}
}
