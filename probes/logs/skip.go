package logs

import "encoding/binary"

// skipper finds where any of several texts begins, and looks at few of the bytes
// between: where the last three bytes of a window are in no text, no text is
// there, and the window goes on by nearly its whole length (Wu and Manber). Most
// lines of a log hold no text, so most of it is skipped.
type skipper struct {
	window int                  // the length of the shortest text
	shift  [1 << hashBits]uint8 // by hash of three bytes: how far the window may go on
	bucket [1 << hashBits]int16 // where it may not: index into here
	here   [][]string           // texts whose first window ends with these three bytes
}

// hashBits is the size of the tables: 8 KiB of shifts stay in the first cache,
// and nine of ten hashes are those of no text.
const hashBits = 13

// minText is the length of the shortest text that may be looked for: the window
// must hold the four bytes that are read for a hash.
const minText = 4

// newSkipper is for texts of minText bytes and more; it panics where one is
// shorter, as the texts are those of this package.
func newSkipper(texts []string) *skipper {
	s := &skipper{window: 255, here: make([][]string, 1)}
	for _, t := range texts {
		s.window = min(s.window, len(t))
	}
	if s.window < minText {
		panic("logs: a text to look for is too short")
	}
	for i := range s.shift {
		s.shift[i] = uint8(s.window - 2)
	}
	for _, t := range texts {
		for end := 3; end <= s.window; end++ {
			h := hash(uint32(t[end-3])<<8 | uint32(t[end-2])<<16 | uint32(t[end-1])<<24)
			s.shift[h] = min(s.shift[h], uint8(s.window-end))
			if end < s.window {
				continue
			}
			if s.bucket[h] == 0 {
				s.bucket[h] = int16(len(s.here))
				s.here = append(s.here, nil)
			}
			s.here[s.bucket[h]] = append(s.here[s.bucket[h]], t)
		}
	}
	return s
}

// hash is of the last three of four bytes that were read in little-endian order.
func hash(four uint32) uint32 {
	return (four >> 8) * 0x9E3779B1 >> (32 - hashBits)
}

// find is where the first text begins in b that begins at from or later; -1 when
// there is none.
func (s *skipper) find(b []byte, from int) int {
	for end := from + s.window; end <= len(b); end++ {
		h := hash(binary.LittleEndian.Uint32(b[end-4:]))
		for s.shift[h] > 0 {
			if end += int(s.shift[h]); end > len(b) {
				return -1
			}
			h = hash(binary.LittleEndian.Uint32(b[end-4:]))
		}
		at := end - s.window
		for _, t := range s.here[s.bucket[h]] {
			if len(b)-at >= len(t) && string(b[at:at+len(t)]) == t {
				return at
			}
		}
	}
	return -1
}
