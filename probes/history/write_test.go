package history

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// body is a record being written, in flexible versions.
type body []byte

func record(typ, version int) body {
	return binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, 1), uint64(typ)), uint64(version))
}

func (b body) int8(n int8) body   { return append(b, byte(n)) }
func (b body) int32(n int32) body { return binary.BigEndian.AppendUint32(b, uint32(n)) }
func (b body) int64(n int64) body { return binary.BigEndian.AppendUint64(b, uint64(n)) }
func (b body) real(x float64) body {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(x))
}
func (b body) uuid(id UUID) body { return append(b, id[:]...) }
func (b body) text(s string) body {
	return append(binary.AppendUvarint(b, uint64(len(s)+1)), s...)
}
func (b body) null() body { return append(b, 0) }
func (b body) ids(all ...int32) body {
	b = binary.AppendUvarint(b, uint64(len(all)+1))
	for _, id := range all {
		b = b.int32(id)
	}
	return b
}

// tags ends a record; each pair is a tag and its content.
func (b body) tags(fields ...any) body {
	b = binary.AppendUvarint(b, uint64(len(fields)/2))
	for i := 0; i < len(fields); i += 2 {
		content := fields[i+1].(body)
		b = append(binary.AppendUvarint(binary.AppendUvarint(b, uint64(fields[i].(int))), uint64(len(content))), content...)
	}
	return b
}

// appendBatch appends a batch of magic 2 with these values.
func appendBatch(to []byte, base int64, at int64, leaderEpoch int32, values ...body) []byte {
	start := len(to)
	to = binary.BigEndian.AppendUint64(to, uint64(base))
	to = append(to, 0, 0, 0, 0) // length
	to = binary.BigEndian.AppendUint32(to, uint32(leaderEpoch))
	to = append(to, 2, 0, 0, 0, 0, 0, 0) // magic, checksum, attributes
	to = binary.BigEndian.AppendUint32(to, uint32(len(values)-1))
	to = binary.BigEndian.AppendUint64(to, uint64(at))
	to = binary.BigEndian.AppendUint64(to, uint64(at))
	to = append(to, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	to = binary.BigEndian.AppendUint32(to, uint32(len(values)))
	for i, v := range values {
		var one []byte
		one = append(one, 0, 0)
		one = binary.AppendVarint(one, int64(i))
		one = binary.AppendVarint(one, -1)
		one = binary.AppendVarint(one, int64(len(v)))
		one = append(append(one, v...), 0)
		to = append(binary.AppendVarint(to, int64(len(one))), one...)
	}
	binary.BigEndian.PutUint32(to[start+8:], uint32(len(to)-start-12))
	binary.BigEndian.PutUint32(to[start+17:], crc32.Checksum(to[start+21:], crc32.MakeTable(crc32.Castagnoli)))
	return to
}
