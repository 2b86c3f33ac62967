package probe

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"syscall"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Because turns the error of a probe into the reason why its facts are
// unknown. Errors of package fact's own kind pass unchanged; no error at all is
// a mistake of the probe that asks, and costs no more than the reason.
func Because(err error) *fact.Unknown {
	if err == nil {
		return &fact.Unknown{Reason: fact.Unreadable, Detail: "no reason is known"}
	}
	u := &fact.Unknown{Reason: fact.Unreadable, Detail: err.Error()}
	var known *Error
	var timeout net.Error
	var no *forbidden
	switch {
	case errors.As(err, &known):
		return known.Unknown
	case errors.As(err, &no):
		u.Reason, u.How = fact.NotAllowed, no.how
	case errors.Is(err, fs.ErrPermission):
		u.Reason, u.How = fact.NotAllowed, "run as the broker's user, or root"
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EOPNOTSUPP):
		u.Reason = fact.NotSupported
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		u.Reason = fact.TimedOut
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH),
		errors.Is(err, syscall.ENETUNREACH), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		u.Reason = fact.Unreachable
	}
	return u
}

// Error is an error that knows its reason.
type Error struct{ *fact.Unknown }

// Error is the reason and its detail.
func (e *Error) Error() string { return e.Unknown.String() }

// Errorf makes an Error.
func Fail(reason fact.Reason, detail, how string) error {
	return &Error{&fact.Unknown{Reason: reason, Detail: detail, How: how}}
}
