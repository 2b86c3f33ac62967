// Package batch reads the record batches of Kafka's log segments: bytes in,
// headers and records out. It knows the formats with magic 0, 1 and 2, judges
// only what a batch says about itself, and allocates nothing that a length on
// disk asks for beyond fixed bounds.
package batch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Sizes in bytes, counted from the offset that every batch begins with.
const (
	lead      = 12             // offset and length, which the length does not count
	Common    = 17             // up to and with the magic, alike in all formats
	minLegacy = lead + 14      // a message with magic 0, no key, no value
	minV1     = lead + 22      // the same with magic 1
	MinV2     = 61             // a batch with magic 2 and no records
	maxHeader = MinV2          // what Parse looks at
	crcFromV2 = 21             // a v2 checksum covers what follows the checksum
	crcFromV1 = Common - 1     // an older one begins with the magic
	offsetMax = int64(1) << 62 // far above any offset that a broker has given out
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header is what stands before the records. With magic 0 and 1 it is one
// message or one compressed set of them: then there is one offset, that of the
// last inner message, and what these formats do not have is -1.
type Header struct {
	BaseOffset      int64
	Length          int32 // bytes that follow the length field
	LeaderEpoch     int32 // outside the checksum
	Magic           int8
	CRC             uint32
	Attributes      int16
	LastOffsetDelta int32
	BaseTimestamp   int64 // milliseconds; the delete horizon where attribute bit 6 is set
	MaxTimestamp    int64 // milliseconds, -1 for none
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32 // records; -1 where only unpacking can tell
}

// Size is the whole batch on disk, in bytes.
func (h *Header) Size() int64 { return lead + int64(h.Length) }

// LastOffset is that of the last record there was, before compaction too.
func (h *Header) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// Codec is how the records are compressed.
func (h *Header) Codec() Codec { return Codec(h.Attributes & 7) }

// LogAppendTime says whether the broker stamped the records.
func (h *Header) LogAppendTime() bool { return h.Attributes&(1<<3) != 0 }

// Transactional says whether the records are part of a transaction.
func (h *Header) Transactional() bool { return h.Attributes&(1<<4) != 0 }

// Control says whether the records are the broker's or the quorum's own marks.
func (h *Header) Control() bool { return h.Attributes&(1<<5) != 0 }

// DeleteHorizon says whether BaseTimestamp is when tombstones may go.
func (h *Header) DeleteHorizon() bool { return h.Attributes&(1<<6) != 0 }

// headerSize is how many bytes of a batch with this magic come before records.
func headerSize(magic int8) int64 {
	switch magic {
	case 2:
		return MinV2
	case 1:
		return minV1 - 8
	}
	return minLegacy - 8
}

// Parse reads the header at the start of b, which holds at least 17 bytes, and
// 61 where the batch is that long. The error says which of the fields that no
// checksum covers is impossible: no batch can begin here.
func Parse(b []byte) (Header, error) {
	h := Header{
		BaseOffset: int64(binary.BigEndian.Uint64(b)),
		Length:     int32(binary.BigEndian.Uint32(b[8:])),
		Magic:      int8(b[16]),
	}
	switch {
	case h.Length < minLegacy-lead:
		return h, fmt.Errorf("length %d, expected at least %d", h.Length, minLegacy-lead)
	case h.BaseOffset < 0 || h.BaseOffset > offsetMax:
		return h, fmt.Errorf("base offset %d, expected from 0 to %d", h.BaseOffset, offsetMax)
	case h.Magic < 0 || h.Magic > 2:
		return h, fmt.Errorf("magic %d, expected 0, 1 or 2", h.Magic)
	case h.Magic == 2 && h.Size() < MinV2:
		return h, fmt.Errorf("length %d, expected at least %d with magic 2", h.Length, MinV2-lead)
	case h.Magic == 1 && h.Size() < minV1:
		return h, fmt.Errorf("length %d, expected at least %d with magic 1", h.Length, minV1-lead)
	case int64(len(b)) < headerSize(h.Magic):
		return h, fmt.Errorf("header of %d bytes, expected %d", len(b), headerSize(h.Magic))
	case h.Magic == 2:
		h.parseV2(b)
		return h, nil
	}
	h.parseLegacy(b)
	return h, nil
}

func (h *Header) parseV2(b []byte) {
	h.LeaderEpoch = int32(binary.BigEndian.Uint32(b[12:]))
	h.CRC = binary.BigEndian.Uint32(b[17:])
	h.Attributes = int16(binary.BigEndian.Uint16(b[21:]))
	h.LastOffsetDelta = int32(binary.BigEndian.Uint32(b[23:]))
	h.BaseTimestamp = int64(binary.BigEndian.Uint64(b[27:]))
	h.MaxTimestamp = int64(binary.BigEndian.Uint64(b[35:]))
	h.ProducerID = int64(binary.BigEndian.Uint64(b[43:]))
	h.ProducerEpoch = int16(binary.BigEndian.Uint16(b[51:]))
	h.BaseSequence = int32(binary.BigEndian.Uint32(b[53:]))
	h.Count = int32(binary.BigEndian.Uint32(b[57:]))
}

func (h *Header) parseLegacy(b []byte) {
	h.LeaderEpoch, h.ProducerID, h.ProducerEpoch, h.BaseSequence = -1, -1, -1, -1
	h.BaseTimestamp, h.MaxTimestamp = -1, -1
	h.CRC = binary.BigEndian.Uint32(b[12:])
	h.Attributes = int16(b[17])
	if h.Magic == 1 {
		h.BaseTimestamp = int64(binary.BigEndian.Uint64(b[18:]))
		h.MaxTimestamp = h.BaseTimestamp
	}
	h.Count = 1
	if h.Codec() != None {
		h.Count = -1
	}
}

// Check says which field that the checksum covers is impossible. Where the
// checksum is wrong, so may they be.
func (h *Header) Check() error {
	last := Zstd
	if h.Magic < 2 {
		last = LZ4
	}
	switch {
	case h.Codec() > last:
		return fmt.Errorf("codec %d, expected from 0 to %d with magic %d", h.Codec(), last, h.Magic)
	case h.LastOffsetDelta < 0:
		return fmt.Errorf("last offset delta %d, expected 0 or more", h.LastOffsetDelta)
	case h.Magic == 2 && (h.Count < 0 || int64(h.Count) > int64(h.LastOffsetDelta)+1):
		return fmt.Errorf("%d records, expected from 0 to %d as the last offset delta is %d", h.Count, int64(h.LastOffsetDelta)+1, h.LastOffsetDelta)
	}
	return nil
}

// checksum is what the checksum of a batch is computed with, and from where.
func checksum(magic int8) (*crc32.Table, int64) {
	if magic == 2 {
		return castagnoli, crcFromV2
	}
	return crc32.IEEETable, crcFromV1
}

// Sum is the checksum that a whole batch ought to have.
func Sum(whole []byte) uint32 {
	table, from := checksum(int8(whole[16]))
	return crc32.Checksum(whole[from:], table)
}
