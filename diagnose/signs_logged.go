package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs that known lines of brokers' logs give.

// recently is how far back a line of a log still speaks of now.
const recently = 10 * time.Minute

// often is yes where so many lines of a kind were logged about the sign's subject
// within ten minutes.
func often(v *View, k fact.Of[fact.LogLines], enough int, what string) Reading {
	lines, _ := k.Latest(v, v.Subject)
	return oftenOf(lines, linesLately(v, lines), enough, what)
}

// oftenInAll is often of lines that one client makes at a different broker each time
// it tries: those of all brokers count together, at each that has any.
func oftenInAll(v *View, k fact.Of[fact.LogLines], enough int, what string) Reading {
	lines, _ := k.Latest(v, v.Subject)
	own, all := linesLately(v, lines), 0
	for _, b := range k.Subjects(v) {
		if others, ok := k.Latest(v, b); ok {
			all += linesLately(v, others)
		}
	}
	if own == 0 {
		return oftenOf(lines, 0, enough, what)
	}
	r := oftenOf(lines, all, enough, what)
	if all > own {
		r.Text = fmt.Sprintf("%d of ", own) + r.Text
	}
	return r
}

// linesLately is how many of lines are of the last ten minutes.
func linesLately(v *View, lines fact.LogLines) int {
	if len(lines.Minutes) == 0 && lines.Count > 0 && v.Now().Sub(lines.Last) <= recently {
		return lines.Count
	}
	return lines.Within(v.Now(), recently)
}

func oftenOf(lines fact.LogLines, n, enough int, what string) Reading {
	r := atLeast(float64(n), float64(enough), fact.Count, "%s in %s: %s", plural(n, "line"), recently, what)
	if n == 0 {
		r.Text = "no such line (" + what + ") in " + recently.String()
	}
	if r.Outcome == Yes {
		r.Text += whom(lines) + ", last at " + clock(lines.Last)
		return between(lines.First, lines.Last, r)
	}
	return r
}

// whom is the two names that most lines speak of.
func whom(lines fact.LogLines) string {
	all := slices.Clone(lines.Names)
	sort.SliceStable(all, func(i, j int) bool { return all[i].Count > all[j].Count })
	var names []string
	for i, n := range all {
		if i < 2 {
			names = append(names, fmt.Sprintf("%s (%d)", n.Name, n.Count))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + listed(names)
}

var startRefusedLogged = &Sign{
	ID: "start-refused-logged", Title: "it ended at its start for what it found", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "The newest start of the broker ended with a reason that stands in its log: a foreign directory in a log dir, another cluster's id, unformatted storage, a port in use, a bad setting.",
	Needs: []fact.Key{fact.LogStartRefused},
	Uses:  []fact.Key{fact.LogStarted, fact.BrokerReach},
	Test: func(v *View) Reading {
		lines, _ := fact.LogStartRefused.Latest(v, v.Subject)
		started := lastOf(v, fact.LogStarted)
		if lines.Count == 0 || started.After(lines.Last) {
			return no("no start was refused")
		}
		if reach, known := fact.BrokerReach.Latest(v, v.Subject); known && reach.Outcome == fact.Answered {
			return no("its start was refused at %s, and it answers", clock(lines.Last)) // it has started since, in a log that was rolled
		}
		why := ""
		if len(lines.Names) > 0 {
			why = strings.ReplaceAll(lines.Names[len(lines.Names)-1].Name, "-", " ") + ": "
		}
		text := lines.Latest
		if text == "" {
			text = lines.Text
		}
		return since(lines.Last, yes("its start was refused at %s: %s%s", clock(lines.Last), why, text))
	},
}

var authenticationsFailLogged = &Sign{
	ID: "authentications-fail-logged", Title: "clients fail to authenticate", On: fact.Broker, Trouble: true, Leak: 0.01,
	Doc:   "Five or more lines \"Failed authentication\" within ten minutes, on all brokers (they are logged at INFO, without the user's name). One client that retries for ever does that too.",
	Needs: []fact.Key{fact.LogAuthenticationFailed},
	Test:  func(v *View) Reading { return oftenInAll(v, fact.LogAuthenticationFailed, 5, "authentication failed") },
}

var unsupportedLogged = &Sign{
	ID: "unsupported-version-logged", Title: "requests of versions it does not speak", On: fact.Broker, Trouble: true, Leak: 0.005,
	Doc:   "Five or more lines UnsupportedVersion within ten minutes: a client that is too old, or too new, for this broker. Kafka 4.0 wants clients of 2.1 or newer.",
	Needs: []fact.Key{fact.LogUnsupportedVersion},
	Test:  func(v *View) Reading { return often(v, fact.LogUnsupportedVersion, 5, "unsupported version") },
}

var recordsTooLargeLogged = &Sign{
	ID: "records-too-large-logged", Title: "it refuses records that are too large", On: fact.Cluster, Trouble: true, Leak: 0.005,
	Doc:  "RecordTooLarge or RecordBatchTooLarge in a broker's log within ten minutes.",
	Uses: []fact.Key{fact.LogRecordTooLarge},
	Test: func(v *View) Reading { return anywhere(v, fact.LogRecordTooLarge, "record too large") },
}

// anywhere is yes where any broker logged a kind of line within ten minutes.
func anywhere(v *View, k fact.Of[fact.LogLines], what string) Reading {
	count := map[string]int{}
	n, read := 0, 0
	var first, last time.Time
	for _, b := range k.Subjects(v) {
		lines, ok := k.Latest(v, b)
		if !ok {
			continue
		}
		read++
		if lines.Count == 0 || v.Now().Sub(lines.Last) > recently {
			continue
		}
		n += max(1, lines.Within(v.Now(), recently))
		for _, name := range lines.Names {
			count[name.Name] += name.Count
		}
		if first.IsZero() || lines.First.Before(first) {
			first = lines.First
		}
		if lines.Last.After(last) {
			last = lines.Last
		}
	}
	if read == 0 {
		return cannotTell(v.why(k))
	}
	if n == 0 {
		return no("no such line (%s) in %s, in the logs of %s", what, recently, plural(read, "broker"))
	}
	names := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	r := atLeast(float64(n), 1, fact.Count, "%s in %s: %s", plural(n, "line"), recently, what)
	if len(names) > 0 {
		r.Text += ": " + listed(names[:min(len(names), 3)])
	}
	return between(first, last, r)
}

var denialsLogged = &Sign{
	ID: "denials-logged", Title: "the authorizer denies", On: fact.Cluster, Trouble: true, Leak: 0.01,
	Doc:  "Five or more denials of one principal, operation and resource within ten minutes, over all brokers' logs (they are logged at INFO). A client that is refused asks again at every broker: distinct denials count, not lines. A monitor that may not see everything is no fault.",
	Uses: []fact.Key{fact.LogDenied},
	Test: func(v *View) Reading {
		const enough = 5
		r := anywhere(v, fact.LogDenied, "denied")
		if r.Outcome != Yes {
			return r
		}
		count := map[string]int{}
		for _, b := range fact.LogDenied.Subjects(v) {
			lines, _ := fact.LogDenied.Latest(v, b)
			for _, name := range lines.Names {
				if v.Now().Sub(name.Last) <= recently {
					count[name.Name] += name.Count
				}
			}
		}
		most := 0
		for _, n := range count {
			most = max(most, n)
		}
		if r.Value, r.Limit = float64(most), enough; most < enough {
			r.Outcome = No
		}
		return r
	},
}

var fetcherFailedLogged = &Sign{
	ID: "fetcher-failed-logged", Title: "it stopped fetching partitions that lack it", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "\"marked as failed\" after an error in what was fetched, of partitions that still do not have this live broker in their ISR. After a dir that failed or a change of leader the same line is harmless: the partition is in sync again, or its dir is offline.",
	Needs: []fact.Key{fact.LogMarkedFailed, fact.LogFetcherError, fact.Metadata},
	Uses:  []fact.Key{fact.LogAllDirsFailed, fact.LogDirError},
	Test: func(v *View) Reading {
		id, ok := nodeID(v.Subject)
		if !ok {
			return notApplicable("its node id is not known")
		}
		marked, _ := fact.LogMarkedFailed.Latest(v, v.Subject)
		failed, _ := fact.LogFetcherError.Latest(v, v.Subject)
		view, _ := clusterView(v)
		var out []string
		for _, name := range marked.Names {
			p := view.named(name.Name)
			erred := slices.ContainsFunc(failed.Names, func(n fact.NameCount) bool { return n.Name == name.Name })
			if p >= 0 && erred && view.Lives(id) && slices.Contains(view.Replicas.At(p), id) && !slices.Contains(view.ISR.At(p), id) && !slices.Contains(view.Offline.At(p), id) {
				out = append(out, name.Name)
			}
		}
		if len(out) == 0 {
			return no("%s marked as failed, none of them out of sync for it", plural(len(marked.Names), "partition"))
		}
		for _, dir := range fact.LogDirError.Subjects(v) {
			broker, _ := dir.Owner()
			if name, _ := fact.LogDirError.Latest(v, dir); broker == v.Subject && name != "" {
				return no("a log dir of it is offline")
			}
		}
		if lines, _ := fact.LogAllDirsFailed.Latest(v, v.Subject); lines.Count > 0 {
			return no("all its log dirs failed")
		}
		r := yes("it fetches %s no more: %s", listed(out), failed.Text)
		r.Affected.Brokers, r.Affected.Partitions = []int32{id}, len(out)
		return since(marked.First, r)
	},
}

// named is the index of a partition "orders-0"; -1: there is none.
func (c *clusterViewOf) named(name string) int {
	topic, partition, ok := fact.ParsePartition(name)
	if !ok {
		return -1
	}
	return c.At(topic, partition)
}

var followsPartly = &Sign{
	ID: "follows-partly", Title: "it follows some partitions of a leader and not others", On: fact.Broker, Trouble: true, Leak: 0.05,
	For:      60 * time.Second, // partitions come back one by one after a restart
	Doc:      "The live broker is missing from the ISR of some partitions of one leader, in sync with other partitions of that leader and of all others, for a minute or more: not the broker, not the link, but the fetching of these.",
	Uses:     []fact.Key{fact.Metadata, fact.Reassigned, fact.BrokerReach, fact.Registered, fact.LocalBrokers, fact.LastSeen},
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
		if !view.Lives(id) {
			return no("it is not live")
		}
		coming := adding(v)
		in, out := map[int32]int{}, map[int32][]int{}
		for p := range view.Partition {
			leader := view.Leader[p]
			if leader < 0 || leader == id || !slices.Contains(view.Replicas.At(p), id) || slices.Contains(coming[placeOf{view.topic(p), view.Partition[p]}], id) {
				continue
			}
			if slices.Contains(view.ISR.At(p), id) {
				in[leader]++
			} else if !slices.Contains(view.Offline.At(p), id) {
				out[leader] = append(out[leader], p)
			}
		}
		for leader, partitions := range out {
			if len(out) > 1 || in[leader] == 0 {
				return no("it is out of sync with %s", plural(len(out), "leader"))
			}
			if slices.Contains(view.cutPairs(coming), [2]int32{min(id, leader), max(id, leader)}) {
				return no("nor does %d follow what it leads: not these partitions, but the link", leader) // those in sync have no traffic
			}
			r := yes("out of sync with %s of leader %d, in sync with %d others of it", view.names(partitions), leader, in[leader])
			r.Affected = view.affected(partitions)
			return r
		}
		return no("in sync with all that it follows")
	},
}
