package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	transactionsAtMost = 10000 // open ones described in a round
	transactionsAtOnce = 500   // named in one request
)

// openStates is the states of a transaction that can hold back a last stable
// offset. The others are over, or have not begun.
var openStates = []string{"Ongoing", "PrepareCommit", "PrepareAbort", "PrepareEpochFence"}

// Transactions asks every broker for the open transactions that it coordinates.
// Transactions that the console may not see are left out by brokers without a
// word.
var Transactions = &probe.Probe{
	Name: "kafka.transactions", Doc: "open transactions with state, age and timeout, as their coordinators tell them",
	Cost: probe.Cheap, Every: 10 * time.Second,
	Yields:  []fact.Key{fact.Transactions},
	Observe: observeTransactions,
}

func observeTransactions(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var all []transaction
	var o fact.OpenTransactions
	told := 0
	most := transactionsAtMost / max(1, len(r.crew()))
	_, err = r.each(ctx, "kafka.transactions", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		mine, left, err := r.transactionsOf(ctx, p, most)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		defer mu.Unlock()
		told++
		all = append(all, mine...)
		o.Left += left
		return nil, nil
	}, func(p *peer, _ *fact.Unknown) []fact.Observation {
		o.Untold = append(o.Untold, p.name)
		return nil
	})
	if told == 0 {
		return nil, err
	}
	// One that moved to another coordinator meanwhile can be listed by two: the
	// one that described it knows.
	slices.SortFunc(all, func(a, b transaction) int {
		return cmp.Or(strings.Compare(a.TransactionalID, b.TransactionalID), cmp.Compare(b.ProducerEpoch, a.ProducerEpoch))
	})
	all = slices.CompactFunc(all, func(a, b transaction) bool { return a.TransactionalID == b.TransactionalID })
	for _, one := range all {
		one.addTo(&o)
	}
	if err == nil && o.Left > 0 {
		err = probe.Fail(fact.NotAskedFor, fmt.Sprintf("%d more open transactions were not looked at", o.Left), "")
	}
	return []fact.Observation{fact.Transactions.Is(fact.TheCluster, o)}, err
}

// transaction is one open transaction and who coordinates it.
type transaction struct {
	kmsg.DescribeTransactionsResponseTransactionState
	coordinator int32
}

// transactionsOf is the open transactions that a broker coordinates, at most so
// many, and how many more there are.
func (r *roster) transactionsOf(ctx context.Context, p *peer, most int) (all []transaction, left int, err error) {
	// The authorizer logs every transaction that is left out, at every look.
	if err := r.must(ctx, p, "ListTransactions", describeTxns); err != nil {
		return nil, 0, err
	}
	list := kmsg.NewPtrListTransactionsRequest()
	list.StateFilters = openStates
	got, err := r.ask(ctx, p, list)
	if err == nil {
		err = refusal(p, "ListTransactions", got.(*kmsg.ListTransactionsResponse).ErrorCode)
	}
	if err != nil {
		return nil, 0, err
	}
	open := openIn(got.(*kmsg.ListTransactionsResponse))
	if left = max(0, len(open)-most); left > 0 {
		open = open[:most]
	}
	for some := range slices.Chunk(open, transactionsAtOnce) {
		described, err := r.describeTransactions(ctx, p, some)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, described...)
	}
	return all, left, nil
}

// openIn is the open transactions in an answer, by id. A broker that does not
// know one of the filters ignores it, so the states are looked at again.
func openIn(answer *kmsg.ListTransactionsResponse) []kmsg.ListTransactionsResponseTransactionState {
	open := slices.DeleteFunc(answer.TransactionStates, func(t kmsg.ListTransactionsResponseTransactionState) bool {
		return !slices.Contains(openStates, t.TransactionState)
	})
	slices.SortFunc(open, func(a, b kmsg.ListTransactionsResponseTransactionState) int {
		return strings.Compare(a.TransactionalID, b.TransactionalID)
	})
	return open
}

// describeTransactions asks their coordinator for details of some transactions.
// One that ended since it was listed is left out; one that cannot be described
// is as it was listed.
func (r *roster) describeTransactions(ctx context.Context, p *peer, some []kmsg.ListTransactionsResponseTransactionState) ([]transaction, error) {
	request := kmsg.NewPtrDescribeTransactionsRequest()
	for _, one := range some {
		request.TransactionalIDs = append(request.TransactionalIDs, one.TransactionalID)
	}
	got, err := r.ask(ctx, p, request)
	if err != nil {
		return nil, err
	}
	told := map[string]kmsg.DescribeTransactionsResponseTransactionState{}
	for _, d := range got.(*kmsg.DescribeTransactionsResponse).TransactionStates {
		told[d.TransactionalID] = d
	}
	var all []transaction
	for _, one := range some {
		d, ok := told[one.TransactionalID]
		if err := refusal(p, "DescribeTransactions", d.ErrorCode); err != nil {
			var no *denied
			if errors.As(err, &no) {
				return nil, err
			}
			ok = false
		}
		switch {
		case !ok:
			d = kmsg.DescribeTransactionsResponseTransactionState{TransactionalID: one.TransactionalID, ProducerID: one.ProducerID,
				State: one.TransactionState, ProducerEpoch: -1, StartTimestamp: -1, TimeoutMillis: -1}
		case !slices.Contains(openStates, d.State):
			continue
		}
		all = append(all, transaction{d, p.id})
	}
	return all, nil
}

// addTo appends a transaction to the columns.
func (t transaction) addTo(o *fact.OpenTransactions) {
	partitions := 0
	for _, topic := range t.Topics {
		partitions += len(topic.Partitions)
	}
	o.ID = append(o.ID, t.TransactionalID)
	o.Producer = append(o.Producer, t.ProducerID)
	o.Epoch = append(o.Epoch, t.ProducerEpoch)
	o.State = append(o.State, t.State)
	o.Coordinator = append(o.Coordinator, t.coordinator)
	o.Started = append(o.Started, timeOf(cmp.Or(t.StartTimestamp, -1)))
	o.Partitions = append(o.Partitions, int32(partitions))
	timeout := -1.0
	if t.TimeoutMillis >= 0 {
		timeout = float64(t.TimeoutMillis) / 1000
	}
	o.Timeout = append(o.Timeout, timeout)
}
