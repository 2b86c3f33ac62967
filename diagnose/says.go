package diagnose

import "strings"

// gist is the texts of the named signs that are yes, in that order, two at most.
func gist(yes []SignState, signs ...*Sign) string {
	var all []SignState
	for _, s := range signs {
		if st := find(yes, s); st != nil {
			all = append(all, *st)
		}
	}
	if len(all) == 0 {
		all = yes
	}
	return gistOf(all)
}

func gistOf(yes []SignState) string {
	var texts []string
	for _, st := range yes {
		if len(texts) < 2 {
			texts = append(texts, st.Text)
		}
	}
	return strings.Join(texts, "; ")
}

// find is a sign's reading among those that are yes; nil: it is not yes.
func find(yes []SignState, sign *Sign) *SignState {
	for i := range yes {
		if yes[i].Sign == sign {
			return &yes[i]
		}
	}
	return nil
}

// blamed is whom a sign's reading points at, in words.
func blamed(yes []SignState, sign *Sign) string {
	st := find(yes, sign)
	if st == nil {
		return ""
	}
	var all []string
	for _, s := range st.Blames {
		all = append(all, s.String())
	}
	if len(all) == 0 {
		return ""
	}
	return listed(all)
}
