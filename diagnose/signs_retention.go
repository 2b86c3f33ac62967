package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// The retention clock: how long a group has until retention deletes what it has not
// read.

// clockShort is the seconds left from which on nothing should come before it.
const clockShort = 3600.0

// forEver is milliseconds, or bytes, from which on a bound is none: Long.MAX_VALUE is
// what people write.
const forEver = 1e17

var retentionClock = &Sign{
	ID: "retention-clock-runs", Title: "retention comes nearer to what it has not read", On: fact.Group, Leak: 0.3,
	Doc:   "The group lags, and not less than a minute ago, on topics whose retention deletes. How long that takes is reckoned from the rate at which records come, and where the log has begun to lose its oldest ones, from how far that is from the commit: about, and not before, as whole segments go.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.Configs, fact.GroupState},
	Test: func(v *View) Reading {
		now, before, over, reading := lagPair(v, time.Time{})
		if reading != nil {
			return *reading
		}
		lag, was := 0.0, 0.0 // what a transaction keeps from it too: retention does not wait for that
		now.each(before, func(i, j int) {
			lag += float64(max(0, now.LogEnd[i]-now.Committed[i]))
			was += float64(max(0, before.LogEnd[j]-before.Committed[j]))
		})
		behind := now.produced(before) > 0 && (abandoned(v) || lag >= lagSeconds*now.produced(before)/over)
		if lag == 0 || lag < was || !behind {
			return now.unlessBlind(no("nothing unread waits to be deleted: lag %.0f, %+.0f in %s", lag, lag-was, duration(over)))
		}
		configs, known := fact.Configs.Latest(v, fact.TheCluster)
		if !known {
			return cannotTell(v.Why(fact.Configs, fact.TheCluster))
		}
		return now.runsOut(v, before, over, configs)
	},
}

// runsOut is the reading of a group that lags: which of its partitions loses unread
// records first, and when.
func (now offsets) runsOut(v *View, before offsets, over float64, configs fact.TopicConfigs) Reading {
	var first clockLeft
	untold := 0
	now.each(before, func(i, j int) {
		if now.LogEnd[i] <= now.Committed[i] {
			return
		}
		limits, told := limitsOf(configs, now.Topic[i])
		if !told {
			untold++
			return
		}
		c := limits.left(now, i, float64(now.LogEnd[i]-before.LogEnd[j])/over)
		if c.why != "" && (first.why == "" || c.seconds < first.seconds) {
			first = c
			first.at = i
		}
	})
	switch {
	case first.why != "":
	case untold > 0:
		return cannotTell(&fact.Unknown{Reason: fact.NotObserved, Detail: "retention of what it lags on was not told"})
	default:
		return no("no retention that can be reckoned with: none is set, or the log has lost nothing yet and gets nothing")
	}
	r := yes("about %s until %s deletes unread records (%s)", spell(first.seconds), first.why, now.named([]int{first.at}))
	if first.seconds <= 0 {
		r.Text = fmt.Sprintf("%s may delete unread records at any moment (%s)", first.why, now.named([]int{first.at}))
	}
	r.Value, r.Unit, r.Limit, r.Below = first.seconds, fact.Seconds, clockShort, true
	return r
}

// clockLeft is what one partition has left.
type clockLeft struct {
	seconds float64
	why     string // the setting that ends it, "retention.ms=7d"; "": nothing does
	at      int    // the partition's index in the offsets
}

// retained is what bounds a topic's log. 0: nothing.
type retained struct {
	seconds, bytes float64
}

// limitsOf is the retention of a topic; told is false where its settings are not
// known.
func limitsOf(configs fact.TopicConfigs, topic string) (r retained, told bool) {
	i := slices.Index(configs.Topics, topic)
	if i < 0 {
		return r, false
	}
	number := func(name string) float64 {
		s, ok := configs.Of(name, i)
		n, err := strconv.ParseFloat(s.Value, 64)
		told = told || ok && err == nil
		if n >= forEver {
			return 0
		}
		return max(0, n) // -1: without bounds
	}
	r.seconds, r.bytes = number("retention.ms")/1000, number("retention.bytes")
	if policy, ok := configs.Of("cleanup.policy", i); ok && !strings.Contains(policy.Value, "delete") {
		r = retained{} // compacted alone: the newest of each key stays
	}
	return r, told
}

// left is how long until a partition, which gets rate records/s, loses what is
// unread of it. By time: the next unread record was written about lag/rate ago. By
// whatever has begun to delete: the log keeps about as many records as it has, so
// that the next unread one goes when as many have come as lie before it.
func (r retained) left(now offsets, i int, rate float64) (c clockLeft) {
	lag, ahead := float64(now.LogEnd[i]-now.Committed[i]), float64(now.Committed[i]-now.LogStart[i])
	if rate <= 0 {
		return c
	}
	if r.seconds > 0 {
		c = clockLeft{seconds: r.seconds - lag/rate, why: "retention.ms=" + spell(r.seconds)}
	}
	if by := ahead / rate; r.bytes > 0 && now.LogStart[i] > 0 && (c.why == "" || by < c.seconds) {
		c = clockLeft{seconds: by, why: "retention.bytes=" + size(r.bytes)}
	}
	c.seconds = max(0, c.seconds)
	return c
}

// spell is a long time as an operator says it: "6d 20h", "3h 5m", "40s".
func spell(seconds float64) string {
	seconds = min(seconds, 9e9) // a time.Duration holds no more
	d := time.Duration(seconds * 1e9)
	whole := func(n, of time.Duration, one, part string) string {
		if rest := d % n / of; rest > 0 {
			return fmt.Sprintf("%d%s %d%s", d/n, one, rest, part)
		}
		return fmt.Sprintf("%d%s", d/n, one)
	}
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return whole(day, time.Hour, "d", "h")
	case d >= time.Hour:
		return whole(time.Hour, time.Minute, "h", "m")
	case d >= time.Minute:
		return whole(time.Minute, time.Second, "m", "s")
	}
	return duration(seconds)
}
