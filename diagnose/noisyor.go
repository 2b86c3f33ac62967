package diagnose

import "math"

// What is weighed at once, at most: three causes on one subject group is more
// than an operator meets in a night, and keeps the sum exact.
const maxTogether = 3

// posterior is the probability of each candidate of a group, given its
// readings: noisy-OR over every set of at most three candidates, summed
// exactly. A reading that is unknown leaves the likelihood. A consequence that
// has not come (yet) does not speak against its root: cascades explain what is
// seen, and only a cause's own signs count against it when they are absent.
func (g *group) posterior(with what) []float64 {
	n := len(g.cands)
	sum := make([]float64, n)
	total := 0.0
	known := g.known(with)
	miss := make([]float64, len(known)) // Π(1-strength) of the set, of each known variable
	var set []int
	var walk func(from int, prior float64)
	walk = func(from int, prior float64) {
		p := prior
		for i, k := range known {
			no := (1 - g.vars[k.index].Sign.leak()) * miss[i]
			if k.yes {
				no = 1 - no
			}
			p *= no
		}
		total += p
		for _, c := range set {
			sum[c] += p
		}
		if len(set) == maxTogether {
			return
		}
		for c := from; c < n; c++ {
			if with.dropped[c] {
				continue
			}
			saved := append([]float64(nil), miss...)
			for i, k := range known {
				if k.yes {
					miss[i] *= 1 - g.cands[c].explain[k.index]
				} else {
					miss[i] *= 1 - g.cands[c].own[k.index]
				}
			}
			set = append(set, c)
			odds := g.cands[c].cause.Prior / (1 - g.cands[c].cause.Prior)
			walk(c+1, prior*odds)
			set = set[:len(set)-1]
			copy(miss, saved)
		}
	}
	for i := range miss {
		miss[i] = 1
	}
	walk(0, 1)
	for c := range sum {
		if total > 0 {
			sum[c] /= total
		}
	}
	return sum
}

// what is a question put to a group other than "as it is".
type what struct {
	without int          // variable left out; -1: none
	fixed   int          // variable given another outcome; -1: none
	to      Outcome      // that outcome
	dropped map[int]bool // candidates left out
}

// asFor is the question as it is, for a candidate. "None of these" competes with
// all others; they do not compete with it, since it explains whatever there is.
func (g *group) asFor(c int) what {
	with := what{without: -1, fixed: -1, dropped: map[int]bool{}}
	for i, other := range g.cands {
		if other.none && i != c {
			with.dropped[i] = true
		}
	}
	return with
}

// reading is a variable that is known, and how.
type reading struct {
	index int
	yes   bool
}

// known is the readings that enter the likelihood.
func (g *group) known(with what) []reading {
	var all []reading
	for i := range g.vars {
		outcome := g.vars[i].Outcome
		if i == with.fixed {
			outcome = with.to
		}
		if i != with.without && (outcome == Yes || outcome == No) {
			all = append(all, reading{i, outcome == Yes})
		}
	}
	return all
}

// logOdds is ln(p/(1-p)), bounded so that certainty stays a number.
func logOdds(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}
