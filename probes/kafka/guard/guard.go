// Package guard keeps ktriage read-only at the wire. A connection to a broker
// passes through a Conn, which reads every request before the socket does and
// lets through only those that cannot change anything.
//
// The guard sits above TLS and below SASL, so it always sees plain frames:
// four bytes of size, two of API key, two of version.
package guard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
)

// MaxRequest is the size in bytes of the largest request let through. The
// largest that ktriage writes names 1000 topics of 249 characters.
const MaxRequest = 4 << 20

// ErrRefused is wrapped by every error about a request that was not let through.
var ErrRefused = errors.New("refused by the read-only guard")

// Conn is a connection to a broker that refuses every request which is not
// known to be harmless. The first refusal closes it: nothing of the refused
// request, and nothing after it, reaches the socket.
type Conn struct {
	socket
	exists func(topic string) bool

	mu      sync.Mutex // a request in several writes stays in one piece
	pending []byte     // the beginning of a request that is not complete
	refused error
}

// socket hides the guarded connection: whoever holds a Conn cannot write past it.
type socket = net.Conn

// New guards a connection. A coordinator may be looked up only where exists
// says that its internal topic is there, because a broker would create it; nil
// means that none is known to be.
func New(c net.Conn, exists func(topic string) bool) *Conn {
	if exists == nil {
		exists = func(string) bool { return false }
	}
	return &Conn{socket: c, exists: exists}
}

// Write takes in a piece of the stream of requests and sends the requests that
// are complete and allowed. Bytes of an incomplete request wait for the rest.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused != nil {
		return 0, c.refused
	}
	c.pending = append(c.pending, p...)
	for {
		size, err := frameSize(c.pending)
		if err == nil && (size == 0 || len(c.pending) < size) {
			return len(p), nil
		}
		if err == nil {
			err = Check(c.pending[4:size], c.exists)
		}
		if err != nil {
			c.refused, c.pending = err, nil
			c.socket.Close()
			return 0, err
		}
		if _, err := c.socket.Write(c.pending[:size]); err != nil {
			return 0, err
		}
		c.pending = append(c.pending[:0], c.pending[size:]...)
	}
}

// frameSize is the length in bytes of the first frame, its size field included;
// 0 while that is not known.
func frameSize(stream []byte) (int, error) {
	if len(stream) < 4 {
		return 0, nil
	}
	size := int32(binary.BigEndian.Uint32(stream))
	if size < minHeader || size > MaxRequest {
		return 0, fmt.Errorf("%w: size %d of a request, %d to %d is expected", ErrRefused, size, minHeader, MaxRequest)
	}
	return 4 + int(size), nil
}
