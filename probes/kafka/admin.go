package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// admin is kadm over a client of its own, for what must be asked of the leader
// of each partition: it knows how to find leaders and to follow one that moved.
// Its connections go through the guard as all others do, and a broker that the
// survey found dead is not dialled, so that it costs nobody's time.
type admin struct {
	client *kgo.Client
	kadm   *kadm.Client
	roster *roster

	mu    sync.Mutex
	conns map[net.Conn]string // open connections, by address
}

// errDead is the error of dialling a broker that the survey found dead.
var errDead = errors.New("did not answer a moment ago")

// adminOf is the roster's admin, told which brokers answer now.
func (r *roster) adminOf() (*admin, error) {
	var alive []string
	for _, p := range r.crew() {
		r.mu.Lock()
		if p.down() == nil {
			alive = append(alive, p.reach.Address)
		}
		r.mu.Unlock()
	}
	if len(alive) == 0 {
		return nil, probe.Fail(fact.Unreachable, "no broker answers", "")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	if r.admin == nil {
		a := &admin{roster: r, conns: map[net.Conn]string{}}
		client, err := kgo.NewClient(a.options(alive)...)
		if err != nil {
			return nil, err
		}
		a.client, a.kadm = client, kadm.NewClient(client)
		r.admin = a
	}
	r.admin.client.UpdateSeedBrokers(alive...)
	return r.admin, nil
}

func (a *admin) options(seeds []string) []kgo.Opt {
	r := a.roster
	o := []kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.Dialer(a.dial),
		kgo.ClientID(clientID),
		kgo.SoftwareNameAndVersion(clientID, softwareVersion(r.target.Version)),
		kgo.DisableClientMetrics(),
		kgo.WithHooks(&ledgerHook{r.target.Ledger}),
		kgo.RequestRetries(10), // the client does not know which brokers are dead: it must get past them
		kgo.RetryTimeout(r.patience),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
		kgo.RequestTimeoutOverhead(max(r.patience, 100*time.Millisecond)),
		kgo.MetadataMinAge(time.Second),
		kgo.BrokerMaxReadBytes(maxAnswer),
	}
	if m := r.door.by().mechanism; m != nil {
		o = append(o, kgo.SASL(m))
	}
	return o
}

// dial is the client's way to a broker.
func (a *admin) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if a.roster.isDead(a.roster.locate(ctx, address)) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errDead} // the client goes on to another broker
	}
	ctx, cancel := context.WithTimeout(ctx, a.roster.patience)
	defer cancel()
	c, err := a.roster.door.by().dial(ctx, address, a.roster.exists, nil)
	if err != nil {
		return nil, err
	}
	kept := &adminConn{c, a}
	a.mu.Lock()
	a.conns[kept] = address
	a.mu.Unlock()
	return kept, nil
}

// adminConn forgets itself when it is closed.
type adminConn struct {
	net.Conn
	admin *admin
}

func (c *adminConn) Close() error {
	c.admin.mu.Lock()
	delete(c.admin.conns, c)
	c.admin.mu.Unlock()
	return c.Conn.Close()
}

// dropDead closes the connections to brokers that the survey found dead: one
// that hangs would keep the client waiting.
func (a *admin) dropDead(ctx context.Context) {
	a.mu.Lock()
	var all []net.Conn
	var where []string
	for c, address := range a.conns {
		all, where = append(all, c), append(where, address)
	}
	a.mu.Unlock()
	for i, c := range all {
		if a.roster.isDead(a.roster.locate(ctx, where[i])) {
			c.Close()
		}
	}
}

// isDead says whether the broker at a place did not answer the last survey.
func (r *roster) isDead(where string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.owners(where)
	return len(all) > 0 && !slices.ContainsFunc(all, func(p *peer) bool {
		return p.tried.IsZero() || p.taken != nil || p.down() == nil
	})
}

func (a *admin) close() { go a.client.Close() } // it waits for what is under way

// ledgerHook notes the client's requests.
type ledgerHook struct{ ledger *probe.Ledger }

// OnBrokerE2E is called by the client after each request.
func (h *ledgerHook) OnBrokerE2E(m kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	to := (&peer{name: addressOf(fact.BrokerAddress{Host: m.Host, Port: m.Port})}).String()
	if m.NodeID >= 0 {
		to = (&peer{name: fact.BrokerOf(m.NodeID).Name}).String()
	}
	h.ledger.Note("request", kmsg.NameForKey(key)+" to "+to, int64(e.BytesWritten+e.BytesRead), e.DurationE2E())
}

// logEnds is where the logs of partitions begin and end.
type logEnds struct{ start, end, stable kadm.ListedOffsets }

// logEnds asks the leaders. A partition whose leader does not answer is missing
// from the answer; an error is for when none answered.
func (r *roster) logEnds(ctx context.Context, topics []string) (*logEnds, error) {
	ends := &logEnds{}
	if len(topics) == 0 {
		return ends, nil
	}
	a, err := r.adminOf()
	if err != nil {
		return nil, err
	}
	a.dropDead(ctx)
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	// The three below share what this has just read of leaders.
	if _, err := a.kadm.ListTopics(ctx, topics...); err != nil {
		return nil, r.explainAdmin(err)
	}
	var all sync.WaitGroup
	errs := make([]error, 3)
	all.Go(func() { ends.start, errs[0] = a.kadm.ListStartOffsets(ctx, topics...) })
	all.Go(func() { ends.end, errs[1] = a.kadm.ListEndOffsets(ctx, topics...) })
	all.Go(func() { ends.stable, errs[2] = a.kadm.ListCommittedOffsets(ctx, topics...) })
	all.Wait()
	if len(ends.end) == 0 {
		first := slices.IndexFunc(errs, func(err error) bool { return err != nil })
		if first >= 0 {
			return nil, r.explainAdmin(errs[first])
		}
	}
	return ends, nil
}

// explainAdmin gives an error of kadm its reason.
func (r *roster) explainAdmin(err error) error {
	what := r.door.by().hidden.hide("list log ends: " + err.Error())
	var denied *kadm.AuthError
	if errors.As(err, &denied) {
		return probe.Fail(fact.NotAllowed, what, (&peer{door: r.door}).grant(describeTopics))
	}
	if errors.Is(err, errDead) {
		return probe.Fail(fact.Unreachable, what, "")
	}
	return probe.Fail(failed(fact.APIVersions, err).reason(), what, "")
}

// offsetIn is a listed offset; -1 where there is none.
func offsetIn(l kadm.ListedOffsets, topic string, partition int32) int64 {
	if o, ok := l.Lookup(topic, partition); ok && o.Err == nil {
		return o.Offset
	}
	return -1
}
