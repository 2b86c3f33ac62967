package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/kafka/guard"
)

// dial makes a guarded connection to a broker, TLS included. Its error is a
// *stepError.
func (s *security) dial(ctx context.Context, address string, exists func(topic string) bool, w *stopwatch) (net.Conn, error) {
	dialer := net.Dialer{ControlContext: w.resolved(address)}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		var dns *net.DNSError
		var bad *net.AddrError
		if errors.As(err, &dns) || errors.As(err, &bad) {
			return nil, failed(fact.Resolve, err)
		}
		return nil, failed(fact.Connect, err)
	}
	w.done(fact.Connect)
	if s.tls == nil {
		return guard.New(conn, exists), nil
	}
	c := s.tls.Clone()
	if c.ServerName, _, err = net.SplitHostPort(address); err != nil {
		conn.Close()
		return nil, failed(fact.Resolve, err)
	}
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, failed(fact.TLS, err)
	}
	w.done(fact.TLS)
	return guard.New(secure, exists), nil
}

// stepError is where and how the way to an answer ended.
type stepError struct {
	step    fact.Step
	outcome fact.Outcome
	err     error
}

// failed classifies an error of a step.
func failed(step fact.Step, err error) *stepError {
	return &stepError{step, outcomeOf(step, err), err}
}

func (e *stepError) Error() string { return fmt.Sprintf("%s: %s", e.step, e.err) }
func (e *stepError) Unwrap() error { return e.err }

// reason is why facts are unknown after a connection that ended so.
func (e *stepError) reason() fact.Reason {
	switch e.outcome {
	case fact.Silent:
		return fact.TimedOut
	case fact.Garbled:
		return fact.Unreadable
	case fact.Denied:
		return fact.NotAllowed
	}
	return fact.Unreachable
}

// errGarbled is wrapped by errors about bytes that are no answer of a broker.
var errGarbled = errors.New("no answer of a Kafka broker")

// errDenied is wrapped by errors about credentials that were not accepted.
var errDenied = errors.New("not accepted")

func outcomeOf(step fact.Step, err error) fact.Outcome {
	var dns *net.DNSError
	var timeout net.Error
	var header tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.Is(err, errGarbled), errors.As(err, &header):
		return fact.Garbled
	case errors.Is(err, errDenied), errors.As(err, &certificate), errors.As(err, &alert), isCertificate(err):
		return fact.Denied
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT),
		errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		return fact.Silent
	case errors.As(err, &dns), step == fact.Resolve:
		return fact.Unresolvable
	case errors.Is(err, syscall.ECONNREFUSED):
		return fact.Refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return fact.Closed
	case step == fact.Connect:
		return fact.Unroutable
	case step == fact.TLS: // a peer that ends the handshake in its own words
		return fact.Denied
	}
	return fact.Garbled
}

// own says whether an error is this host's, which lacks what a connection takes: it
// says nothing of the broker.
func own(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

func isCertificate(err error) bool {
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &host) || errors.As(err, &authority) || errors.As(err, &invalid)
}
