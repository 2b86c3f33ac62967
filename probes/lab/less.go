package lab

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Without is a check that sees less, of a fault that was named in full sight.
type Without struct {
	What    string   `json:"what"` // "decisive", "host", "kafka"
	Skip    string   `json:"skip"` // probes, separated by commas
	Cause   string   `json:"cause"`
	Band    string   `json:"band"` // of that cause now; "": not named
	Status  string   `json:"status"`
	Answer  string   `json:"answer"`            // one of those below
	Missing []string `json:"missing,omitempty"` // signs of the cause that said yes in full sight, and are named as not asked now
	Next    string   `json:"next,omitempty"`    // sign that the report would look at next
	Wrong   []string `json:"wrong,omitempty"`   // grave and sure, and not what is there
	Follows []string `json:"follows,omitempty"` // grave and sure, and only what follows from the cause
}

// Answers of a check that sees less. Only the first three are honest.
const (
	StillTold   = "still told"      // sure of the cause where it is, by what other probes saw
	CannotTell  = "cannot tell"     // sure of nothing that is not there, names a sign of the cause as not asked, and the step that would settle it
	MayFollow   = "may follow"      // sure only of what follows from it, which is there; names at that very finding a sign of the cause as not asked, and the step that would settle it
	NoStep      = "no step"         // names what was not asked, and sends the operator elsewhere
	Silent      = "silent"          // does not name what it misses
	Consequence = "its consequence" // takes what follows from the cause for the root
	WrongNow    = "wrong"           // sure of what is not there, or of what it has no evidence for
)

// Honest says whether a check that sees less says no more than it can know, and
// what it misses.
func (w Without) Honest() bool {
	return w.Answer == StillTold || (w.Answer == CannotTell || w.Answer == MayFollow) && len(w.Missing) > 0 && w.Next != ""
}

// without takes away the probes that decided the first expected cause, and where
// a check is short all of the host's, and all of Kafka's.
func (e *Examiner) without(ctx context.Context, c *Cluster, k *Ktriage, f *Fault, row *Row, g *Grade) error {
	if !g.Right || len(f.Expect) == 0 {
		return nil // nothing to lose
	}
	skips := []Without{{What: "decisive", Skip: e.decided(row.Evidence, f.Expect[0].Cause)}}
	if len(f.Args) == 0 && f.Kind() == "fault" {
		skips = append(skips, Without{What: "host", Skip: e.Host}, Without{What: "kafka", Skip: e.Kafka})
	}
	var errs []error
	for _, w := range skips {
		if w.Skip == "" {
			continue
		}
		r, err := k.Check(ctx, c, append([]string{"--skip", w.Skip}, f.Args...)...)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.judge(f, row.Evidence, r, e.Follows)
		g.Without = append(g.Without, w)
	}
	return errors.Join(errs...)
}

// decided is the probes behind the decisive signs of a cause that say yes; where
// none decides, behind all that say yes.
func (e *Examiner) decided(r *Report, cause string) string {
	var decisive, any []string
	note := func(to []string, p string) []string {
		if !slices.Contains(to, p) {
			to = append(to, p)
		}
		return to
	}
	for _, f := range r.Findings {
		if f.Cause != cause {
			continue
		}
		for _, x := range f.Evidence {
			if x.Outcome != "yes" || x.Source == nil || *x.Source == "" {
				continue
			}
			any = note(any, *x.Source)
			if e.Decisive(cause, x.Sign) {
				decisive = note(decisive, *x.Source)
			}
		}
	}
	if len(decisive) == 0 {
		decisive = any
	}
	slices.Sort(decisive)
	return strings.Join(decisive, ",")
}

// judge says what a check that sees less makes of a fault that was named rightly
// in full sight. follows says whether a cause can bring another about.
func (w *Without) judge(f *Fault, sighted, blind *Report, follows func(cause, other string) bool) {
	w.Cause = f.Expect[0].Cause
	w.Band, w.Status = blind.band(w.Cause), blind.Verdict.Status
	w.Missing = blind.missing(sighted.signs(w.Cause))
	if blind.Next != nil {
		w.Next = blind.Next.Sign
	}
	for _, cause := range f.wrong(blind) {
		if sighted.consequence(cause) || follows(w.Cause, cause) {
			w.Follows = append(w.Follows, cause)
		} else {
			w.Wrong = append(w.Wrong, cause)
		}
	}
	for _, got := range blind.roots() {
		if got.grave() && got.sure() && (slices.Contains(f.Consequences, got.Cause) || slices.Contains(f.Holds, got.Cause)) && !slices.Contains(w.Follows, got.Cause) {
			w.Follows = append(w.Follows, got.Cause)
		}
	}
	w.Answer = w.answer(sighted, blind)
}

func (w *Without) answer(sighted, blind *Report) string {
	switch {
	case len(w.Wrong) > 0:
		return WrongNow
	case sure(w.Band) && !blind.tells(w.Cause, sighted, strings.Split(w.Skip, ",")):
		return WrongNow
	case sure(w.Band):
		return StillTold
	case len(w.Follows) > 0 && blind.mayFollow(w.Follows, w.Cause, w.Missing):
		return MayFollow
	case len(w.Follows) > 0:
		return Consequence
	case len(w.Missing) == 0 || w.Status == "clear" || w.Status == "advice":
		return Silent
	case !blind.leadsTo(w.Missing):
		return NoStep
	}
	return CannotTell
}

// mayFollow says whether each of these roots names what may be behind it: the cause,
// by one of its signs that were not asked, and the report looks at that next.
func (r *Report) mayFollow(roots []string, cause string, missing []string) bool {
	for _, f := range r.roots() {
		if slices.Contains(roots, f.Cause) && f.grave() && f.sure() && (!slices.Contains(f.Behind, cause) || !slices.ContainsFunc(f.Unknown, func(u Unknown) bool {
			return u.Reason == "not-asked" && slices.Contains(missing, u.Sign)
		})) {
			return false
		}
	}
	return r.leadsTo(missing)
}

// signs is those of a cause that say yes.
func (r *Report) signs(cause string) []string {
	var all []string
	for _, f := range r.Findings {
		for _, x := range f.Evidence {
			if f.Cause == cause && x.Outcome == "yes" && !slices.Contains(all, x.Sign) {
				all = append(all, x.Sign)
			}
		}
	}
	return all
}

// missing is which of these signs a report names as not asked.
func (r *Report) missing(signs []string) []string {
	named := r.notAsked()
	return slices.DeleteFunc(slices.Clone(signs), func(s string) bool { return !slices.Contains(named, s) })
}

// consequence says whether a report has a cause under a root.
func (r *Report) consequence(cause string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Cause == cause && f.Role == "consequence" })
}

// tells says whether a report is sure of a cause on one of the subjects that it
// was sure of in full sight, by a sign that none of the skipped probes fed.
func (r *Report) tells(cause string, sighted *Report, skipped []string) bool {
	for _, f := range r.Findings {
		if f.Cause != cause || !f.sure() || !slices.ContainsFunc(sighted.Findings, func(s Finding) bool {
			return s.Cause == cause && s.sure() && s.subject() == f.subject()
		}) {
			continue
		}
		for _, x := range f.Evidence {
			if x.Outcome == "yes" && x.Source != nil && !slices.Contains(skipped, *x.Source) {
				return true
			}
		}
	}
	return false
}

// leadsTo says whether what a report would look at next is one of these signs, or
// one that the same step would answer, as dropping the same --skip.
func (r *Report) leadsTo(missing []string) bool {
	if r.Next == nil {
		return false
	}
	if slices.Contains(missing, r.Next.Sign) {
		return true
	}
	steps := map[string]bool{}
	for _, u := range r.unknown() {
		if u.Reason == "not-asked" && slices.Contains(missing, u.Sign) {
			steps[u.How] = true
		}
	}
	return slices.ContainsFunc(r.unknown(), func(u Unknown) bool {
		return u.Reason == "not-asked" && u.Sign == r.Next.Sign && u.How != "" && steps[u.How]
	})
}

// unknown is every sign that a report says it could not read.
func (r *Report) unknown() []Unknown {
	all := slices.Clone(r.Coverage.Unknown)
	for _, f := range r.Findings {
		all = append(all, f.Unknown...)
	}
	return all
}

// notAsked is the signs that a report calls unknown because of --skip.
func (r *Report) notAsked() []string {
	var signs []string
	for _, u := range r.unknown() {
		if u.Reason == "not-asked" && !slices.Contains(signs, u.Sign) {
			signs = append(signs, u.Sign)
		}
	}
	return signs
}
