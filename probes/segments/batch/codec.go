package batch

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codec is how the records of a batch are compressed.
type Codec int8

const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// String is the codec as Kafka's compression.type has it.
func (c Codec) String() string {
	if names := [...]string{"none", "gzip", "snappy", "lz4", "zstd"}; c >= 0 && int(c) < len(names) {
		return names[c]
	}
	return "codec " + strconv.Itoa(int(c))
}

// ErrTooLarge is the error of records that would take more memory or time to
// unpack than is granted to any batch. It does not say that they are damaged.
var ErrTooLarge = errors.New("too large to unpack")

const (
	maxUnpacked = 256 << 20 // bytes out of one batch: a thousand times what brokers take by default
	maxBlock    = 4 << 20   // bytes of one snappy block, of which Java's hold 32 KiB
	maxWindow   = 8 << 20   // bytes that zstd may refer back to
)

// unpacker holds one decoder of each codec, made at first use.
type unpacker struct {
	gzip   *gzip.Reader
	zstd   *zstd.Decoder
	lz4    *lz4.Reader
	snappy snappyReader
}

// open is the unpacked content of packed.
func (u *unpacker) open(codec Codec, magic int8, packed *bufio.Reader) (r io.Reader, err error) {
	switch codec {
	case None:
		return packed, nil
	case Gzip:
		if u.gzip == nil {
			u.gzip = new(gzip.Reader)
		}
		return u.gzip, u.gzip.Reset(packed)
	case Snappy:
		return &u.snappy, u.snappy.reset(packed)
	case LZ4:
		if u.lz4 == nil {
			u.lz4 = lz4.NewReader(nil)
			if err := u.lz4.Apply(lz4.ConcurrencyOption(1)); err != nil {
				return nil, err
			}
		}
		frame, err := lz4Frame(magic, packed)
		u.lz4.Reset(frame)
		return u.lz4, err
	case Zstd:
		if u.zstd == nil {
			u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
		}
		return u.zstd, u.zstd.Reset(packed)
	}
	return nil, fmt.Errorf("%s is unknown", codec)
}

// tooLarge makes the decoders' words for it ErrTooLarge.
func tooLarge(err error) error {
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return err
}

const xerialMagic = "\x82SNAPPY\x00"

// snappyReader unpacks what Java writes (xerial's frame of blocks, each after its
// length) and what librdkafka writes (one block with nothing around it).
type snappyReader struct {
	from   *bufio.Reader
	framed bool
	done   bool
	packed []byte
	block  []byte
	rest   []byte
}

func (s *snappyReader) reset(from *bufio.Reader) error {
	s.from, s.framed, s.done, s.rest = from, false, false, nil
	head, _ := from.Peek(16) // magic, version, oldest version that can read it
	if len(head) == 16 && string(head[:8]) == xerialMagic {
		s.framed = true
		from.Discard(16)
	}
	return nil
}

func (s *snappyReader) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.done {
			return 0, io.EOF
		}
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next unpacks the next block into rest.
func (s *snappyReader) next() (err error) {
	if s.framed {
		var size [4]byte
		if _, err := io.ReadFull(s.from, size[:]); err != nil {
			s.done = err == io.EOF
			return err
		}
		n := binary.BigEndian.Uint32(size[:])
		if s.packed, err = readN(s.from, s.packed, int64(n)); err != nil {
			return fmt.Errorf("snappy block: %w", err)
		}
	} else {
		s.done = true
		if s.packed, err = readN(s.from, s.packed, -1); err != nil {
			return fmt.Errorf("snappy block: %w", err)
		}
	}
	n, err := snappy.DecodedLen(s.packed)
	if err != nil {
		return err
	}
	if n > maxBlock {
		return fmt.Errorf("%w: a snappy block of %d bytes", ErrTooLarge, n)
	}
	s.block, err = snappy.Decode(s.block[:cap(s.block)], s.packed)
	s.rest = s.block
	return err
}

// readN reads n bytes, or with -1 all there is, into a buffer that is reused and
// grows with what has come, not with what was promised.
func readN(from io.Reader, buf []byte, n int64) ([]byte, error) {
	if n > maxBlock {
		return buf, fmt.Errorf("%w: a block of %d bytes", ErrTooLarge, n)
	}
	limit := n
	if n < 0 {
		limit = maxBlock + 1
	}
	buf = buf[:0]
	for int64(len(buf)) < limit {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		got, err := from.Read(buf[len(buf):min(int64(cap(buf)), limit)])
		buf = buf[:len(buf)+got]
		if err == io.EOF {
			break
		}
		if err != nil {
			return buf, err
		}
	}
	switch {
	case n >= 0 && int64(len(buf)) < n:
		return buf, fmt.Errorf("%d bytes, expected %d", len(buf), n)
	case n < 0 && len(buf) > maxBlock:
		return buf, fmt.Errorf("%w: a block of over %d bytes", ErrTooLarge, maxBlock)
	}
	return buf, nil
}
