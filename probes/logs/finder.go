package logs

// finder finds which of several texts are in a line, looking at each byte once:
// an Aho-Corasick automaton with all its transitions spelt out. The lines are
// found by its skipper.
type finder struct {
	*skipper
	class [256]uint8 // bytes that no text tells apart share a class
	width int        // number of classes
	next  []uint16   // state*width + class → state
	found []int16    // by state: index into texts, 0 for none
	texts [][]int16  // sets of texts that end in one place
}

func newFinder(texts []string) *finder {
	f := &finder{skipper: newSkipper(texts), width: 1}
	for _, text := range texts {
		for i := range len(text) {
			if f.class[text[i]] == 0 {
				f.class[text[i]] = uint8(f.width)
				f.width++
			}
		}
	}
	f.next, f.found, f.texts = make([]uint16, f.width), make([]int16, 1), make([][]int16, 1)
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
			f.found[state] = int16(len(f.texts))
			f.texts = append(f.texts, nil)
		}
		f.texts[f.found[state]] = append(f.texts[f.found[state]], int16(n))
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
		switch more := f.found[fallback[state]]; {
		case more == 0:
		case f.found[state] == 0:
			f.found[state] = more
		default:
			f.texts[f.found[state]] = append(f.texts[f.found[state]], f.texts[more]...)
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

// all adds to found the texts that are in b, in no order and as often as they
// are there.
func (f *finder) all(b []byte, found []int16) []int16 {
	state := 0
	for _, c := range b {
		state = int(f.next[state*f.width+int(f.class[c])])
		if n := f.found[state]; n != 0 {
			found = append(found, f.texts[n]...)
		}
	}
	return found
}
