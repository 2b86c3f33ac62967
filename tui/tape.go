package tui

import (
	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/tui/text"
)

// scene is what the batches up to one moment come to.
type scene struct {
	session *diagnose.Session
	verdict *diagnose.Verdict
	// before is the verdict that stood when the operator last said that a fix
	// was applied: what must move back.
	before *diagnose.Verdict
	// worst is the verdict at the incident's height, before the first fix.
	worst *diagnose.Verdict
}

func newScene(c *diagnose.Catalogue) scene {
	s := diagnose.NewSession(c)
	return scene{session: s, verdict: s.Verdict()}
}

// apply folds one batch in.
func (s *scene) apply(b fact.Batch) {
	for _, m := range b.Marks {
		if m.Kind == fact.FixApplied {
			s.before = s.verdict
		}
	}
	s.verdict = s.session.Apply(b)
	if s.session.FixApplied().IsZero() {
		s.worst = text.Worse(s.worst, s.verdict)
	}
}

// Bounds of the tape.
const (
	keepBatches = 360
	keepWeight  = 4 << 20 // observations and partitions in all batches
)

// tape is the newest batches, to step back through.
type tape struct {
	batches []fact.Batch
	weight  int
	dropped int // batches that are no longer kept
}

func (t *tape) add(b fact.Batch) {
	t.batches = append(t.batches, b)
	t.weight += weight(b)
	for len(t.batches) > 1 && (len(t.batches) > keepBatches || t.weight > keepWeight) {
		t.weight -= weight(t.batches[0])
		t.batches = t.batches[1:] // not cleared: an earlier moment may be folding just now
		t.dropped++
	}
}

// end is the number of the newest batch, counted from the first ever; -1: none.
func (t *tape) end() int { return t.dropped + len(t.batches) - 1 }

// upTo is the kept batches up to and with number n.
func (t *tape) upTo(n int) []fact.Batch {
	return t.batches[:max(0, min(n-t.dropped+1, len(t.batches)))]
}

// weight is about how much memory a batch takes, in values.
func weight(b fact.Batch) int {
	n := len(b.Observations)
	for _, o := range b.Observations {
		switch v := o.Value.(type) {
		case fact.MetadataView:
			n += len(v.Topics) + len(v.Partition)
		case fact.GroupOffsets:
			n += len(v.Partition)
		case fact.LastCluster:
			n += len(v.Topics) + len(v.Partition)
		}
	}
	return n
}

// fold makes the scene of some batches from nothing: the same batches give the
// same scene.
func fold(c *diagnose.Catalogue, batches []fact.Batch) scene {
	s := newScene(c)
	for _, b := range batches {
		s.apply(b)
	}
	return s
}
