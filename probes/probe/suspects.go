package probe

import (
	"slices"
	"sync"
)

// mostSuspects is how many suspects are kept; the oldest give way.
const mostSuspects = 1000

// Suspect is a partition that something points at: one to look into before others.
type Suspect struct {
	Partition string // "orders-3"
	Why       string // in a few words, as the first who pointed at it said
}

// Suspects is the partitions that probes and the operator have pointed at. Safe for
// use by several goroutines; the zero value has none.
type Suspects struct {
	mu  sync.Mutex
	all []Suspect // oldest first
}

// Add points at partitions. One that is pointed at again becomes the newest.
func (s *Suspects) Add(why string, partitions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		one := Suspect{p, why}
		if i := slices.IndexFunc(s.all, func(old Suspect) bool { return old.Partition == p }); i >= 0 {
			one.Why = s.all[i].Why
			s.all = slices.Delete(s.all, i, i+1)
		}
		s.all = append(s.all, one)
	}
	if over := len(s.all) - mostSuspects; over > 0 {
		s.all = slices.Delete(s.all, 0, over)
	}
}

// All is the suspects, the newest first.
func (s *Suspects) All() []Suspect {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.all)
	slices.Reverse(all)
	return all
}
