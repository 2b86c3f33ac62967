package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Between the view of leaders and the question to one, a partition may have got
// another leader: at a restart hundreds do. Their offsets are asked for once more,
// by a client that looks up leaders itself and follows those that move.

// againAtMost bounds the partitions that are asked for once more in a round.
const againAtMost = endsAtOnce

// elsewhere says whether an error code of a partition is that another broker leads
// it by now, or has just begun to. It is not for a leader that cannot tell yet:
// that one would be asked in vain.
func elsewhere(code int16) bool {
	switch kerr.ErrorForCode(code) {
	case kerr.NotLeaderForPartition, kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.UnknownTopicOrPartition:
		return true
	}
	return false
}

// noteMoved remembers a partition that is led elsewhere. Leaders answer at the same time.
func (e *logEnds) noteMoved(i int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.moved = append(e.moved, int32(i))
}

// again is the partitions to ask for once more, by index in the view, and their
// topics. Of a topic all partitions are asked for, so that it is their number
// which is bounded.
func (e *logEnds) again() (partitions []int32, topics []string) {
	slices.Sort(e.moved)
	asked, last, within := 0, int32(-1), false
	for _, i := range slices.Compact(e.moved) {
		if t := e.view.Topic[i]; t != last {
			from, _ := slices.BinarySearch(e.view.Topic, t)
			to, _ := slices.BinarySearch(e.view.Topic, t+1)
			last, within = t, asked+to-from <= againAtMost
			if within {
				asked += to - from
				topics = append(topics, e.view.Topics[t])
			}
		}
		if within {
			partitions = append(partitions, i)
		}
	}
	return partitions, topics
}

// follow asks once more for partitions that had moved, and fills in those for
// which all three offsets were told. The others stay as they are until the next
// round; the error is for when nobody could be asked.
func (r *roster) follow(ctx context.Context, e *logEnds) (told int, err error) {
	partitions, topics := e.again()
	if len(topics) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience/2) // leaders may have taken the rest
	defer cancel()
	client, err := kgo.NewClient(r.clientOptions()...)
	if err != nil {
		return 0, probe.Fail(fact.Unreachable, "list offsets of partitions that have moved: "+err.Error(), "")
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	// One after the other, the last stable offset after the high watermark, as endsOf
	// does. Where one is not told the next need not be asked for.
	found := make(map[int32][]int64, len(partitions))
	for _, list := range []func(context.Context, ...string) (kadm.ListedOffsets, error){admin.ListEndOffsets, admin.ListCommittedOffsets, admin.ListStartOffsets} {
		listed, err := list(ctx, topics...)
		partitions = slices.DeleteFunc(partitions, func(i int32) bool {
			o, ok := listed.Lookup(e.view.Topics[e.view.Topic[i]], e.view.Partition[i])
			found[i] = append(found[i], o.Offset)
			return !ok || o.Err != nil || o.Offset < 0
		})
		if len(partitions) == 0 {
			return 0, r.explainMoved(err)
		}
	}
	for _, i := range partitions {
		e.high[i], e.stable[i], e.start[i] = found[i][0], found[i][1], found[i][2]
	}
	return len(partitions), nil
}

// clientOptions is a client of brokers that answer now, by the addresses at which
// they do: one that the survey found dead is not dialled, so that it costs no time.
func (r *roster) clientOptions() []kgo.Opt {
	way := &ways{roster: r, to: map[string]string{}, dialled: map[string]int{}}
	var seeds []string
	crew := r.crew()
	r.mu.Lock()
	for _, p := range crew {
		if p.down() == nil {
			seeds = append(seeds, p.reach.Address)
			way.to[p.reach.Address] = p.reach.Address
			for _, advertised := range p.own {
				way.to[advertised] = p.reach.Address
			}
		}
	}
	r.mu.Unlock()
	o := []kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.Dialer(way.dial),
		kgo.ClientID(clientID),
		kgo.SoftwareNameAndVersion(clientID, softwareVersion(r.target.Version)),
		kgo.DisableClientMetrics(), // it would push telemetry
		kgo.WithHooks(ledgerHook{r.target.Ledger}),
		kgo.RequestRetries(5),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.RetryTimeout(r.patience),
		kgo.RequestTimeoutOverhead(max(r.patience, 100*time.Millisecond)), // less is refused
		kgo.BrokerMaxReadBytes(maxAnswer),
	}
	if m := r.door.by().mechanism; m != nil {
		o = append(o, kgo.SASL(m))
	}
	return o
}

// ways is how a client gets to brokers.
type ways struct {
	roster *roster
	to     map[string]string // addresses that answer, by those that brokers advertise

	mu      sync.Mutex
	dialled map[string]int // how often, by address
}

var errNoWay = errors.New("did not answer a moment ago")

// dial makes a guarded connection. An address is dialled twice at most: as that of
// a broker not known yet and as that of a known one. More would be repeated
// attempts of something that fails, which may be the credentials.
func (w *ways) dial(ctx context.Context, _, advertised string) (net.Conn, error) {
	address, ok := w.to[advertised]
	w.mu.Lock()
	w.dialled[address]++
	again := w.dialled[address] > 2
	w.mu.Unlock()
	if !ok || again {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errNoWay} // the client goes on to another broker
	}
	ctx, cancel := context.WithTimeout(ctx, w.roster.patience/2)
	defer cancel()
	return w.roster.door.by().dial(ctx, address, w.roster.exists, nil)
}

// ledgerHook notes the client's requests.
type ledgerHook struct{ ledger *probe.Ledger }

// OnBrokerE2E is called by the client after each request.
func (h ledgerHook) OnBrokerE2E(m kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	to := (&peer{name: addressOf(fact.BrokerAddress{Host: m.Host, Port: m.Port})}).String()
	if m.NodeID >= 0 { // those that the client was given have negative ones
		to = (&peer{name: fact.BrokerOf(m.NodeID).Name}).String()
	}
	h.ledger.Note("request", kmsg.NameForKey(key)+" to "+to, int64(e.BytesWritten+e.BytesRead), e.DurationE2E())
}

// explainMoved gives an error of the client its reason; nil stays nil.
func (r *roster) explainMoved(err error) error {
	if err == nil {
		return nil
	}
	what := r.door.by().hidden.hide("list offsets of partitions that have moved: " + err.Error())
	var denied *kadm.AuthError
	switch {
	case errors.As(err, &denied):
		return probe.Fail(fact.NotAllowed, what, (&peer{door: r.door}).grant(describeTopics))
	case errors.Is(err, errNoWay):
		return probe.Fail(fact.Unreachable, what, "")
	}
	return probe.Fail(failed(fact.APIVersions, err).reason(), what, "")
}
