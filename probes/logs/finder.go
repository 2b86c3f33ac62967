package logs

import (
	"encoding/binary"
	"strings"
)

// finder finds which of several texts are in a buffer, and looks at few of its
// bytes: where the last four bytes of a window are in no text, no text is there,
// and the window goes on by nearly its whole length (Wu and Manber). Most lines of
// a log hold no text, so most of it is skipped.
type finder struct {
	window int                  // the length of the shortest text
	shift  [1 << hashBits]uint8 // by hash of four bytes: how far the window may go on
	bucket [1 << hashBits]int16 // where it may not: index into here
	here   [][]sought           // texts whose windows end with these four bytes
}

// sought is a text with the part of it that the window is to meet.
type sought struct {
	text string
	n    int16 // which of the texts
	lead int   // where in the text its window begins
}

const (
	gram     = 4
	hashBits = 13 // 8 KiB of shifts stay in the first cache, and most hashes are those of no text
)

// newFinder is for texts of at least four bytes; it panics where one is shorter,
// as the texts are those of this package.
func newFinder(texts []string) *finder {
	f := &finder{window: 255, here: make([][]sought, 1)}
	for _, t := range texts {
		f.window = min(f.window, len(t))
	}
	if f.window < gram {
		panic("logs: a text to look for is too short")
	}
	for i := range f.shift {
		f.shift[i] = uint8(f.window - gram + 1)
	}
	for n, t := range texts {
		lead := rarest(t, f.window, texts)
		for end := gram; end <= f.window; end++ {
			h := hash([]byte(t[lead+end-gram : lead+end]))
			f.shift[h] = min(f.shift[h], uint8(f.window-end))
			if end < f.window {
				continue
			}
			if f.bucket[h] == 0 {
				f.bucket[h] = int16(len(f.here))
				f.here = append(f.here, nil)
			}
			f.here[f.bucket[h]] = append(f.here[f.bucket[h]], sought{t, int16(n), lead})
		}
	}
	return f
}

// rarest is where in a text the window is best laid: where its end is in the
// fewest texts, as what they have in common ("ion ", "ed t") is in all logs.
func rarest(text string, window int, texts []string) int {
	best, fewest := 0, len(texts)+1
	for lead := 0; lead+window <= len(text); lead++ {
		end, count := text[lead+window-gram:lead+window], 0
		for _, t := range texts {
			if strings.Contains(t, end) {
				count++
			}
		}
		if count < fewest {
			best, fewest = lead, count
		}
	}
	return best
}

// hash is of the first four bytes of b.
func hash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9E3779B1 >> (32 - hashBits)
}

// next is the end of the next window that holds a text's, from the window that
// ends at end, and the texts that it may be; beyond b where there is none.
func (f *finder) next(b []byte, end int) (int, []sought) {
	for ; end <= len(b); end++ {
		h := hash(b[end-gram:])
		for f.shift[h] > 0 {
			if end += int(f.shift[h]); end > len(b) {
				return end, nil
			}
			h = hash(b[end-gram:])
		}
		if n := f.bucket[h]; n > 0 {
			return end, f.here[n]
		}
	}
	return end, nil
}

// begins is where a text begins in b when its window ends at end; -1 where it is
// another.
func (f *finder) begins(b []byte, end int, s *sought) int {
	at := end - f.window - s.lead
	if at < 0 || len(b)-at < len(s.text) || string(b[at:at+len(s.text)]) != s.text {
		return -1
	}
	return at
}

// find is where a text begins in the first line of b[from:] that holds any; -1
// when none does.
func (f *finder) find(b []byte, from int) int {
	b = b[from:]
	for end := f.window; ; end++ {
		var maybe []sought
		if end, maybe = f.next(b, end); maybe == nil {
			return -1
		}
		for i := range maybe {
			if at := f.begins(b, end, &maybe[i]); at >= 0 {
				return from + at
			}
		}
	}
}

// all adds to found the texts that are in b, in no order and as often as they
// are there.
func (f *finder) all(b []byte, found []int16) []int16 {
	for end := f.window; ; end++ {
		var maybe []sought
		if end, maybe = f.next(b, end); maybe == nil {
			return found
		}
		for i := range maybe {
			if f.begins(b, end, &maybe[i]) >= 0 {
				found = append(found, maybe[i].n)
			}
		}
	}
}
