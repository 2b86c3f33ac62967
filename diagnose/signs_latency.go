package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of which phase of a request grows: with metrics, and from the threads of a
// broker's process where there are none.

// Limits of what makes requests late.
const (
	wholeCore    = 0.9  // of a processor that one thread uses
	followerSlow = 0.1  // seconds that Produce waits for followers, on average
	promptly     = 0.05 // seconds at most that it waits for followers that keep up
)

var handlersAtCores = &Sign{
	ID: "handlers-at-their-cores", Title: "each of its request handlers has a processor to itself", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "Over the last minute its request handlers used 90% of a processor each, for 10 s or more: they cannot do more than that, however many processors are idle. Known without metrics.",
	For:   10 * time.Second,
	Needs: []fact.Key{fact.JVMThreadRoles},
	Test: func(v *View) Reading {
		now, by, over, reading := threadsOf(v, "request-handler")
		if reading != nil {
			return *reading
		}
		each := by.CPU / over / float64(max(1, now.Count))
		return atLeast(each, wholeCore, fact.Ratio, "%s used %s of a processor each, over %s", plural(now.Count, "request handler"), percent(each), duration(over))
	},
}

var networkThreadAtCore = &Sign{
	ID: "network-thread-at-its-core", Title: "one of its network threads has a processor to itself", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Over the last minute the busiest of its network threads used 90% of a processor, for 10 s or more: what its connections send and get waits for that thread. Known without metrics; whether answers wait, they alone tell.",
	For:   10 * time.Second,
	Needs: []fact.Key{fact.JVMThreadRoles},
	Test: func(v *View) Reading {
		_, by, over, reading := threadsOf(v, "network")
		if reading != nil {
			return *reading
		}
		return atLeast(by.Busiest/over, wholeCore, fact.Ratio, "its busiest network thread used %s of a processor, over %s", percent(by.Busiest/over), duration(over))
	},
}

// threadsOf is the threads of a role of the sign's process, and by how much their
// counters grew over some seconds; reading is set where that is not known.
func threadsOf(v *View, role string) (now, by fact.ThreadRole, over float64, reading *Reading) {
	past := v.Past(fact.JVMThreadRoles.Def(), v.Subject)
	of := func(s fact.Sample) (fact.ThreadRole, bool) {
		all, _ := s.Value.([]fact.ThreadRole)
		i := slices.IndexFunc(all, func(r fact.ThreadRole) bool { return r.Role == role })
		if i < 0 {
			return fact.ThreadRole{}, false
		}
		return all[i], true
	}
	newest := past[len(past)-1]
	now, ok := of(newest)
	if !ok {
		r := notApplicable("its " + role + " threads cannot be told from others")
		return now, by, 0, &r
	}
	for _, s := range past[:len(past)-1] {
		before, ok := of(s)
		if age := newest.At.Sub(s.At); ok && age <= hostWindow && age > 0 {
			by = fact.ThreadRole{CPU: max(0, now.CPU-before.CPU), Busiest: max(0, now.Busiest-before.Busiest)}
			return now, by, age.Seconds(), nil
		}
	}
	r := notYet("wants two samples")
	return now, by, 0, &r
}

var followersWaitedFor = &Sign{
	ID: "produce-waits-for-it", Title: "producers wait for it to follow", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:      "For Produce at a leader, waiting for followers is the largest phase, 100 ms or more on average, and this broker is the one follower that all such leaders have in common, those apart that other leaders do not wait for. Producers with acks=1 do not wait, nor does anything else of the leader.",
	Uses:     []fact.Key{fact.MetricRequests, fact.Metadata, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.LastSeen},
	Subjects: knownBrokers,
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		waits := waitsOfLeaders(v)
		if !waits.told {
			return cannotTell(v.why(fact.MetricRequests))
		}
		view, known := clusterView(v)
		if !known {
			return cannotTell(v.why(fact.Metadata))
		}
		suspects := waits.suspects(view)
		switch {
		case !slices.Contains(suspects, id):
			return no("no leader whose metrics can be read waits long for it")
		case len(suspects) > 1:
			return cannotTell(&fact.Unknown{Reason: fact.NotAskedFor, How: "--metrics-url of the other brokers",
				Detail: fmt.Sprintf("Produce at broker %s waits %s for its followers %s; for which one, metrics of other leaders would tell", ids(waits.slow), duration(waits.longest), ids(suspects))})
		}
		r := atLeast(waits.longest, followerSlow, fact.Seconds, "Produce at broker %s waits %s for followers, its longest phase, and all have this one", ids(waits.slow), duration(waits.longest))
		r.Affected.Brokers = waits.slow
		return r
	},
}

// leaderWaits is which leaders' producers wait for followers, as their metrics tell.
type leaderWaits struct {
	told         bool
	slow, prompt []int32 // prompt: they wait, and not long
	longest      float64
}

func waitsOfLeaders(v *View) (w leaderWaits) {
	for _, leader := range fact.MetricRequests.Subjects(v) {
		all, known := fact.MetricRequests.Latest(v, leader)
		id, ok := nodeID(leader)
		produce, found := timesOf(all, "Produce")
		if !known || !ok || !found {
			continue
		}
		w.told = true
		remote := produce.Phases[fact.PhaseRemote]["mean"]
		switch of, _ := longestPhase(produce); {
		case remote >= followerSlow && of == fact.PhaseRemote:
			w.slow, w.longest = append(w.slow, id), max(w.longest, remote)
		case remote > 0 && remote < promptly:
			w.prompt = append(w.prompt, id)
		}
	}
	return w
}

// suspects is the followers that all slow leaders have in common, without those that
// a prompt leader has too, as far as that leaves any.
func (w leaderWaits) suspects(view *clusterViewOf) []int32 {
	if len(w.slow) == 0 {
		return nil
	}
	var all, cleared []int32
	for n, leader := range w.slow {
		of := view.followers(leader)
		if n == 0 {
			all = of
		}
		all = slices.DeleteFunc(slices.Clone(all), func(id int32) bool { return !slices.Contains(of, id) })
	}
	for _, leader := range w.prompt {
		cleared = append(cleared, view.followers(leader)...)
	}
	rest := slices.DeleteFunc(slices.Clone(all), func(id int32) bool { return slices.Contains(cleared, id) })
	if len(rest) > 0 {
		return rest
	}
	return all
}

// followers is who is in sync with what a broker leads, sorted.
func (c *clusterViewOf) followers(leader int32) (all []int32) {
	for p := range c.Partition {
		if c.Leader[p] != leader {
			continue
		}
		for _, id := range c.ISR.At(p) {
			if id != leader && !slices.Contains(all, id) {
				all = append(all, id)
			}
		}
	}
	slices.Sort(all)
	return all
}
