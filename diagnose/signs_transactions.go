package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of transactions that hold consumers back.

var lastStableFrozen = &Sign{
	ID: "last-stable-frozen", Title: "its last stable offset stands still", On: fact.Group, Leak: 0.02,
	Doc:   "For 20 s or more the last stable offset of partitions has not moved, is below the high watermark, and the group's commits stand at it: a read_committed consumer has read all it may. Its lag, asked for read_committed, is 0. A long transaction does that too.",
	Needs: []fact.Key{fact.Offsets},
	Test: func(v *View) Reading {
		const enough = 20.0
		now, before, over, reading := lagPair(v, time.Time{})
		if reading != nil {
			return *reading
		}
		held := heldStill(now, before)
		behind := int64(0)
		for _, i := range held {
			behind += now.LogEnd[i] - now.LastStable[i]
		}
		switch {
		case len(held) == 0:
			return now.unlessBlind(no("no partition is held back by an open transaction"))
		case over < enough:
			return notYet(fmt.Sprintf("%s held back for %s: transactions are open for a moment", plural(len(held), "partition"), duration(over)))
		}
		r := yes("the last stable offset of %s (%s) has not moved for %s, %d records wait behind it", plural(len(held), "partition"), now.named(held), duration(over), behind)
		return now.about(v, held, r)
	},
}

// heldStill is the partitions whose last stable offset did not move between two
// samples, and at which the group waits.
func heldStill(now, before offsets) (held []int) {
	now.each(before, func(i, j int) {
		if now.heldBack(i) && now.LastStable[i] == before.LastStable[j] {
			held = append(held, i)
		}
	})
	return held
}

var transactionOverdue = &Sign{
	ID: "transaction-overdue", Title: "a transaction that nobody will end holds it back", On: fact.Group, Trouble: true, Leak: 0.001,
	For:   10 * time.Second, // the two lists are not taken at the same moment
	Doc:   "A producer holds the last stable offset back where the group waits, and its transaction is older than its own timeout, or no coordinator knows it: it ends by no one's doing. Where brokers do not tell, the coordinators' logs on this host do, of what is coordinated here.",
	Needs: []fact.Key{fact.Offsets},
	Uses:  []fact.Key{fact.OpenProducers, fact.Transactions, fact.TransactionsOnDisk},
	Test: func(v *View) Reading {
		newest, _ := fact.Offsets.Latest(v, v.Subject)
		now := offsets{newest}
		producers, seen := fact.OpenProducers.Latest(v, fact.TheCluster)
		open, told := fact.Transactions.Latest(v, fact.TheCluster)
		if !seen || !told {
			if r, ok := overdueOnDisk(v, now); ok {
				return r
			}
			because := v.Why(fact.OpenProducers, fact.TheCluster)
			if because == nil {
				because = v.Why(fact.Transactions, fact.TheCluster)
			}
			return cannotTell(because)
		}
		known := map[int64]int{}
		for i, id := range open.Producer {
			known[id] = i
		}
		var held []int
		var texts []string
		waiting := 0
		for n := range producers.Topic {
			i := now.index(producers.Topic[n], producers.Partition[n])
			if i < 0 || !now.heldBack(i) || producers.Started[n] > now.LastStable[i] {
				continue
			}
			waiting++
			at, listed := known[producers.Producer[n]]
			switch {
			case !listed && len(open.Untold) == 0 && open.Left == 0:
				texts = append(texts, fmt.Sprintf("producer %d in %s-%d, which no coordinator knows", producers.Producer[n], producers.Topic[n], producers.Partition[n]))
			case listed && !open.Started[at].IsZero() && open.Timeout[at] >= 0 && v.Now().Sub(open.Started[at]) > time.Duration(open.Timeout[at]*float64(time.Second))+overdueAfter:
				texts = append(texts, fmt.Sprintf("%s, open for %s with a timeout of %s", open.ID[at], duration(v.Now().Sub(open.Started[at]).Seconds()), duration(open.Timeout[at])))
			default:
				continue
			}
			held = append(held, i)
		}
		if len(held) == 0 {
			if waiting == 0 {
				return no("no producer holds it back")
			}
			return no("%s hold it back, each within its timeout, or not told", plural(waiting, "producer"))
		}
		slices.Sort(texts)
		return now.about(v, held, yes("held back by %s", listed(slices.Compact(texts))))
	},
}
