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
//
// A reading that is no multiplies by (1 - strength) of each cause of a set, so that
// it can be put to each cause's odds beforehand: only those that are yes have to be
// looked at for every set.
func (g *group) posterior(with what) []float64 {
	w := weighing{sum: make([]float64, len(g.cands)), odds: make([]float64, len(g.cands))}
	known := g.known(with)
	for c, cand := range g.cands {
		if with.dropped[c] {
			continue
		}
		w.odds[c] = cand.prior / (1 - cand.prior)
		for _, k := range known {
			if !k.yes {
				w.odds[c] *= 1 - cand.own[k.index]
			}
		}
	}
	for _, k := range known {
		if k.yes {
			w.seen = append(w.seen, k.index)
		}
	}
	n := len(w.seen)
	w.miss, w.spare = make([]float64, n*maxTogether), make([]float64, n*len(g.cands))
	for i, v := range w.seen {
		w.miss[i] = 1 - g.vars[v].Sign.leak()
		for c, cand := range g.cands {
			w.spare[c*n+i] = 1 - cand.explain[v]
		}
	}
	w.walk(0, 0, 1)
	for c := range w.sum {
		if w.total > 0 {
			w.sum[c] /= w.total
		}
	}
	return w.sum
}

// weighing is the sum over sets, under way.
type weighing struct {
	odds  []float64 // of each candidate, with what is no; 0: left out
	seen  []int     // variables that are yes
	spare []float64 // 1-strength of each candidate on each of these
	miss  []float64 // (1-leak)·Π(1-strength) of each of these, for each size of the set but the largest
	set   [maxTogether]int
	sum   []float64 // of the sets that a candidate is in
	total float64
}

// walk adds the set of so many candidates, and every larger one that goes on with
// candidates from an index. Most sets are of the largest size: of these the product
// is taken without keeping its factors.
func (w *weighing) walk(size, from int, odds float64) {
	n := len(w.seen)
	now := w.miss[size*n : (size+1)*n]
	p := odds
	for _, no := range now {
		p *= 1 - no
	}
	w.add(size, p)
	for c := from; c < len(w.odds); c++ {
		if w.odds[c] == 0 {
			continue
		}
		spare := w.spare[c*n : (c+1)*n]
		w.set[size] = c
		if size+1 == maxTogether {
			p := odds * w.odds[c]
			for i, no := range now {
				p *= 1 - no*spare[i]
			}
			w.add(maxTogether, p)
			continue
		}
		next := w.miss[(size+1)*n : (size+2)*n]
		for i, no := range now {
			next[i] = no * spare[i]
		}
		w.walk(size+1, c+1, odds*w.odds[c])
	}
}

// add adds what the set of so many candidates weighs.
func (w *weighing) add(size int, p float64) {
	w.total += p
	for _, c := range w.set[:size] {
		w.sum[c] += p
	}
}

// what is a question put to a group other than "as it is".
type what struct {
	without int     // variable left out; -1: none
	fixed   int     // variable given another outcome; -1: none
	to      Outcome // that outcome
	dropped []bool  // candidates left out
}

// asFor is the question as it is, for a candidate. "None of these" competes with
// all others; they do not compete with it, since it explains whatever there is.
func (g *group) asFor(c int) what {
	with := what{without: -1, fixed: -1, dropped: make([]bool, len(g.cands))}
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
	all := make([]reading, 0, len(g.vars))
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
