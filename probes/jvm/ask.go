package jvm

import (
	"fmt"

	"github.com/ktriage/ktriage/probes/probe"
)

// byJstat is how the operator has jstat read what this user may not: as the user
// of the process. We do not run it, for jstat reads the same file under the same
// rules, so that it helps those alone who may become another user.
//
//	sudo -u kafka sh -c 'jstat -gc -t 4711 1000 5; jstat -gccapacity 4711' | ktriage check --jstat-file -
func byJstat(t *probe.Target, pid int) string {
	who, known := ownerOf(t, pid)
	if !known {
		return ""
	}
	name := t.UserName(who)
	if name == "" {
		name = fmt.Sprintf("'#%d'", who)
	}
	return fmt.Sprintf("sudo -u %s sh -c 'jstat -gc -t %[2]d 1000 5; jstat -gccapacity %[2]d' | ktriage check --jstat-file -", name, pid)
}

// notAllowed is an error of reading perf data with what the operator can do.
func notAllowed(t *probe.Target, pid int, err error) error {
	u := *probe.Because(err)
	if command := byJstat(t, pid); command != "" {
		u.How += "; or " + command
	}
	return &probe.Error{Unknown: &u}
}
