package kafka

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestOwnFailureIsNoReach: a host without files, or memory, for a connection saw
// nothing of the broker.
func TestOwnFailureIsNoReach(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if e := failed(fact.Connect, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", err)}); !own(e) {
			t.Errorf("%v is taken for the broker's", e)
		}
	}
	for _, err := range []error{syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if e := failed(fact.Connect, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)}); own(e) {
			t.Errorf("%v is taken for this host's", e)
		}
	}
}
