package diagnose

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of clients that brokers do not let in, and of groups that lack them.

// foreign is what log.invalid-receive calls bytes of another protocol; what is
// only too large may be Kafka's own.
var foreign = map[string]string{"tls": "TLS", "tls-alert": "TLS alerts", "http": "HTTP", "ssh": "SSH"}

var wrongProtocolLogged = &Sign{
	ID: "wrong-protocol-logged", Title: "clients speak another protocol to it", On: fact.Broker, Trouble: true, Leak: 0.005,
	Doc:   "Five or more lines \"Invalid receive\" within ten minutes, on all brokers, whose bytes are TLS, HTTP or SSH: clients have the wrong security.protocol, or something that is no client of Kafka has the port.",
	Needs: []fact.Key{fact.LogInvalidReceive},
	Test: func(v *View) Reading {
		lines, _ := fact.LogInvalidReceive.Latest(v, v.Subject)
		what := strangers(lines, v.Now())
		if len(what) == 0 {
			return no("nobody speaks another protocol to it, in %s", recently)
		}
		return oftenInAll(v, fact.LogInvalidReceive, enoughRefusals, "what comes is "+listed(what))
	},
}

// strangers is the protocols that lines of the last ten minutes speak of.
func strangers(lines fact.LogLines, now time.Time) (what []string) {
	for _, n := range lines.Names {
		if word := foreign[n.Name]; word != "" && now.Sub(n.Last) <= recently {
			what = append(what, word)
		}
	}
	return what
}

// enoughRefusals is how many lines make a client that does not get in, and not
// one mistyped password.
const enoughRefusals = 5

// refused is what one broker refuses clients for.
type refused struct {
	what   string
	by     fact.Subject
	count  int
	first  time.Time // zero: as far back as the log was read
	last   time.Time
	group  bool // the line names the group itself
	groups []string
}

var groupRefused = &Sign{
	ID: "group-refused", Title: "clients are refused since about when it stopped", On: fact.Group,
	Doc:   "The group has no members and lags by what was produced since brokers began to refuse clients: a password, a protocol, a certificate, or an ACL on the group itself. A line that names the group counts by itself; of the others, whether the lag is as old as they are, at the rate at which records come now.",
	Needs: []fact.Key{fact.GroupState, fact.Offsets},
	Uses:  []fact.Key{fact.LogAuthenticationFailed, fact.LogInvalidReceive, fact.LogTLSFailed, fact.LogDenied, fact.GroupMembers},
	Test: func(v *View) Reading {
		members, known := fact.GroupMembers.Latest(v, v.Subject)
		if !abandoned(v) && (!known || members > 0) {
			return notApplicable("it has members")
		}
		all, read := refusals(v)
		if !read {
			return cannotTell(v.why(fact.LogAuthenticationFailed))
		}
		total := map[string]int{} // a client tries one broker after the other
		for _, r := range all {
			total[r.what] += r.count
		}
		all = slices.DeleteFunc(all, func(r refused) bool { return total[r.what] < enoughRefusals || len(r.groups) > 0 && !r.group })
		if len(all) == 0 {
			return no("no broker refuses clients that may be its members")
		}
		age, reading := lagAge(v)
		if reading != nil {
			return *reading
		}
		return fits(v, all, age)
	},
}

// fits is yes for refusals that began about when the group stopped, or that name it.
func fits(v *View, all []refused, age time.Duration) Reading {
	var why []string
	var by []fact.Subject
	var first time.Time
	over := false
	for _, r := range all {
		// What was over before the group stopped is not why; the lag's age is a guess.
		if ended := v.Now().Sub(r.last); age >= 0 && ended > quiet && age*3/2+time.Minute < ended {
			over = true
			continue
		}
		// The rate of now is not that of then: half as much again, and a minute.
		lasting := v.Now().Sub(r.first)
		if !r.group && !r.first.IsZero() && (age < 0 || age > lasting*3/2+time.Minute) {
			continue
		}
		if !slices.Contains(why, r.what) {
			why = append(why, r.what)
		}
		by = append(by, r.by)
		if !r.first.IsZero() && (first.IsZero() || r.first.Before(first)) {
			first = r.first
		}
	}
	if len(by) == 0 && over {
		return no("it stopped after brokers had ceased to refuse clients")
	}
	if len(by) == 0 {
		return no("it stopped before brokers began to refuse clients")
	}
	sortSubjects(by)
	r := yes("%s, by %s", listed(why), listed(names(slices.Compact(by))))
	r.Blames = slices.Compact(by)
	return since(first, r)
}

func names(all []fact.Subject) []string {
	var texts []string
	for _, s := range all {
		texts = append(texts, s.String())
	}
	return texts
}

// lagAge is how long records have come that nobody read, at the rate of now; less
// than 0 where none come.
func lagAge(v *View) (time.Duration, *Reading) {
	now, before, over, reading := lagPair(v, time.Time{})
	if reading != nil {
		return 0, reading
	}
	lag, _ := now.Lag()
	produced := now.produced(before)
	if produced <= 0 {
		return -1, nil
	}
	return time.Duration(min(float64(lag)*over/produced, 1e9) * float64(time.Second)), nil
}

// refusals is what brokers' logs of the last ten minutes tell of clients that were
// refused; read is false where no log could be read.
func refusals(v *View) (all []refused, read bool) {
	for _, kind := range []struct {
		key  fact.Of[fact.LogLines]
		what string
	}{
		{fact.LogAuthenticationFailed, "authentication fails"},
		{fact.LogInvalidReceive, "the protocol is wrong"},
		{fact.LogTLSFailed, "TLS handshakes fail"},
		{fact.LogDenied, "the authorizer denies"},
	} {
		for _, b := range kind.key.Subjects(v) {
			lines, ok := kind.key.Latest(v, b)
			read = read || ok
			if !ok || lines.Count == 0 || v.Now().Sub(lines.Last) > recently {
				continue
			}
			if kind.key == fact.LogInvalidReceive && len(strangers(lines, v.Now())) == 0 {
				continue
			}
			r := refused{what: kind.what, by: b, count: max(linesLately(v, lines), 1), first: lines.First, last: lines.Last}
			if !lines.Since.IsZero() && lines.First.Sub(lines.Since) < time.Minute {
				r.first = time.Time{} // it may have begun before
			}
			if kind.key == fact.LogDenied {
				r.denies(lines, v.Subject.Name)
			}
			all = append(all, r)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].group && !all[j].group })
	return all, read
}

// denies reads which groups an authorizer denies; it is the cluster that does it,
// wherever a client asks.
func (r *refused) denies(lines fact.LogLines, group string) {
	r.by = fact.TheCluster
	r.count = 0
	for _, n := range lines.Names {
		_, rest, is := strings.Cut(n.Name, " Group:LITERAL:")
		denied, _, _ := strings.Cut(rest, " from ")
		if !is {
			continue
		}
		r.groups = append(r.groups, denied)
		if denied == group {
			r.group, r.count = true, r.count+n.Count
		}
	}
	if len(r.groups) == 0 { // the topic, then: of whichever group
		for _, n := range lines.Names {
			if strings.Contains(n.Name, " READ Topic:") {
				r.count += n.Count
			}
		}
	}
}
