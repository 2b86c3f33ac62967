package diagnose

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of a broker being there or not.

var brokerNotLive = &Sign{
	ID: "broker-not-live", Title: "it is not among the live brokers", On: fact.Broker, Trouble: true,
	Doc:      "The broker has replicas or is registered, and most of the other live brokers do not list it: the controller has fenced it, or it never came back. Where nobody answers, as the metadata log on this host has it.",
	Uses:     []fact.Key{fact.Metadata, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.LogFenced, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		listed, asked := 0, 0
		for _, b := range fact.Metadata.Subjects(v) {
			view, known := fact.Metadata.Latest(v, b)
			if !known || b == v.Subject && len(fact.Metadata.Subjects(v)) > 1 {
				continue
			}
			asked++
			if view.Lives(id) {
				listed++
			}
		}
		if asked == 0 {
			// Nobody else answers: what it says of itself stands.
			if view, known := fact.Metadata.Latest(v, v.Subject); known && view.Lives(id) {
				return no("live: it lists itself, and no other broker answers")
			}
			if r, told := fencedAsLastSeen(v, id); told {
				return r
			}
			return cannotTell(v.why(fact.Metadata))
		}
		if 2*listed >= asked {
			return no("live: %d of %d brokers list it", listed, asked)
		}
		r := yes("not live: %d of %d answering brokers list it", listed, asked)
		r.Affected.Brokers = []int32{id}
		if lines, ok := fact.LogFenced.Latest(v, v.Subject); ok && lines.Count > 0 {
			r.Since = lines.Last
			r.Text += ", fenced " + clock(lines.Last)
		}
		return r
	},
}

var portRefuses = &Sign{
	ID: "port-refuses", Title: "its port refuses", On: fact.Broker, Trouble: true,
	Doc:   "A new connection to the broker's listener is refused: nothing listens there.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		if reach.Outcome != fact.Refused {
			return no("%s does not refuse: %s", reach.Address, came(reach))
		}
		return yes("%s refuses connections%s", reach.Address, from(reach))
	},
}

var acceptsSilently = &Sign{
	ID: "accepts-but-silent", Title: "it accepts and never answers", On: fact.Broker, Trouble: true,
	Doc:   "A new connection is accepted (by the kernel's backlog, that needs no living process) and then nothing is said: stopped, frozen, out of file descriptors or far overloaded.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		if reach.Outcome != fact.Silent || reach.Step == fact.Connect || reach.Step == fact.Resolve {
			return no("%s does not hang in silence: %s", reach.Address, came(reach))
		}
		return yes("%s accepts connections and says nothing for %s", reach.Address, duration(reach.Seconds))
	},
}

var connectTimesOut = &Sign{
	ID: "connect-times-out", Title: "its port cannot be reached", On: fact.Broker, Trouble: true,
	Doc:   "A new connection gets no answer at all, not even a refusal, or there is no way there: cut, filtered, or the host is down.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		switch {
		case reach.Outcome == fact.Silent && reach.Step == fact.Connect:
			return yes("%s: no answer to a connection for %s%s", reach.Address, duration(reach.Seconds), from(reach))
		case reach.Outcome == fact.Unroutable, reach.Outcome == fact.Unresolvable:
			return yes("%s: %s%s", reach.Address, reach.Outcome, from(reach))
		}
		return no("%s is reached: %s", reach.Address, came(reach))
	},
}

var answersKafka = &Sign{
	ID: "answers", Title: "it answers", On: fact.Broker, Leak: 0.9,
	Doc:   "The broker answers ApiVersions on a new connection.",
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *View) Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		if reach.Outcome == fact.Answered {
			return yes("%s answers in %s%s", reach.Address, duration(reach.Seconds), from(reach))
		}
		return no("%s gives no Kafka answer: %s", reach.Address, came(reach))
	},
}

var processGone = &Sign{
	ID: "process-gone", Title: "its process is gone", On: fact.Process, Trouble: true,
	Doc:   "The broker ran on this host and its process is no more, or the kernel has given its number to another.",
	Needs: []fact.Key{fact.BrokerProcess},
	Test: func(v *View) Reading {
		p, _ := fact.BrokerProcess.Latest(v, v.Subject)
		if p.Exists {
			return no("pid %d runs", p.PID)
		}
		if p.PID == 0 {
			return yes("no process runs it (known from %s)", p.Found)
		}
		return yes("process gone (pid %d, known from %s)", p.PID, p.Found)
	},
}

var processStopped = &Sign{
	ID: "process-stopped", Title: "its process stands still", On: fact.Process, Trouble: true,
	Doc:   "The process is stopped (state T) or stays in uninterruptible sleep without using any CPU time: a frozen cgroup, or I/O that never ends.",
	Needs: []fact.Key{fact.BrokerProcess},
	Uses:  []fact.Key{fact.ProcessCPU},
	Test: func(v *View) Reading {
		p, _ := fact.BrokerProcess.Latest(v, v.Subject)
		switch {
		case !p.Exists:
			return notApplicable("there is no process")
		case p.State == "T" || p.State == "t":
			return yes("pid %d is stopped (state %s)", p.PID, p.State)
		case p.State != "D":
			return no("pid %d is in state %s", p.PID, p.State)
		}
		for _, s := range v.Past(fact.BrokerProcess.Def(), v.Subject) {
			if before, ok := s.Value.(fact.ProcessState); ok && before.State != "D" && v.Now().Sub(s.At) < 10*time.Second {
				return no("pid %d is in state D just now", p.PID)
			}
		}
		used, over, ok := fact.Growth(fact.ProcessCPU, v, v.Subject, 10*time.Second)
		if !ok {
			return notYet("state D wants a second look")
		}
		if used > 0.01 {
			return no("pid %d is in state D, and used %s of CPU in %s", p.PID, duration(used), duration(over))
		}
		return yes("pid %d is in state D and used no CPU time for %s", p.PID, duration(over))
	},
}

var shutdownLogged = &Sign{
	ID: "controlled-shutdown-logged", Title: "it was shut down on purpose", On: fact.Broker, Leak: 0.001,
	Doc:      "The broker's own log says SIGTERM, or a controller's log or the metadata log on this host that it asked for a controlled shutdown, and it has not come back since.",
	Uses:     []fact.Key{fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.Metadata, fact.LogSigterm, fact.LogControlledShutdown, fact.LogUnfenced, fact.LogStarted, fact.LogController, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		back := lastOf(v, fact.LogUnfenced)
		if started := lastOf(v, fact.LogStarted); started.After(back) {
			back = started
		}
		own, ownKnown := fact.LogSigterm.Latest(v, v.Subject)
		if ownKnown && own.Count > 0 && own.Last.After(back) {
			return since(own.Last, yes("its log says SIGTERM at %s", clock(own.Last)))
		}
		asked, askedKnown := fact.LogControlledShutdown.Latest(v, v.Subject)
		if askedKnown && asked.Count > 0 && asked.Last.After(back) {
			return since(asked.Last, yes("a controlled shutdown is logged at %s", clock(asked.Last)))
		}
		if went, told := parted(v, back); told {
			return went
		}
		if ownKnown {
			return no("its log says nothing of a shutdown")
		}
		if _, read := fact.LogController.Latest(v, fact.TheCluster); read {
			return no("the controller's log says nothing of a controlled shutdown")
		}
		return cannotTell(v.Why(fact.LogSigterm, v.Subject))
	},
}

var recoversLogs = &Sign{
	ID: "recovers-logs", Title: "it reads its logs through after an unclean stop", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "The broker found no mark of a clean shutdown and recovers its logs, and has not started since: it went down without being asked to, and is on its way back. It serves nothing until that is done, which takes minutes to hours; to kill it now begins that anew.",
	Needs: []fact.Key{fact.LogRecovery},
	Uses:  []fact.Key{fact.LogStarted, fact.BrokerProcess},
	Test: func(v *View) Reading {
		lines, _ := fact.LogRecovery.Latest(v, v.Subject)
		if lines.Count == 0 || lastOf(v, fact.LogStarted).After(lines.Last) || v.Now().Sub(lines.Last) > recently {
			return no("no recovery of logs is under way")
		}
		if p, known := fact.BrokerProcess.Latest(v, fact.Subject{Scope: fact.Process, Name: v.Subject.Name}); known && !p.Exists {
			return no("its recovery ended with its process")
		}
		return since(lines.First, yes("it recovers logs since %s, %s so far: it stopped uncleanly, and is starting", clock(lines.First), plural(lines.Count, "line")))
	},
}

var leftISR = &Sign{
	ID: "replicas-left-isr", Title: "its replicas left the ISR", On: fact.Broker, Trouble: true,
	Doc:      "Partitions that have a replica on the broker do not count it among their in-sync replicas. Replicas that a reassignment is only adding do not count.",
	Uses:     []fact.Key{fact.Metadata, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.Reassigned, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		view, known := clusterView(v)
		if !known {
			return cannotTell(v.why(fact.Metadata))
		}
		missing, placed := view.missing[id], view.placed[id]
		if placed == 0 {
			return notApplicable("it has no replicas")
		}
		if missing > 0 {
			missing -= view.coming(id, adding(v))
		}
		r := atLeast(float64(missing), 1, fact.Count, "%d of its %s not in the ISR", missing, plural(placed, "replica"))
		r.Affected.Partitions = missing
		return r
	},
}

// came is how far a connection came, in words: "answered", "refused at tcp".
func came(r fact.Reach) string {
	if r.Outcome == fact.Answered {
		return string(r.Outcome)
	}
	return string(r.Outcome) + " at " + string(r.Step)
}

// from says where an address comes from that no broker told.
func from(r fact.Reach) string {
	switch {
	case r.FromLogOf == nil:
		return ""
	case *r.FromLogOf < 0:
		return " (the address is from the metadata log on this host)"
	}
	return fmt.Sprintf(" (the address is from the metadata log of node %d)", *r.FromLogOf)
}

// nodeID is the number of a broker whose id is known.
func nodeID(s fact.Subject) (int32, bool) {
	ns := numbers(s.Name)
	if len(ns) != 1 {
		return 0, false
	}
	return int32(ns[0]), true
}

// lastOf is when a kind of line was last logged about the sign's subject.
func lastOf(v *View, k fact.Of[fact.LogLines]) time.Time {
	lines, _ := k.Latest(v, v.Subject)
	return lines.Last
}

func since(t time.Time, r Reading) Reading {
	r.Since = t
	return r
}

// between is a reading of what began at one time and was last seen at another:
// it says nothing of now.
func between(first, last time.Time, r Reading) Reading {
	r.Since, r.Last = first, last
	return r
}
