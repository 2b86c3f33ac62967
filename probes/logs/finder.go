package logs

// finder finds several texts in a buffer, looking at each byte once: an Aho-Corasick automaton with all its transitions spelt out.
type finder struct {
	class [256]uint8 // bytes that no text tells apart share a class
	width int        // number of classes
	next  []uint16   // state*width + class → state
	steps []uint32   // the same for find, see compile
	found []int16    // by state: index into texts, 0 for none
	texts [][]int16  // sets of texts that end in one place
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
	f.compile()
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

// ends marks, in steps, a state where texts end.
const ends = 1 << 31

// compile makes of next what find steps through: rows instead of states, and
// whether a text ends there.
func (f *finder) compile() {
	f.steps = make([]uint32, len(f.next))
	for i, state := range f.next {
		f.steps[i] = uint32(state) * uint32(f.width)
		if f.found[state] != 0 {
			f.steps[i] |= ends
		}
	}
}

// find is where the first text in b ends that ends after from, and the state
// there; -1 when there is none.
func (f *finder) find(b []byte, from int) (state, end int) {
	row, steps, class := uint32(0), f.steps, &f.class
	for i, c := range b[from:] {
		row = steps[row+uint32(class[c])]
		if row&ends != 0 {
			return int(row&^ends) / f.width, from + i + 1
		}
	}
	return -1, len(b)
}

// all adds to found the texts that end at the state that find returned, and in b
// after it, in no order and as often as they are there.
func (f *finder) all(state int, b []byte, found []int16) []int16 {
	found = append(found, f.texts[f.found[state]]...)
	row := uint32(state * f.width)
	for _, c := range b {
		row = f.steps[row&^ends+uint32(f.class[c])]
		if row&ends != 0 {
			found = append(found, f.texts[f.found[int(row&^ends)/f.width]]...)
		}
	}
	return found
}
