package probes

import (
	"fmt"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// CheckNames says which of the names is neither a probe of the list nor a
// family of them ("jvm" is every jvm.… probe).
func CheckNames(list []*probe.Probe, names []string) error {
	for _, name := range names {
		known := false
		var all []string
		for _, p := range list {
			known = known || named(p, []string{name})
			all = append(all, p.Name)
		}
		if !known {
			return fmt.Errorf("no probe %q, expected one of %s", name, strings.Join(all, " "))
		}
	}
	return nil
}

func named(p *probe.Probe, names []string) bool { return nameOf(p, names) != "" }

// nameOf is the name by which a probe is in a list of names; empty: it is not.
func nameOf(p *probe.Probe, names []string) string {
	for _, n := range names {
		if family, _, _ := strings.Cut(p.Name, "."); n == p.Name || n == family {
			return n
		}
	}
	return ""
}

// Asks says whether the options ask for a probe of the list.
func (o LiveOptions) Asks(p *probe.Probe, list []*probe.Probe) bool {
	return selected(list, o)[p] == nil
}

// selected says of each probe that is not to run why not. With --only the
// probes that the named ones need run too.
func selected(list []*probe.Probe, o LiveOptions) map[*probe.Probe]*fact.Unknown {
	wanted := map[*probe.Probe]bool{}
	var want func(*probe.Probe)
	want = func(p *probe.Probe) {
		if wanted[p] {
			return
		}
		wanted[p] = true
		for _, need := range p.Needs {
			want(need)
		}
	}
	for _, p := range list {
		if named(p, o.Only) || (len(o.Only) == 0 && p.Cost != probe.Heavy) {
			want(p)
		}
	}
	not := map[*probe.Probe]*fact.Unknown{}
	for _, p := range list {
		u := &fact.Unknown{Reason: fact.NotAskedFor, Detail: p.Name + " was not asked for"}
		switch {
		case named(p, o.Skip):
			u.How = "drop --skip " + nameOf(p, o.Skip)
		case wanted[p]:
			continue
		case len(o.Only) > 0:
			u.How = "add " + p.Name + " to --only"
		default:
			u.How = "it is heavy: ask with --only " + p.Name
		}
		not[p] = u
	}
	return not
}
