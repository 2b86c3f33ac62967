package logs

// finder finds the first of several texts in a buffer, looking at each byte
// once: an Aho-Corasick automaton with all its transitions spelt out.
type finder struct {
	class [256]uint8 // bytes that no text tells apart share a class
	width int        // number of classes
	next  []uint16   // state*width + class → state
	found []int16    // by state: 1 + the text that ends here, 0 for none
}

func newFinder(texts []string) *finder {
	f := &finder{width: 1}
	for _, text := range texts {
		for i := range len(text) {
			if f.class[text[i]] == 0 {
				f.class[text[i]] = uint8(f.width)
				f.width++
			}
		}
	}
	f.next, f.found = make([]uint16, f.width), make([]int16, 1)
	for n, text := range texts {
		state := 0
		for i := range len(text) {
			at := state*f.width + int(f.class[text[i]])
			if f.next[at] == 0 {
				f.next[at] = uint16(len(f.found))
				f.next = append(f.next, make([]uint16, f.width)...)
				f.found = append(f.found, 0)
			}
			state = int(f.next[at])
		}
		if f.found[state] == 0 {
			f.found[state] = int16(n + 1)
		}
	}
	f.close()
	return f
}

// close turns the tree of texts into an automaton: where a text does not go on,
// it goes where the longest suffix read so far would go.
func (f *finder) close() {
	fallback := make([]uint16, len(f.found))
	var queue []uint16
	for c := range f.width {
		if s := f.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		if f.found[state] == 0 {
			f.found[state] = f.found[fallback[state]]
		}
		for c := range f.width {
			at := int(state)*f.width + c
			back := f.next[int(fallback[state])*f.width+c]
			if s := f.next[at]; s != 0 {
				fallback[s] = back
				queue = append(queue, s)
			} else {
				f.next[at] = back
			}
		}
	}
}

// find is the first text in b that ends at or after from: which it is, and
// where it ends; -1 when there is none.
func (f *finder) find(b []byte, from int) (text, end int) {
	state, width := 0, f.width
	for i := from; i < len(b); i++ {
		state = int(f.next[state*width+int(f.class[b[i]])])
		if n := f.found[state]; n != 0 {
			return int(n - 1), i + 1
		}
	}
	return -1, len(b)
}
