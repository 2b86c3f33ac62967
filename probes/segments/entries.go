package segments

import (
	"encoding/binary"
	"fmt"

	"github.com/ktriage/ktriage/probes/segments/polite"
)

// entries reads the fixed-size entries of an index in order, through a small
// buffer, up to where the unused ones begin.
type entries struct {
	file   *polite.File
	size   int64 // of the file, whole entries only
	width  int64
	next   int64 // position of the entry after the current one
	buf    []byte
	at     int64 // of buf in the file
	zeros  bool  // the rest is unused
	failed error
}

func newEntries(file *polite.File, size, width int64, buf []byte) *entries {
	return &entries{file: file, size: size - size%width, width: width, buf: buf[:0]}
}

// read is the next entry; nil after the last. position is where it lies. An
// unused entry is nil, and is no error while nothing but zeros follow.
func (e *entries) read() (raw []byte, position int64) {
	if e.failed != nil || e.zeros || e.next >= e.size {
		return nil, e.next
	}
	position = e.next
	if position == 0 && e.hollow() {
		e.next, e.zeros = e.width, true
		return nil, 0
	}
	if position+e.width > e.at+int64(len(e.buf)) && !e.fill(position) {
		return nil, position
	}
	raw = e.buf[position-e.at:][:e.width]
	e.next += e.width
	for _, b := range raw {
		if b != 0 {
			return raw, position
		}
	}
	e.zeros = true
	return nil, position
}

// hollow says whether nothing was ever written to the index, as it is beside an
// empty log: to read a hole would fill the page cache with zeros.
func (e *entries) hollow() bool {
	if e.size < 4<<10 { // a page is read as fast
		return false
	}
	data, some := e.file.NextData(0)
	return !some || data >= e.size
}

func (e *entries) fill(position int64) bool {
	full := e.buf[:min(int64(cap(e.buf)/int(e.width)*int(e.width)), e.size-position)]
	n, err := e.file.ReadAt(full, position)
	if int64(n) < e.width {
		e.failed = err
		return false
	}
	e.buf, e.at = full[:int64(n)/e.width*e.width], position
	return true
}

// dataAfterZeros is where in the unused part something is written all the same;
// false when there is nothing. Holes are passed over unread.
func (e *entries) dataAfterZeros() (position int64, found bool) {
	for at := e.next; at < e.size; {
		data, some := e.file.NextData(at)
		if !some || data >= e.size {
			return 0, false
		}
		n, err := e.file.ReadAt(e.buf[:min(int64(cap(e.buf)), e.size-data)], data)
		for i, b := range e.buf[:n] {
			if b != 0 {
				return (data + int64(i)) / e.width * e.width, true
			}
		}
		if err != nil || n == 0 {
			return 0, false
		}
		at = data + int64(n)
	}
	return 0, false
}

// offsetEntry is an entry of an offset index.
type offsetEntry struct {
	at       int64 // in the index
	offset   int64
	position int64 // in the log
}

func offsetEntryOf(raw []byte, at, base int64) offsetEntry {
	return offsetEntry{at, base + int64(int32(binary.BigEndian.Uint32(raw))), int64(int32(binary.BigEndian.Uint32(raw[4:])))}
}

func (e offsetEntry) String() string {
	return fmt.Sprintf("entry %d (offset %d at %d)", e.at/indexEntry, e.offset, e.position)
}

// timeEntry is an entry of a time index: up to the offset, nothing is later than
// the timestamp.
type timeEntry struct {
	at     int64
	stamp  int64 // milliseconds
	offset int64
}

func timeEntryOf(raw []byte, at, base int64) timeEntry {
	return timeEntry{at, int64(binary.BigEndian.Uint64(raw)), base + int64(int32(binary.BigEndian.Uint32(raw[8:])))}
}

func (e timeEntry) String() string {
	return fmt.Sprintf("entry %d (timestamp %d, offset %d)", e.at/timeIndexEntry, e.stamp, e.offset)
}
