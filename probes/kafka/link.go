package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const clientID = "ktriage"

// link is one connection to one broker. It belongs to one goroutine at a time:
// a broker answers the requests of a connection one after the other anyway.
type link struct {
	conn     net.Conn
	address  string
	versions map[int16][2]int16 // of each API key, lowest and highest
	software string             // "4.3", guessed from the versions
	apis     *fact.APIRanges    // the versions as a fact
	features *fact.Features

	write       *kmsg.RequestFormatter
	correlation int32
	ledger      *probe.Ledger
	broker      string // as the ledger names it
	broken      bool   // an answer is outstanding, or bytes made no sense
}

// door is how links are opened: what is the same for every broker.
type door struct {
	security atomic.Pointer[security] // the operator's, or a broker's of this host once it is found
	version  string                   // of ktriage
	ledger   *probe.Ledger
	exists   func(topic string) bool
}

// by is how connections are made now.
func (d *door) by() *security { return d.security.Load() }

// open connects to an address up to the point where SASL would begin. Its error
// is a *stepError.
func (d *door) open(ctx context.Context, by *security, address, as string, w *stopwatch) (*link, error) {
	conn, err := by.dial(ctx, address, d.exists, w)
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, address: address, ledger: d.ledger, broker: as,
		write: kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID))}
	if err := l.hello(ctx, d.version); err != nil {
		l.close()
		if alertOf(err) != "" { // with TLS 1.3 a certificate is rejected after the handshake
			return nil, failed(fact.TLS, err)
		}
		return nil, failed(fact.APIVersions, err)
	}
	w.done(fact.APIVersions)
	return l, nil
}

func (l *link) close() { l.conn.Close() }

// hello asks which requests the broker answers in which versions.
func (l *link) hello(ctx context.Context, version string) error {
	ask := kmsg.NewPtrApiVersionsRequest()
	ask.ClientSoftwareName, ask.ClientSoftwareVersion = clientID, softwareVersion(version)
	ask.Version = 3
	got, err := l.exchange(ctx, ask, maxHello)
	if err != nil {
		return err
	}
	answer := got.(*kmsg.ApiVersionsResponse)
	if answer.ErrorCode == unsupportedVersion && len(answer.ApiKeys) == 0 {
		ask.Version = 0
		if got, err = l.exchange(ctx, ask, maxHello); err != nil {
			return err
		}
		answer = got.(*kmsg.ApiVersionsResponse)
	}
	if answer.ErrorCode != 0 && answer.ErrorCode != unsupportedVersion {
		return fmt.Errorf("%w: %s", errGarbled, kerr.ErrorForCode(answer.ErrorCode))
	}
	l.versions = make(map[int16][2]int16, len(answer.ApiKeys))
	for _, k := range answer.ApiKeys {
		l.versions[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	l.apis, l.features = rangesOf(answer), featuresOf(answer)
	l.software = strings.TrimPrefix(kversion.FromApiVersionsResponse(answer).VersionGuess(), "v")
	return nil
}

var notInVersion = regexp.MustCompile(`[^a-zA-Z0-9.-]+`)

// softwareVersion is a version as brokers accept it: they refuse others.
func softwareVersion(v string) string {
	if v = strings.Trim(notInVersion.ReplaceAllString(v, "-"), ".-"); v != "" {
		return v
	}
	return "dev"
}

// authenticate goes through SASL.
func (l *link) authenticate(ctx context.Context, m sasl.Mechanism) error {
	hand := kmsg.NewPtrSASLHandshakeRequest()
	hand.Mechanism = m.Name()
	got, err := l.request(ctx, hand)
	if err != nil {
		return err
	}
	if h := got.(*kmsg.SASLHandshakeResponse); h.ErrorCode != 0 {
		return fmt.Errorf("%w: %w", errDenied, &mechanismError{kerr.ErrorForCode(h.ErrorCode), h.SupportedMechanisms})
	}
	session, say, err := m.Authenticate(ctx, l.address)
	for done := false; err == nil && (!done || len(say) > 0); { // GSSAPI is done with a last word to say
		token := kmsg.NewPtrSASLAuthenticateRequest()
		token.SASLAuthBytes = say
		if got, err = l.request(ctx, token); err != nil {
			return err
		}
		answer := got.(*kmsg.SASLAuthenticateResponse)
		if answer.ErrorCode != 0 {
			err = kerr.ErrorForCode(answer.ErrorCode)
			if answer.ErrorMessage != nil {
				err = &replyError{err, *answer.ErrorMessage}
			}
			break
		}
		if done {
			return nil
		}
		done, say, err = session.Challenge(answer.SASLAuthBytes)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errDenied, m.Name(), err)
	}
	return nil
}

// request sends a request in the highest version that both sides know and
// waits for the answer. A broker that does not know the request gives an error
// of reason not-applicable, one that knows only other versions of it of reason
// not-supported, and the link stays good.
func (l *link) request(ctx context.Context, r kmsg.Request) (kmsg.Response, error) {
	return l.requestUpTo(ctx, r, r.MaxVersion())
}

// supports is the highest version of a request that the broker answers; -1: none.
func (l *link) supports(r kmsg.Request) int16 {
	v, ok := l.versions[r.Key()]
	if !ok {
		return -1
	}
	return v[1]
}

// requestUpTo is request with a highest version.
func (l *link) requestUpTo(ctx context.Context, r kmsg.Request, highest int16) (kmsg.Response, error) {
	if err := l.agree(r, highest); err != nil {
		return nil, err
	}
	return l.exchange(ctx, r, maxAnswer)
}

// glance is requestUpTo for an answer that holds other people's data: use is
// called with it, and then all of it is overwritten.
func (l *link) glance(ctx context.Context, r kmsg.Request, highest int16, limit int, use func(kmsg.Response)) error {
	if err := l.agree(r, highest); err != nil {
		return err
	}
	return l.converse(ctx, r, limit, func(frame []byte) error {
		defer clear(frame)
		answer, err := parseAnswer(frame, r, l.correlation)
		if err == nil {
			use(answer)
		}
		return err
	})
}

// agree sets a request to the highest version that both sides know.
func (l *link) agree(r kmsg.Request, highest int16) error {
	name := kmsg.NameForKey(r.Key())
	theirs, ok := l.versions[r.Key()]
	version := min(highest, theirs[1])
	if !ok {
		return probe.Fail(fact.Absent, fmt.Sprintf("%s knows no %s", l.broker, name), "")
	}
	if version < theirs[0] {
		return probe.Fail(fact.NotSupported, fmt.Sprintf("%s does not answer %s", l.broker, name), "")
	}
	r.SetVersion(version)
	return nil
}

// exchange writes a request as it is and reads its answer. After an error the
// link is broken.
func (l *link) exchange(ctx context.Context, r kmsg.Request, limit int) (answer kmsg.Response, err error) {
	err = l.converse(ctx, r, limit, func(frame []byte) (err error) {
		answer, err = parseAnswer(frame, r, l.correlation)
		return err
	})
	return answer, err
}

// converse writes a request as it is, and gives the answer to a parser.
func (l *link) converse(ctx context.Context, r kmsg.Request, limit int, parse func(frame []byte) error) error {
	l.correlation++
	began := time.Now()
	out := l.write.AppendRequest(nil, r, l.correlation)
	bytes := int64(len(out))
	defer func() {
		l.ledger.Note("request", kmsg.NameForKey(r.Key())+" to "+l.broker, bytes, time.Since(began))
	}()
	l.broken = true
	deadline, _ := ctx.Deadline()
	l.conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { l.conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() { // that deadline may hit the next request
			l.broken = true
		}
	}()
	if _, err := l.conn.Write(out); err != nil {
		return inTime(began, err)
	}
	frame, err := readFrame(l.conn, limit)
	if err != nil {
		return inTime(began, err)
	}
	bytes += int64(len(frame)) + 4
	if err := parse(frame); err != nil {
		return err
	}
	l.broken = false
	return nil
}

// inTime says of a deadline that passed how long was waited, in place of the
// name of the socket operation.
func inTime(began time.Time, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &silence{time.Since(began)}
	}
	return err
}

// silence is the error of an answer that did not come in time.
type silence struct{ waited time.Duration }

func (s *silence) Error() string { return fmt.Sprintf("no answer in %.1f s", s.waited.Seconds()) }
func (s *silence) Unwrap() error { return context.DeadlineExceeded }
