package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// unaccounted is what alert rules that fire speak of where nothing grave was found: a
// busy or slow broker is no trouble by itself, but after all this time it is not well
// either. Nobody can tell why, and nothing is clear. What an hour's count of ISR shrinks
// says may all be past: a rolling restart makes as many.
func (v *Verdict) unaccounted() (all []SignState) {
	for _, f := range v.All() {
		if f.Band.Sure() && f.Severity.Rank() >= Major.Rank() {
			return nil
		}
	}
	for _, a := range v.Alerts {
		if a.State != Firing || a.Sign.Trouble || a.Sign == isrShrinksOften {
			continue
		}
		for i := range v.Signs {
			if st := &v.Signs[i]; st.Sign == a.Sign && st.Subject == a.Subject {
				one := *st
				one.Text += fmt.Sprintf(", since %s", clock(a.Since))
				all = append(all, one)
			}
		}
	}
	return all
}

// whereToLook is the step that would settle why produce requests of a broker take
// long, by the phase that takes longest.
var whereToLook = map[fact.Phase]string{
	fact.PhaseQueue:         "what its request handlers do: their threads and CPU, on its own host",
	fact.PhaseLocal:         "the disks under its log dirs and its threads in state D, on its own host",
	fact.PhaseRemote:        "its followers: metrics, disks and collections of each",
	fact.PhaseResponseQueue: "its network threads and what they read from disk, on its own host",
	fact.PhaseSend:          "its network: interfaces, retransmits, bytes that stand in sockets, on its own host",
}

// lookAt is where to look for what nothing accounts for; nil where that is not known.
func (c *Catalogue) lookAt(view *View, all []SignState) *NextLook {
	for _, st := range all {
		times, _ := fact.MetricRequests.Latest(view, st.Subject)
		produce, _ := timesOf(times, "Produce")
		of, _ := longestPhase(produce)
		if where, ok := whereToLook[of]; ok && st.Sign == produceLatencyHigh {
			return &NextLook{Sign: st.Sign, Box: c.boxOf(st.Sign), Text: fmt.Sprintf("produce at %s spends its time in %s: look at %s", st.Subject, of, where)}
		}
	}
	return nil
}
