package batch

import (
	"encoding/binary"
	"errors"
	"io"
)

// Resync looks for the next sound batch after a place where there is none: one
// with a right checksum and a base offset between least and most. It returns
// its position, from which Skip goes on; io.EOF where there is none up to the
// end; and the error of a read that failed.
func (s *Scanner) Resync(after, least, most int64) (int64, error) {
	s.Skip(after)
	var buffer []byte // of all trials
	for s.end-s.at >= minLegacy {
		if err := s.fill(int(min(int64(len(s.buf)), s.end-s.at))); err != nil {
			return 0, err
		}
		last := s.hi - Common
		for i := s.lo; i <= last; i++ {
			if !plausible(s.buf[i:s.hi], least, most, s.end-s.at-int64(i-s.lo)) {
				continue
			}
			if buffer == nil {
				buffer = make([]byte, 64<<10)
			}
			at := s.at + int64(i-s.lo)
			trial := NewScanner(s.from, at, s.end, buffer)
			if trial.Next() && trial.Valid() {
				return at, nil
			}
			if trial.Stop() == Failed && !errors.Is(trial.Err(), io.ErrUnexpectedEOF) {
				return 0, trial.Err()
			}
		}
		step := max(1, last+1-s.lo)
		s.lo += step
		s.at += int64(step)
	}
	return 0, io.EOF
}

// plausible is a quick look at a place where a batch might begin.
func plausible(b []byte, least, most, left int64) bool {
	if b[16] > 2 {
		return false
	}
	offset := int64(binary.BigEndian.Uint64(b))
	if offset < least || offset > most {
		return false
	}
	size := int64(int32(binary.BigEndian.Uint32(b[8:])))
	return size >= minLegacy-lead && size <= left-lead
}
