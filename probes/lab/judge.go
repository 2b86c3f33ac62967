package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Judge compares what ktriage said with what a fault expects; the error holds
// one line for each thing that is wrong.
func (f *Fault) Judge(c *Cluster, r *Report) error {
	var wrong []error
	if !f.unnamed() {
		wrong = f.judgeRoots(c, r)
	}
	for _, found := range r.Findings {
		if slices.Contains(f.Forbidden, found.Cause) && found.sure() && !f.inContext(found.Cause) {
			wrong = append(wrong, fmt.Errorf("forbidden: %s", found))
		}
	}
	for _, cause := range f.Consequences {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Cause == cause && f.Role == "consequence" }) {
			wrong = append(wrong, fmt.Errorf("%s does not stand under a root", cause))
		}
	}
	for _, id := range f.Context {
		if !r.mentions(id) {
			wrong = append(wrong, fmt.Errorf("%s stands neither as context nor as a root of severity info", id))
		}
	}
	if f.Branch != "" && r.Verdict.Branch != f.Branch {
		wrong = append(wrong, fmt.Errorf("branch %q, want %q", r.Verdict.Branch, f.Branch))
	}
	if fault := r.Verdict.Status == "fault"; fault == (len(f.Expect) == 0) && !f.unnamed() {
		wrong = append(wrong, fmt.Errorf("status %q", r.Verdict.Status))
	}
	return errors.Join(wrong...)
}

// judgeRoots wants the expected roots first, in order, and no other that is
// both grave and sure.
func (f *Fault) judgeRoots(c *Cluster, r *Report) []error {
	var wrong []error
	roots := r.roots()
	for i, want := range f.Expect {
		if i >= len(roots) {
			wrong = append(wrong, fmt.Errorf("root %s is missing", want.Cause))
			continue
		}
		subject := c.expand(want.Subject)
		got := roots[i]
		switch {
		case got.Cause != want.Cause:
			wrong = append(wrong, fmt.Errorf("root %d is %s, want %s", i+1, got, want.Cause))
		case subject != "" && got.subject() != subject:
			wrong = append(wrong, fmt.Errorf("root %d is %s, want it on %s", i+1, got, subject))
		case !got.sure():
			wrong = append(wrong, fmt.Errorf("root %d is %s, want it confirmed or likely", i+1, got))
		}
	}
	for i, got := range roots {
		// The same cause may show on several subjects, as on every topic.
		if i >= len(f.Expect) && got.grave() && got.sure() && !f.expects(got.Cause) {
			wrong = append(wrong, fmt.Errorf("unexpected root: %s", got))
		}
	}
	return wrong
}

func (f *Fault) expects(cause string) bool {
	return slices.ContainsFunc(f.Expect, func(e Expect) bool { return e.Cause == cause })
}

func (f *Fault) inContext(cause string) bool { return slices.Contains(f.Context, cause) }

// roots in the order in which they were printed.
func (r *Report) roots() []Finding {
	var roots []Finding
	for _, f := range r.Findings {
		if f.Role == "root" {
			roots = append(roots, f)
		}
	}
	return roots
}

func (r *Report) mentions(id string) bool {
	for _, c := range r.Context {
		if c.ID == id {
			return true
		}
	}
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Cause == id && !f.grave() && f.sure() })
}

// bands from nothing to certain.
var bands = []string{"", "cannot-tell", "possible", "likely", "confirmed"}

// band is the best that the report gives a cause; "" when it is not named.
func (r *Report) band(cause string) string {
	best := 0
	for _, f := range r.Findings {
		if f.Cause == cause {
			best = max(best, slices.Index(bands, f.Band))
		}
	}
	return bands[best]
}

// judge compares what is said without the probes with what was said with them:
// the band must be lower, and what was not asked must be named.
func (b Blind) judge(sighted, blind *Report) (string, error) {
	with, without := sighted.band(b.Cause), blind.band(b.Cause)
	missing := blind.notAsked()
	said := fmt.Sprintf("without %s: %s, %s; not asked: %s", b.Skip, name(without), blind.Verdict.Status, some(missing, 4))
	switch {
	case slices.Index(bands, without) >= slices.Index(bands, with):
		return said, fmt.Errorf("without %s %s is still %s", b.Skip, b.Cause, without)
	case len(missing) == 0:
		return said, fmt.Errorf("without %s no sign is named as not asked", b.Skip)
	case blind.Verdict.Status == "clear" || blind.Verdict.Status == "advice":
		return said, fmt.Errorf("without %s the status is %s", b.Skip, blind.Verdict.Status)
	}
	return said, nil
}

// some is the first few of a list, and how many more there are.
func some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], " "), len(list)-most)
}

func name(band string) string {
	if band == "" {
		return "not named"
	}
	return band
}
