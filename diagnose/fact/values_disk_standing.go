package fact

import (
	"fmt"
	"sort"
	"time"
)

// StandingTimes is numbers of a cluster since moments, in columns, oldest first.
type StandingTimes struct {
	At         []time.Time `json:"at"`
	Live       []int32     `json:"live"`
	Fenced     []int32     `json:"fenced"`
	Leaderless []int32     `json:"leaderless"`
	Behind     []int32     `json:"under_replicated"`
}

// Valid says which column does not fit.
func (s StandingTimes) Valid() error {
	n := len(s.At)
	for _, c := range []int{len(s.Live), len(s.Fenced), len(s.Leaderless), len(s.Behind)} {
		if c != n {
			return fmt.Errorf("a column of %d entries for %d moments", c, n)
		}
	}
	return nil
}

// Then is the row of how it stood at a moment; -1: before what is told.
func (s StandingTimes) Then(at time.Time) int {
	return sort.Search(len(s.At), func(i int) bool { return s.At[i].After(at) }) - 1
}
