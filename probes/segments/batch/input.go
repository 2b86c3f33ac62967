package batch

import (
	"bufio"
	"errors"
	"fmt"
	"hash"
	"io"
)

// input reads the fields of records from a stream, counts what it takes, and
// keeps its first error.
type input struct {
	from  *bufio.Reader
	taken int64
	limit int64 // of taken
	err   error
	sums  hash.Hash32 // fed with what is taken, when not nil
}

func (in *input) fail(err error) {
	if in.err == nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		in.err = tooLarge(err)
	}
}

func (in *input) byte() byte {
	if in.err != nil {
		return 0
	}
	b, err := in.from.ReadByte()
	if err != nil {
		in.fail(err)
		return 0
	}
	in.count(1)
	if in.sums != nil {
		in.sums.Write([]byte{b})
	}
	return b
}

func (in *input) count(n int64) {
	if in.taken += n; in.taken > in.limit {
		in.fail(fmt.Errorf("%w: more than %d bytes", ErrTooLarge, in.limit))
	}
}

// varint is a zigzag number of at most 64 bits.
func (in *input) varint() int64 {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		b := in.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return int64(v>>1) ^ -int64(v&1)
		}
	}
	in.fail(errors.New("a number of more than 10 bytes"))
	return 0
}

// fixed is a big-endian number of size bytes.
func (in *input) fixed(size int) int64 {
	var v int64
	for range size {
		v = v<<8 | int64(in.byte())
	}
	switch size {
	case 1:
		return int64(int8(v))
	case 4:
		return int64(int32(v))
	}
	return v
}

// bytes takes n bytes, and keeps in buf as many of the first as keep allows.
// With a digest, all of them go there.
func (in *input) bytes(n int64, keep int, buf []byte, digest io.Writer) []byte {
	buf = buf[:0]
	for n > 0 && in.err == nil {
		piece, err := in.from.Peek(int(min(n, int64(in.from.Size()))))
		if len(piece) == 0 {
			in.fail(err)
			return buf
		}
		if room := keep - len(buf); room > 0 {
			buf = append(buf, piece[:min(room, len(piece))]...)
		}
		if digest != nil {
			digest.Write(piece)
		}
		if in.sums != nil {
			in.sums.Write(piece)
		}
		in.count(int64(len(piece)))
		n -= int64(len(piece))
		in.from.Discard(len(piece))
	}
	return buf
}

// ended is nil when nothing follows: a stream's own checksum is right, too.
func (in *input) ended() error {
	if in.err != nil {
		return in.err
	}
	switch _, err := in.from.ReadByte(); {
	case err == nil:
		return errors.New("bytes follow the last record")
	case err == io.EOF:
		return nil
	default:
		return tooLarge(err)
	}
}
