package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// UUID is an id as Kafka stores it; the zero one is none.
type UUID [16]byte

// input reads the primitives of Kafka's messages from bytes and keeps its first
// error. After one, everything is zero.
type input struct {
	rest     []byte
	flexible bool // compact lengths, tagged fields
	field    string
	err      error
}

var errShort = errors.New("the record ends within it")

func (in *input) fail(err error) {
	if in.err == nil {
		in.err = fmt.Errorf("field %s: %w", in.field, err)
	}
}

func (in *input) take(n int) []byte {
	if in.err != nil {
		return nil
	}
	if n < 0 || n > len(in.rest) {
		in.fail(errShort)
		return nil
	}
	b := in.rest[:n]
	in.rest = in.rest[n:]
	return b
}

// number reads a signed number of so many bytes.
func (in *input) number(size int) int64 {
	b := in.take(size)
	if b == nil {
		return 0
	}
	switch size {
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	}
	return int64(binary.BigEndian.Uint64(b))
}

func (in *input) float() float64 { return math.Float64frombits(uint64(in.number(8))) }

func (in *input) uvarint() uint64 {
	if in.err != nil {
		return 0
	}
	v, n := binary.Uvarint(in.rest)
	if n <= 0 || v > math.MaxUint32 {
		in.fail(errors.New("a length that cannot be, expected a number of at most 32 bits"))
		return 0
	}
	in.rest = in.rest[n:]
	return v
}

// length is that of a string, of bytes or of an array, whose length takes size
// bytes where the version is not flexible; -1 for null. No length is beyond what
// is left: each element takes a byte at least.
func (in *input) length(size int) int {
	var n int64
	if in.flexible {
		n = int64(in.uvarint()) - 1
	} else {
		n = in.number(size)
	}
	if n < -1 || n > int64(len(in.rest)) {
		in.fail(fmt.Errorf("length %d, expected from -1 to %d", n, len(in.rest)))
		return -1
	}
	if in.err != nil {
		return -1
	}
	return int(n)
}

// text is a string; false for null.
func (in *input) text() (string, bool) {
	n := in.length(2)
	if n < 0 {
		return "", false
	}
	return string(in.take(n)), in.err == nil
}

func (in *input) uuid() (id UUID) {
	copy(id[:], in.take(16))
	return id
}

// tags calls read for each tagged field with its number; what read does not take
// of it is skipped.
func (in *input) tags(read func(tag int, in *input)) {
	if !in.flexible {
		return
	}
	in.field = "tagged fields"
	for range in.uvarint() {
		tag, size := int(in.uvarint()), int(in.uvarint())
		body := in.take(size)
		if in.err != nil {
			return
		}
		one := input{rest: body, flexible: true, field: in.field}
		read(tag, &one)
		if one.err != nil && in.err == nil {
			in.err = one.err
		}
	}
}
