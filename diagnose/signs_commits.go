package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of commits that stand where they should not.

// named is "orders 0 2", of the partitions at some indexes of a group's offsets.
func (now offsets) named(at []int) string {
	const most = 6
	var all []string
	topic := ""
	for n, i := range at {
		if n == most {
			all = append(all, fmt.Sprintf("%d more", len(at)-most))
			break
		}
		if now.Topic[i] != topic {
			topic = now.Topic[i]
			all = append(all, topic)
		}
		all[len(all)-1] += fmt.Sprintf(" %d", now.Partition[i])
	}
	return listed(all)
}

// about is a reading on some partitions of the sign's group.
func (now offsets) about(v *View, at []int, r Reading) Reading {
	r.Affected.Groups = []string{v.Subject.Name}
	r.Affected.Partitions = len(at)
	for _, i := range at {
		if !slices.Contains(r.Affected.Topics, now.Topic[i]) {
			r.Affected.Topics = append(r.Affected.Topics, now.Topic[i])
		}
	}
	return r
}

var commitsBelowStart = &Sign{
	ID: "commits-below-log-start", Title: "its commits are below the log start", On: fact.Group, Trouble: true, Leak: 0.001,
	Doc:   "Committed offsets that are lower than the start of their log: the records in between are deleted, and nobody of this group has read them.",
	Needs: []fact.Key{fact.Offsets},
	Test: func(v *View) Reading {
		newest, _ := fact.Offsets.Latest(v, v.Subject)
		now := offsets{newest}
		var below []int
		gone := int64(0)
		for i, c := range now.Committed {
			if c >= 0 && now.LogStart[i] > c {
				below = append(below, i)
				gone += now.LogStart[i] - c
			}
		}
		r := atLeast(float64(len(below)), 1, fact.Count, "no commit is below its log's start")
		if len(below) > 0 {
			r.Text = fmt.Sprintf("%s committed below the log start (%s): %d records are gone unread", plural(len(below), "partition"), now.named(below), gone)
		}
		return now.unlessBlind(now.about(v, below, r))
	},
}

var commitsAboveEnd = &Sign{
	ID: "commits-above-log-end", Title: "its commits are above the log end", On: fact.Group, Trouble: true, Leak: 0.001,
	For:   10 * time.Second, // a leader that has just changed may not have all it will have
	Doc:   "Committed offsets that are higher than the end of their log by more than 2, for 10 s or more: the topic was created anew, or the log lost its end. One or two above are a change of leader.",
	Needs: []fact.Key{fact.Offsets},
	Test: func(v *View) Reading {
		newest, _ := fact.Offsets.Latest(v, v.Subject)
		now := offsets{newest}
		var above []int
		most := int64(0)
		for i, c := range now.Committed {
			if now.beyond(i, c) {
				above = append(above, i)
				most = max(most, c-now.LogEnd[i])
			}
		}
		r := atLeast(float64(len(above)), 1, fact.Count, "no commit is above its log's end")
		if len(above) > 0 {
			r.Text = fmt.Sprintf("%s committed above the log end, by up to %d (%s)", plural(len(above), "partition"), most, now.named(above))
		}
		return now.unlessBlind(now.about(v, above, r))
	},
}

// beyond says whether an offset lies above the end of a partition's log. One or two
// above are a change of leader.
func (now offsets) beyond(i int, offset int64) bool {
	const slack = 2
	return now.LogEnd[i] >= 0 && offset > now.LogEnd[i]+slack
}

var commitsWentBack = &Sign{
	ID: "commits-went-back", Title: "its commits went backwards", On: fact.Group, Trouble: true, Leak: 0.001,
	Doc:  "A committed offset is lower than it was within the last two minutes: records are read again. Somebody reset the group, or a member sought back and committed. One that lay above the end of its log and was put back repeats nothing. A copy of the group's partition of __consumer_offsets tells that of the last ten minutes, and of the last hours while a group that works has not come again to where it was.",
	Uses: []fact.Key{fact.Offsets, fact.GroupOnDisk},
	Test: func(v *View) Reading {
		r := commitsFell(v)
		if r.Outcome == Yes {
			return r
		}
		if disk, current := rewoundOnDisk(v); disk.Outcome == Yes || current && r.Outcome == Unknown {
			return disk
		}
		return r
	},
}

// commitsFell is a reading of commits that looks from time to time saw go back.
func commitsFell(v *View) Reading {
	if because := v.Why(fact.Offsets, v.Subject); because != nil {
		return cannotTell(because)
	}
	past := samplesOf(v)
	if len(past) < 2 {
		return notYet("wants two samples")
	}
	now := past[len(past)-1].offsets
	var back []int
	var by int64
	var when, last time.Time
	for n := 1; n < len(past); n++ {
		past[n].each(past[n-1].offsets, func(i, j int) {
			fell := past[n-1].Committed[j] - past[n].Committed[i]
			at := now.index(past[n].Topic[i], past[n].Partition[i])
			if fell <= 0 || at < 0 || past[n-1].beyond(j, past[n-1].Committed[j]) {
				return
			}
			if last = past[n].at; when.IsZero() {
				when = last
			}
			if by += fell; !slices.Contains(back, at) {
				back = append(back, at)
			}
		})
	}
	if len(back) == 0 {
		return no("no commit went back in %s", duration(past[len(past)-1].at.Sub(past[0].at).Seconds()))
	}
	slices.Sort(back)
	r := yes("commits of %s went back at %s, by %d in sum (%s)", plural(len(back), "partition"), clock(when), by, now.named(back))
	r.Lasting = true // it reads again all that lies between
	return between(when, last, now.about(v, back, r))
}

// offsetSample is a group's offsets at a time.
type offsetSample struct {
	offsets
	at time.Time
}

// samplesOf is the offsets of the sign's group that are remembered, oldest first.
func samplesOf(v *View) []offsetSample {
	var all []offsetSample
	for _, s := range v.Past(fact.Offsets.Def(), v.Subject) {
		if o, ok := s.Value.(fact.GroupOffsets); ok {
			all = append(all, offsetSample{offsets{o}, s.At})
		}
	}
	return all
}

// index is where a partition stands in the columns; -1: nowhere.
func (now offsets) index(topic string, partition int32) int {
	for i := range now.Topic {
		if now.Topic[i] == topic && now.Partition[i] == partition {
			return i
		}
	}
	return -1
}

var commitsVanished = &Sign{
	ID: "commits-vanished", Title: "its commits are gone", On: fact.Group, Trouble: true, Leak: 0.001,
	Doc:  "Partitions that the group had committed within the last two minutes have no committed offset now, while their topic is still there: expired, or deleted by somebody. At its next start the group begins where auto.offset.reset says. A copy of its partition of __consumer_offsets tells that of the last ten minutes, and of the last hours where the group came back within 30 minutes; of groups with members alone, as others' offsets expire every day.",
	Uses: []fact.Key{fact.Offsets, fact.Metadata, fact.GroupOnDisk},
	Test: func(v *View) Reading {
		r := commitsDropped(v)
		if disk, ok := vanishedOnDisk(v); ok && r.Outcome != Yes {
			return disk
		}
		return r
	},
}

// commitsDropped is a reading of commits that looks from time to time saw vanish.
func commitsDropped(v *View) Reading {
	if because := v.Why(fact.Offsets, v.Subject); because != nil {
		return cannotTell(because)
	}
	past := samplesOf(v)
	if len(past) < 2 {
		return notYet("wants two samples")
	}
	now := past[len(past)-1].offsets
	view, known := clusterView(v)
	var gone offsets
	var when time.Time
	for n, before := range past[:len(past)-1] {
		for j, c := range before.Committed {
			i := now.index(before.Topic[j], before.Partition[j])
			if c < 0 || i >= 0 && now.Committed[i] >= 0 || gone.index(before.Topic[j], before.Partition[j]) >= 0 {
				continue
			}
			if known && !slices.Contains(view.Topics, before.Topic[j]) {
				continue // deleting a topic deletes its commits
			}
			gone.Topic, gone.Partition = append(gone.Topic, before.Topic[j]), append(gone.Partition, before.Partition[j])
			when = past[n+1].at
		}
	}
	if len(gone.Topic) == 0 {
		return no("no commit has vanished")
	}
	if !known {
		return cannotTell(v.why(fact.Metadata))
	}
	all := make([]int, len(gone.Topic))
	for i := range all {
		all[i] = i
	}
	r := yes("commits of %s are gone (%s), and the topics are not", plural(len(all), "partition"), gone.named(all))
	return since(when, gone.about(v, all, r))
}

var ownedWithoutCommit = &Sign{
	ID: "owned-without-commit", Title: "it owns partitions without a commit", On: fact.Group, Leak: 0.02,
	For:   60 * time.Second, // a new member commits within seconds
	Doc:   "Members own partitions with records, and have no commit for them for a minute or more, while the group has commits elsewhere: their commits expired, or it reads them for the first time and does not commit.",
	Needs: []fact.Key{fact.Offsets, fact.GroupRoster},
	Test: func(v *View) Reading {
		newest, _ := fact.Offsets.Latest(v, v.Subject)
		now := offsets{newest}
		roster, _ := fact.GroupRoster.Latest(v, v.Subject)
		var without offsets
		committed := 0
		for _, c := range now.Committed {
			if c >= 0 {
				committed++
			}
		}
		for m := range roster.Members {
			topics, partitions := roster.Topic.At(m), roster.Partition.At(m)
			for n := range topics {
				i := now.index(roster.Topics[topics[n]], partitions[n])
				if i >= 0 && now.Committed[i] < 0 && now.LogEnd[i] > max(0, now.LogStart[i]) {
					without.Topic, without.Partition = append(without.Topic, now.Topic[i]), append(without.Partition, now.Partition[i])
				}
			}
		}
		n := len(without.Topic)
		r := atLeast(float64(n), 1, fact.Count, "%s with records owned and never committed", plural(n, "partition"))
		if n > 0 && committed == 0 {
			r.Outcome = No
			r.Text += ", nor anything else: a new group, or one that keeps its offsets elsewhere"
		}
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return without.about(v, all, r)
	},
}
