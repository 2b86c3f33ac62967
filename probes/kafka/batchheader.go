package kafka

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

const (
	headerBytes = 61 // of a record batch: what stands before its records
	lengthEnd   = 12 // offset and length, which the length does not count
)

// codecs is the names of the compression codecs, by number.
var codecs = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// parseBatches reads the headers of record batches that follow each other, at
// most so many; records are not looked at. The last batch may be cut short, as
// brokers cut answers: its header counts when it is complete. The error names
// where and what was expected, and comes beside the headers before it.
func parseBatches(b []byte, most int) (all []fact.BatchHeader, err error) {
	for at := 0; len(all) < most && len(b)-at >= headerBytes; {
		h, size, err := parseHeader(b[at:])
		if err != nil {
			return all, fmt.Errorf("record batch at byte %d of %d: %w", at, len(b), err)
		}
		all = append(all, h)
		if size > len(b)-at {
			break
		}
		at += size
	}
	return all, nil
}

// parseHeader reads one header of 61 bytes and says how long its batch is.
func parseHeader(b []byte) (h fact.BatchHeader, size int, err error) {
	be := binary.BigEndian
	if magic := int8(b[16]); magic != 2 {
		return h, 0, fmt.Errorf("magic %d, 2 is expected: older message formats are not read", magic)
	}
	length := int32(be.Uint32(b[8:]))
	if length < headerBytes-lengthEnd {
		return h, 0, fmt.Errorf("length %d, at least %d is expected", length, headerBytes-lengthEnd)
	}
	attributes := be.Uint16(b[21:])
	codec := int(attributes & 7)
	if codec >= len(codecs) {
		return h, 0, fmt.Errorf("compression codec %d, 0 to %d are expected", codec, len(codecs)-1)
	}
	records, last := int32(be.Uint32(b[57:])), int32(be.Uint32(b[23:]))
	if records < 0 || last < 0 {
		return h, 0, fmt.Errorf("%d records up to the %dth, none below 0 is expected", records, last)
	}
	h = fact.BatchHeader{Base: int64(be.Uint64(b)), Last: int64(be.Uint64(b)) + int64(last), LeaderEpoch: int32(be.Uint32(b[12:])), Records: records,
		Bytes: int64(length) + lengthEnd, Codec: codecs[codec], AppendTime: attributes&8 != 0, Transactional: attributes&16 != 0, Control: attributes&32 != 0,
		Max: batchTime(b[35:]), Producer: int64(be.Uint64(b[43:])), ProducerEpoch: int16(be.Uint16(b[51:])), Sequence: int32(be.Uint32(b[53:]))}
	if attributes&64 == 0 { // else that is until when tombstones are kept
		h.First = batchTime(b[27:])
	}
	return h, int(length) + lengthEnd, nil
}

// batchTime is a time of a batch; the zero time where there is none, or one that
// JSON cannot hold: clients write what they like.
func batchTime(b []byte) time.Time {
	t := timeOf(int64(binary.BigEndian.Uint64(b)))
	if t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
