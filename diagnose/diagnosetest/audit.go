package diagnosetest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// observed is what happened while the cases ran.
type observed struct {
	cases    []*Case
	reads    map[*diagnose.Sign]map[*fact.Def]bool
	outcomes map[*diagnose.Sign]map[diagnose.Outcome]bool
}

func newObserved() *observed {
	return &observed{
		reads:    map[*diagnose.Sign]map[*fact.Def]bool{},
		outcomes: map[*diagnose.Sign]map[diagnose.Outcome]bool{},
	}
}

// note runs a case once more and keeps what its signs read and said, in every
// batch.
func (o *observed) note(c *diagnose.Catalogue, k *Case) {
	o.cases = append(o.cases, k)
	session := diagnose.NewSession(c)
	for _, b := range k.Batches {
		for _, s := range session.Apply(b).Signs {
			if o.outcomes[s.Sign] == nil {
				o.outcomes[s.Sign] = map[diagnose.Outcome]bool{}
			}
			o.outcomes[s.Sign][s.Outcome] = true
		}
	}
	for sign, defs := range session.Reads() {
		if o.reads[sign] == nil {
			o.reads[sign] = map[*fact.Def]bool{}
		}
		for _, d := range defs {
			o.reads[sign][d] = true
		}
	}
}

// kinds is the cases that each cause must have: the first words of file names.
var kinds = []string{"positive", "near-miss", "unknown"}

// auditCases tells which causes lack which kind of case, and which cases do not
// say about their cause what their kind promises.
func auditCases(c *diagnose.Catalogue, cases []*Case) []string {
	var all []string
	have := map[string]bool{}
	for _, k := range cases {
		cause := filepath.Base(filepath.Dir(k.File))
		if !slices.ContainsFunc(causes(c), func(x *diagnose.Cause) bool { return x.ID == cause }) {
			all = append(all, fmt.Sprintf("%s: directory %s is no cause of the catalogue", k.File, cause))
		}
		i := slices.IndexFunc(kinds, func(kind string) bool { return strings.HasPrefix(filepath.Base(k.File), kind) })
		if i < 0 {
			all = append(all, fmt.Sprintf("%s: the name begins with none of %v", k.File, kinds))
			continue
		}
		have[kinds[i]+" "+cause] = true
		if failure := k.promises(kinds[i], cause); failure != "" {
			all = append(all, k.File+": "+failure)
		}
	}
	for _, cause := range causes(c) {
		for _, kind := range kinds {
			if !have[kind+" "+cause.ID] {
				all = append(all, fmt.Sprintf("cause %s has no %s case", cause.ID, kind))
			}
		}
	}
	return all
}

// promises tells what a case of a kind does not say about its cause.
func (k *Case) promises(kind, cause string) string {
	sure, notSure, confirmed, openSign := false, false, false, false
	for _, w := range k.Wants {
		switch {
		case w.What == Sign && w.Word == string(diagnose.Unknown):
			openSign = true
		case w.What != Cause || w.ID != cause:
		case w.No || !diagnose.Band(w.Word).Sure():
			notSure = true
		default:
			sure = true
			confirmed = confirmed || w.Word == string(diagnose.Confirmed)
		}
	}
	switch {
	case kind == "positive" && !sure:
		return "a positive case must want " + cause + " confirmed or likely"
	case kind == "near-miss" && (sure || !notSure):
		return "a near miss must want that " + cause + " is not sure"
	case kind == "unknown" && !openSign:
		return "an unknown case must want a sign to be unknown"
	case kind == "unknown" && (confirmed || !sure && !notSure):
		return "an unknown case must say what becomes of " + cause + ", and it cannot be confirmed"
	}
	return ""
}

// auditReads tells where what a sign declares and what it read differ: either
// the declaration is wrong or the cases are too few.
func auditReads(c *diagnose.Catalogue, seen *observed) []string {
	var all []string
	for _, sign := range c.Signs {
		declared := map[*fact.Def]bool{}
		for _, k := range slices.Concat(sign.Needs, sign.Uses) {
			declared[k.Def()] = true
			if !seen.reads[sign][k.Def()] {
				all = append(all, fmt.Sprintf("sign %s declares %s and never read it", sign.ID, k.Def().Name))
			}
		}
		for d := range seen.reads[sign] {
			if !declared[d] {
				all = append(all, fmt.Sprintf("sign %s read %s and does not declare it", sign.ID, d.Name))
			}
		}
	}
	slices.Sort(all)
	return all
}

// auditOutcomes tells which signs never said yes, or never no: such a sign could
// as well be a constant.
func auditOutcomes(c *diagnose.Catalogue, seen *observed) []string {
	var all []string
	for _, sign := range c.Signs {
		for _, o := range []diagnose.Outcome{diagnose.Yes, diagnose.No} {
			if !seen.outcomes[sign][o] {
				all = append(all, fmt.Sprintf("sign %s never said %s in any case", sign.ID, o))
			}
		}
	}
	return all
}
