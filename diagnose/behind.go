package diagnose

import (
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// behind notes of each root that is sure what might have brought it about and was
// not looked for, because nobody asked: the decisive signs of such causes. It is a
// root as far as anyone can see, and no further. Signs noted are returned.
func (c *Catalogue) behind(v *Verdict) map[*Sign]bool {
	var unasked []*SignState
	for i := range v.Signs {
		if st := &v.Signs[i]; st.Outcome == Unknown && st.Because.Reason == fact.NotAskedFor {
			unasked = append(unasked, st)
		}
	}
	if len(unasked) == 0 {
		return nil
	}
	noted := map[*Sign]bool{}
	for _, f := range v.Findings {
		if !f.Band.Sure() {
			continue
		}
		for _, cause := range c.Causes {
			if cause == f.Cause || !cause.bringsAbout(f.Cause, nil) || v.sureOf(cause) {
				continue
			}
			for _, st := range unasked {
				if cause.decidedBy(st.Sign) && bearsOn(st.Subject, f.Subject) {
					f.behind(cause, st)
					noted[st.Sign] = true
				}
			}
		}
	}
	return noted
}

func (f *Finding) behind(cause *Cause, st *SignState) {
	if !slices.Contains(f.Behind, cause) {
		f.Behind = append(f.Behind, cause)
	}
	if !slices.ContainsFunc(f.Unknown, func(m Missing) bool { return m.Sign == st.Sign && m.Subject == st.Subject }) {
		f.Unknown = append(f.Unknown, Missing{Sign: st.Sign, Subject: st.Subject, Because: st.Because})
	}
}

// Follows says whether a cause can bring another one about, by their ids.
func (c *Catalogue) Follows(cause, other string) bool {
	from, to := c.cause(cause), c.cause(other)
	return from != nil && to != nil && from.bringsAbout(to, nil)
}

func (c *Catalogue) cause(id string) *Cause {
	for _, one := range c.Causes {
		if one.ID == id {
			return one
		}
	}
	return nil
}

func (c *Cause) decidedBy(s *Sign) bool {
	return slices.ContainsFunc(c.Signs, func(l Link) bool { return l.Sign == s && l.Decisive })
}

func (v *Verdict) sureOf(cause *Cause) bool {
	return slices.ContainsFunc(v.All(), func(f *Finding) bool { return f.Cause == cause && f.Band.Sure() })
}

// bearsOn says whether what is unknown of one subject may bear on another: it is of
// nobody in particular, of the same broker, of the cluster, or of a broker that a
// group may need.
func bearsOn(a, b fact.Subject) bool {
	a, b = home(a), home(b)
	return a.Name == fact.Any || a == b || a == fact.TheCluster || b == fact.TheCluster || a.Scope == fact.Broker && b.Scope == fact.Group
}
