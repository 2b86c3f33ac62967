package history

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// lists stores each distinct list of node ids once: partitions by the million
// have few of them.
type lists struct {
	number map[string]int32
	all    [][]int32
	key    []byte
}

// none is the empty list.
const none = int32(0)

func newLists() *lists {
	return &lists{number: map[string]int32{"": none}, all: [][]int32{nil}}
}

// of is the number of a list.
func (l *lists) of(ids []int32) int32 {
	l.key = l.key[:0]
	for _, id := range ids {
		l.key = binary.BigEndian.AppendUint32(l.key, uint32(id))
	}
	n, ok := l.number[string(l.key)]
	if !ok {
		n = int32(len(l.all))
		l.number[string(l.key)] = n
		l.all = append(l.all, slices.Clone(ids))
	}
	return n
}

// ids is the list with a number.
func (l *lists) ids(n int32) []int32 { return l.all[n] }

// less is what of a is not in b.
func less(a, b []int32) []int32 {
	var rest []int32
	for _, id := range a {
		if !slices.Contains(b, id) {
			rest = append(rest, id)
		}
	}
	return rest
}

// idText is ids as Kafka's tools print them: "1,2,3".
func idText(ids []int32) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(id)))
	}
	return b.String()
}
