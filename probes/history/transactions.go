package history

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// Transactions is what the local partitions of __transaction_state tell.
type Transactions struct {
	Reading
	by    map[string]*Transaction
	only  string
	ended []finished
	lost  int
	k, v  values
}

// Bounds on what is kept of transactions.
const (
	mostTransactions = 100_000
	mostFinished     = 50_000
	mostTxnTopics    = 200 // of one transaction
)

// Transaction is the last that was written of a transactional id.
type Transaction struct {
	ID         string        `json:"transactional_id"`
	Partition  int32         `json:"partition"` // of __transaction_state
	ProducerID int64         `json:"producer_id"`
	Epoch      int16         `json:"epoch"`
	State      string        `json:"state"` // as kafka-transactions.sh names them
	Started    time.Time     `json:"started,omitzero"`
	Updated    time.Time     `json:"updated,omitzero"`
	Timeout    float64       `json:"timeout_seconds"`
	Topics     []TopicNumber `json:"topics"` // 200 at most

	offset int64
}

// TopicNumber is a topic and some of its partitions.
type TopicNumber struct {
	Topic      string  `json:"topic"`
	Partitions []int32 `json:"partitions"`
}

// transactionStates are by the number that is written.
var transactionStates = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// finished is a transaction that was open long, or that outlived its timeout.
type finished struct {
	Transaction
	at     int64
	offset int64
	how    string
}

// longOpen is how long a transaction is open when that is worth a word: most are
// open for less than a second, and readers of what is committed wait for each.
const longOpen = 30 * time.Second

// Open says whether readers of what is committed wait for it.
func (x *Transaction) Open() bool {
	return x.State == "Ongoing" || x.State == "PrepareCommit" || x.State == "PrepareAbort" || x.State == "PrepareEpochFence"
}

// ReadTransactions reads the partitions of __transaction_state in some log dirs,
// as ReadGroups does those of __consumer_offsets.
func ReadTransactions(ctx context.Context, t *probe.Target, logDirs []string, o CoordinatorOptions) (*Transactions, error) {
	x := &Transactions{by: map[string]*Transaction{}, only: o.Group}
	return x, readCoordinator(ctx, t, TransactionsTopic, logDirs, o, &x.Reading, x.apply)
}

// All are the last transactions of each transactional id, by id.
func (x *Transactions) All() []*Transaction {
	var all []*Transaction
	for _, one := range x.by {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *Transaction) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// apply takes in one record.
func (x *Transactions) apply(u *unit) {
	if len(u.key) > mostKey {
		x.Left++
		return
	}
	_, what, err := decodeKey(transactionRecords, &x.k, u.key)
	switch {
	case err != nil:
		x.Undecoded++
		return
	case what == unknownType:
		x.Unknown++
		return
	}
	id := x.k.text[name]
	if x.only != "" && id != x.only {
		return
	}
	if u.value == nil { // it expired
		delete(x.by, id)
		return
	}
	what, err = decodeValue(transactionRecords, 0, &x.v, u.value)
	switch {
	case err != nil:
		x.Undecoded++
		return
	case what == newerVersion:
		x.Newer++
		return
	}
	one := x.by[id]
	if one == nil {
		if len(x.by) >= mostTransactions {
			x.Left++
			return
		}
		one = &Transaction{ID: id, Topics: []TopicNumber{}}
		x.by[id] = one
	}
	was := *one
	one.take(u, &x.v)
	if was.State == "Ongoing" && one.State != "Ongoing" {
		x.end(&was, one, u)
	}
}

// take takes over what is written.
func (one *Transaction) take(u *unit, v *values) {
	one.Partition, one.offset = u.partition, u.offset
	one.ProducerID, one.Epoch = v.num[number], int16(v.num[epoch])
	one.Timeout = float64(v.num[timeout]) / 1000
	one.State = fmt.Sprintf("unknown (%d)", v.num[status])
	if s := v.num[status]; s >= 0 && s < int64(len(transactionStates)) {
		one.State = transactionStates[s]
	}
	one.Started, one.Updated = millis(v.num[started]), millis(v.num[stamp])
	one.Topics = []TopicNumber{}
	if !v.is(partitions) {
		return
	}
	for i := range v.rows[partitions] {
		if row := &v.rows[partitions][i]; len(one.Topics) < mostTxnTopics {
			n := TopicNumber{row.text[name], slices.Clone(row.ids[replicas])}
			slices.Sort(n.Partitions)
			one.Topics = append(one.Topics, n)
		}
	}
	slices.SortFunc(one.Topics, func(a, b TopicNumber) int { return strings.Compare(a.Topic, b.Topic) })
}

func millis(n int64) time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(datable(n)).UTC()
}

// end notes the end of a transaction that was open long.
func (x *Transactions) end(was, now *Transaction, u *unit) {
	open := time.UnixMilli(u.at).Sub(was.Started)
	if was.Started.IsZero() || open < longOpen && open.Seconds() < was.Timeout {
		return
	}
	how := "was aborted"
	switch {
	case now.State == "PrepareCommit" || now.State == "CompleteCommit":
		how = "was committed"
	case open.Seconds() >= was.Timeout && (now.State == "PrepareAbort" || now.State == "PrepareEpochFence"):
		how = "was aborted by its coordinator, for its timeout"
	}
	if len(x.ended) >= mostFinished {
		x.lost += len(x.ended) / 2
		x.ended = append(x.ended[:0], x.ended[len(x.ended)/2:]...)
	}
	x.ended = append(x.ended, finished{*was, u.at, u.offset, how})
}

// Changes are the transactions that were open long, by when they began: those
// that ended, and those that are open at the end of what was read and of which
// now is longOpen or their timeout later.
func (x *Transactions) Changes(w Want, now time.Time) []Change {
	all := []Change{}
	if w.Broker >= 0 {
		return all
	}
	for i := range x.ended {
		f := &x.ended[i]
		end := time.UnixMilli(f.at).UTC()
		if (wantedAt(f.Started, w) || wantedAt(end, w)) && f.concerns(w.Topic) {
			c := f.change("was", f.offset)
			c.After = f.how
			c.Text += fmt.Sprintf(" for %s, and %s at %s", end.Sub(f.Started).Round(time.Millisecond), f.how, end.Format("15:04:05"))
			all = append(all, c)
		}
	}
	for _, one := range x.All() {
		if open := now.Sub(one.Started); one.Open() && !one.Started.IsZero() && (open >= longOpen || open.Seconds() >= one.Timeout) && one.concerns(w.Topic) && (w.Until.IsZero() || !one.Started.After(w.Until)) {
			c := one.change("is", one.offset)
			c.After = one.State
			c.Text += fmt.Sprintf(" since then, %s; its timeout is %s", one.State, time.Duration(one.Timeout*float64(time.Second)))
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int { return a.At.Compare(b.At) })
	return all
}

func (one *Transaction) concerns(topic string) bool {
	return topic == "" || slices.ContainsFunc(one.Topics, func(n TopicNumber) bool { return n.Topic == topic })
}

func (one *Transaction) change(verb string, offset int64) Change {
	n := 0
	for _, t := range one.Topics {
		n += len(t.Partitions)
	}
	c := Change{At: one.Started, Kind: TransactionOpen, Subject: Subject{"transaction", one.ID}, Count: 1, Offset: offset, Broker: -1}
	c.Text = fmt.Sprintf("transaction of %s (producer %d, epoch %d) on %s %s open", one.ID, one.ProducerID, one.Epoch, countOf(n, "partition"), verb)
	return c
}
