package segments

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	snapshotHead   = 10
	snapshotEntry  = 46
	maxSnapshot    = 8 << 20 // 180 000 producers
	txnIndexEntry  = 34
	maxTxnIndex    = 8 << 20
	indexEntry     = 8
	timeIndexEntry = 12
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkSnapshot checks the snapshot of the producers of a partition.
func checkSnapshot(b []byte) error {
	if len(b) < snapshotHead {
		return fmt.Errorf("%d bytes, expected at least %d", len(b), snapshotHead)
	}
	if v := binary.BigEndian.Uint16(b); v != 1 {
		return fmt.Errorf("version %d, expected 1", v)
	}
	if want, got := binary.BigEndian.Uint32(b[2:]), crc32.Checksum(b[6:], castagnoli); want != got {
		return fmt.Errorf("checksum %08x, computed %08x", want, got)
	}
	if n := int64(int32(binary.BigEndian.Uint32(b[6:]))); n < 0 || snapshotHead+n*snapshotEntry != int64(len(b)) {
		return fmt.Errorf("%d producers in %d bytes, expected %d bytes", n, len(b), snapshotHead+max(n, 0)*snapshotEntry)
	}
	return nil
}

// aborted is an entry of a transaction index: an aborted transaction, from its
// first record to its end mark.
type aborted struct {
	position              int64
	producer, first, last int64
}

// parseTxnIndex reads a transaction index of a segment. What is sound before an
// error is returned beside it; position is where it lies.
func parseTxnIndex(b []byte, base int64) (all []aborted, position int64, err error) {
	for ; position+txnIndexEntry <= int64(len(b)); position += txnIndexEntry {
		e := b[position:]
		field := func(at int) int64 { return int64(binary.BigEndian.Uint64(e[at:])) }
		a := aborted{position, field(2), field(10), field(18)}
		stable := field(26)
		switch {
		case binary.BigEndian.Uint16(e) != 0:
			return all, position, fmt.Errorf("version %d, expected 0", binary.BigEndian.Uint16(e))
		case a.producer < 0:
			return all, position, fmt.Errorf("producer id %d, expected 0 or more", a.producer)
		case a.first < 0 || a.last <= a.first:
			return all, position, fmt.Errorf("a transaction from %d to %d", a.first, a.last)
		case a.last < base:
			return all, position, fmt.Errorf("a transaction that ended at %d, before the segment's first offset %d", a.last, base)
		case len(all) > 0 && a.last <= all[len(all)-1].last:
			return all, position, fmt.Errorf("a transaction that ended at %d after one that ended at %d", a.last, all[len(all)-1].last)
		case stable < 0 || stable > a.last+1:
			return all, position, fmt.Errorf("last stable offset %d, expected from 0 to %d", stable, a.last+1)
		}
		all = append(all, a)
	}
	if rest := int64(len(b)) - position; rest != 0 {
		return all, position, fmt.Errorf("%d bytes after the last entry, expected none", rest)
	}
	return all, position, nil
}
