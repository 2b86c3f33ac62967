package batch

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// BufferSize is how many bytes a Scanner reads at once where it is given no
// buffer: large enough that system calls do not show, small enough for a cache.
const BufferSize = 512 << 10

// Stop is why a Scanner came to its end.
type Stop int

const (
	AtEnd    Stop = iota // the last batch ends where the range ends
	Torn                 // the last batch, or its header, goes on beyond the end
	Zeros                // nothing but zeros follow: preallocated, or a hole
	Nonsense             // what follows cannot be a batch; Err says why
	Failed               // a read failed; Err says why
)

// Scanner iterates over the batches in a range of a file, checksums included,
// through one buffer, whatever the batches' sizes.
//
//	s := batch.NewScanner(file, 0, size, nil)
//	for s.Next() {
//		use(s.Position(), s.Header(), s.Valid())
//	}
//	if s.Stop() == batch.Failed { … s.Err() }
type Scanner struct {
	from    io.ReaderAt
	buf     []byte
	lo, hi  int   // what of buf is not consumed
	at, end int64 // where in the file buf[lo] stands, and where reading ends
	pos     int64 // of the current batch
	header  Header
	valid   bool
	sums    bool
	stop    Stop
	err     error
}

// NewScanner scans from start to end, a batch beginning at start. A buffer
// shorter than 4 KiB is replaced.
func NewScanner(from io.ReaderAt, start, end int64, buffer []byte) *Scanner {
	if len(buffer) < 4<<10 {
		buffer = make([]byte, BufferSize)
	}
	return &Scanner{from: from, buf: buffer, at: start, end: end, pos: start, sums: true}
}

// HeadersOnly leaves the checksums unverified and reads no more than it must:
// Valid is then always true.
func (s *Scanner) HeadersOnly() { s.sums = false }

// Position is where the current batch begins; after the last one, where
// the next would.
func (s *Scanner) Position() int64 { return s.pos }

// Header is that of the current batch, until the next call of Next.
func (s *Scanner) Header() *Header { return &s.header }

// Valid says whether the checksum of the current batch is right.
func (s *Scanner) Valid() bool { return s.valid }

// Stop is why Next returned false.
func (s *Scanner) Stop() Stop { return s.stop }

// Err says what was wrong where Stop is Nonsense or Failed, and nil otherwise.
func (s *Scanner) Err() error { return s.err }

// Body is the current batch after its header, for NewRecords. It is read anew,
// and may be used until the file changes.
func (s *Scanner) Body() *io.SectionReader {
	begin := headerSize(s.header.Magic)
	return io.NewSectionReader(s.from, s.pos+begin, s.header.Size()-begin)
}

// Next goes to the next batch; false at the end, and Stop says which.
func (s *Scanner) Next() bool {
	if s.err != nil || s.stop != AtEnd {
		return false
	}
	s.pos = s.at
	if s.at >= s.end {
		return false
	}
	if s.fill(int(min(maxHeader, s.end-s.at))) != nil {
		return s.fail()
	}
	head := s.buf[s.lo:min(s.hi, s.lo+maxHeader)]
	if len(head) < Common {
		return s.halt(s.zeroOr(Torn), nil)
	}
	var err error
	if s.header, err = Parse(head); err != nil {
		if incomplete(&s.header, int64(len(head)), s.end-s.at) {
			return s.halt(Torn, nil)
		}
		if stop := s.zeroOr(Nonsense); stop != Nonsense {
			return s.halt(stop, nil)
		}
		return s.halt(Nonsense, err)
	}
	if s.header.Size() > s.end-s.at {
		return s.halt(Torn, nil)
	}
	return s.consume()
}

// Skip goes on at a position where a batch may begin, whatever the scanner met
// before, and reads anew from there.
func (s *Scanner) Skip(position int64) {
	s.stop, s.err = AtEnd, nil
	s.lo, s.hi = 0, 0
	s.at, s.pos = position, position
}

// incomplete says whether a header is short only because the file ends.
func incomplete(h *Header, have, left int64) bool {
	return have == left && have < headerSize(h.Magic) && h.Magic >= 0 && h.Magic <= 2 && h.Length >= minLegacy-lead && h.Size() > left
}

func (s *Scanner) halt(stop Stop, err error) bool {
	s.stop, s.err = stop, err
	return false
}

func (s *Scanner) fail() bool { s.stop = Failed; return false }

// fill makes at least want bytes available in buf, want being at most its size.
func (s *Scanner) fill(want int) error {
	if s.hi-s.lo >= want {
		return nil
	}
	copy(s.buf, s.buf[s.lo:s.hi])
	s.hi, s.lo = s.hi-s.lo, 0
	for s.hi < want {
		room := min(int64(len(s.buf)-s.hi), s.end-s.at-int64(s.hi))
		if !s.sums { // a header, not its batch
			room = min(room, int64(max(want-s.hi, 4<<10)))
		}
		n, err := s.from.ReadAt(s.buf[s.hi:s.hi+int(room)], s.at+int64(s.hi))
		s.hi += n
		if s.hi < want && (err != nil || n == 0) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // it shrank meanwhile
			}
			s.err = fmt.Errorf("read at %d: %w", s.at+int64(s.hi), err)
			return s.err
		}
	}
	return nil
}

// consume passes over the batch whose header is at buf[lo], and sums it.
func (s *Scanner) consume() bool {
	left := s.header.Size()
	s.valid = true
	if !s.sums {
		ahead := min(left, int64(s.hi-s.lo))
		s.lo += int(ahead)
		s.at += left
		return true
	}
	if left <= int64(len(s.buf)) {
		if s.fill(int(left)) != nil {
			return s.fail()
		}
		table, from := checksum(s.header.Magic)
		whole := s.buf[s.lo : s.lo+int(left)]
		s.valid = crc32.Checksum(whole[from:], table) == s.header.CRC
		s.lo += int(left)
		s.at += left
		return true
	}
	return s.consumeLarge(left)
}

// consumeLarge sums a batch that is larger than the buffer, piece by piece.
func (s *Scanner) consumeLarge(left int64) bool {
	table, skip := checksum(s.header.Magic)
	var sum uint32
	for left > 0 {
		n := int(min(left, int64(len(s.buf))))
		if s.fill(n) != nil {
			return s.fail()
		}
		sum = crc32.Update(sum, table, s.buf[s.lo+int(skip):s.lo+n])
		skip = 0
		s.lo += n
		s.at += int64(n)
		left -= int64(n)
	}
	s.valid = sum == s.header.CRC
	return true
}

// zeroOr is Zeros where nothing but zeros follow up to the end, otherwise stop.
func (s *Scanner) zeroOr(stop Stop) Stop {
	at := s.at
	for at < s.end {
		n := int(min(int64(len(s.buf)), s.end-at))
		if s.fill(min(n, len(s.buf))) != nil {
			s.err = nil // judged by what was there
			return stop
		}
		for _, b := range s.buf[s.lo : s.lo+n] {
			if b != 0 {
				return stop
			}
		}
		s.lo += n
		at += int64(n)
		s.at = at
	}
	return Zeros
}
