package history

import (
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// standing is how a cluster stands at a moment, in numbers.
type standing struct {
	at           int64 // milliseconds, since when
	live, fenced int32 // brokers
	leaderless   int32 // partitions
	behind       int32 // partitions with fewer replicas in sync than they shall have
}

// Bounds of what is kept, and of what is told.
const (
	mostStandings = 1 << 14
	toldStandings = 2000
)

// counts adds a partition to the numbers of the cluster's standing, or with -1
// takes it away.
func (c *Cluster) counts(row int32, by int32) {
	r := &c.rows
	if r.leader[row] < 0 {
		c.now.leaderless += by
	}
	if len(c.lists.ids(r.isr[row])) < len(c.lists.ids(r.replicas[row]))-len(c.lists.ids(r.adding[row])) {
		c.now.behind += by
	}
}

// stand notes how the cluster stands after a record, where that is another way
// than before. What one batch, or one millisecond, does is one step.
func (c *Cluster) stand(brokers bool) {
	if brokers {
		c.now.live, c.now.fenced = 0, 0
		for _, b := range c.Brokers {
			if b.Fenced {
				c.now.fenced++
			} else {
				c.now.live++
			}
		}
	}
	if c.quiet || c.at < c.from {
		return
	}
	c.now.at = c.at
	n := len(c.stood)
	if n > 0 && c.stood[n-1].at == c.at {
		c.stood[n-1] = c.now
		return
	}
	if n > 0 {
		if last := c.stood[n-1]; last.live == c.now.live && last.fenced == c.now.fenced && last.leaderless == c.now.leaderless && last.behind == c.now.behind {
			return
		}
	}
	if n >= mostStandings {
		c.stood = append(c.stood[:0], c.stood[n/2:]...)
	}
	c.stood = append(c.stood, c.now)
}

// standingFact is how the cluster stood since a time, as a value.
func standingFact(c *Cluster, from time.Time) fact.StandingTimes {
	f := fact.StandingTimes{At: []time.Time{}, Live: []int32{}, Fenced: []int32{}, Leaderless: []int32{}, Behind: []int32{}}
	all := c.stood[max(0, len(c.stood)-toldStandings):]
	for i, s := range all {
		if i+1 < len(all) && all[i+1].at < from.UnixMilli() {
			continue // the next one stands at that time
		}
		f.At, f.Live, f.Fenced = append(f.At, time.UnixMilli(s.at).UTC()), append(f.Live, s.live), append(f.Fenced, s.fenced)
		f.Leaderless, f.Behind = append(f.Leaderless, s.leaderless), append(f.Behind, s.behind)
	}
	return f
}
