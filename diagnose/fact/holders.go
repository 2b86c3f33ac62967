package fact

import (
	"cmp"
	"slices"
)

// Holder is a broker and of how many partitions it surely has all that was
// acknowledged: where it is in the ISR or among the eligible leader replicas.
type Holder struct {
	Broker int32 `json:"broker"`
	Alone  int   `json:"alone"` // of which nobody else surely has it
	All    int   `json:"all"`
}

// Holders counts who holds what, by broker.
type Holders map[int32]*Holder

// Add counts a partition that these brokers surely have.
func (h Holders) Add(sure []int32) {
	for _, id := range sure {
		one := h[id]
		if one == nil {
			one = &Holder{Broker: id}
			h[id] = one
		}
		if one.All++; len(sure) == 1 {
			one.Alone++
		}
	}
}

// Ranked is the holders, the most needed first.
func (h Holders) Ranked() []Holder {
	all := make([]Holder, 0, len(h))
	for _, one := range h {
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b Holder) int {
		return cmp.Or(cmp.Compare(b.Alone, a.Alone), cmp.Compare(b.All, a.All), cmp.Compare(a.Broker, b.Broker))
	})
	return all
}
