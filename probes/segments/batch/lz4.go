package batch

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
)

const lz4Magic = "\x04\x22\x4d\x18"

// lz4Frame is an LZ4 frame as the format's standard has it. Kafka's clients of
// the days of magic 0 summed the frame's descriptor together with the frame's
// magic: such a sum is put right.
func lz4Frame(magic int8, packed *bufio.Reader) (io.Reader, error) {
	head, _ := packed.Peek(7)
	if len(head) < 7 || string(head[:4]) != lz4Magic {
		return packed, errors.New("lz4: no frame")
	}
	if magic > 0 {
		return packed, nil
	}
	size := 7
	if head[4]&(1<<3) != 0 { // the content's size is told
		size += 8
	}
	head, err := packed.Peek(size)
	if err != nil {
		return packed, errors.New("lz4: the frame ends within its header")
	}
	if last := size - 1; head[last] == byte(xxh32(head[:last])>>8) {
		fixed := bytes.Clone(head)
		fixed[last] = byte(xxh32(head[4:last]) >> 8)
		packed.Discard(size)
		return io.MultiReader(bytes.NewReader(fixed), packed), nil
	}
	return packed, nil
}

// xxh32 is xxHash32 with seed 0 of fewer than 16 bytes.
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	h := uint32(p5) + uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h += binary.LittleEndian.Uint32(b) * p3
		h = bits.RotateLeft32(h, 17) * p4
	}
	for _, c := range b {
		h += uint32(c) * p5
		h = bits.RotateLeft32(h, 11) * p1
	}
	h ^= h >> 15
	h *= p2
	h ^= h >> 13
	h *= p3
	return h ^ h>>16
}
