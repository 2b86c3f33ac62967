package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Socket is a TCP socket as the kernel's socket diagnosis describes it.
type Socket struct {
	State         uint8 // of TCP: 1 established … 10 listening
	Local, Remote netip.AddrPort
	Inode         uint32 // 0: it has no descriptor any more, or not yet
	Unread        uint32 // bytes; of a listener the connections that wait to be accepted
	Unsent        uint32 // bytes; of a listener how many may wait
	Resent        bool   // its last segment was sent again and is not acknowledged yet
	RoundTrip     uint32 // microseconds
	Retransmits   uint32 // segments since it began
	Lost          uint32 // segments in flight that count as lost
}

// The states of TCP, by the kernel's number.
var tcpStates = [...]string{1: "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "close", "close-wait", "last-ack", "listen", "closing", "syn-recv"}

const (
	established = 1
	closeWait   = 8
	listening   = 10

	diagRequest = 20 // SOCK_DIAG_BY_FAMILY
	diagInfo    = 2  // INET_DIAG_INFO: struct tcp_info
	diagSize    = 72 // of struct inet_diag_msg
	timerResend = 1  // of its field idiag_timer
)

// dumpRequest asks for all TCP sockets of a family that are in one of the states.
func dumpRequest(family uint8, states uint32) []byte {
	const size = unix.SizeofNlMsghdr + 56
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, size)
	binary.NativeEndian.PutUint16(b[4:], diagRequest)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b[16], b[17], b[18] = family, unix.IPPROTO_TCP, 1<<(diagInfo-1)
	binary.NativeEndian.PutUint32(b[20:], states)
	return b
}

// dump calls each for every TCP socket of the namespace of a netlink socket that
// is in one of the states. buf holds one answer of the kernel: 64 KiB are enough.
func dump(fd int, states uint32, buf []byte, each func(*Socket)) error {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, dumpRequest(family, states), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("ask for TCP sockets: %w", err)
		}
		for done := false; !done; {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return fmt.Errorf("receive TCP sockets: %w", err)
			}
			if done, err = ParseDiag(buf[:n], each); err != nil {
				return err
			}
		}
	}
	return nil
}

// ParseDiag reads one datagram of an answer of the kernel's socket diagnosis; done
// says that it was the last. The Socket is overwritten for the next one.
func ParseDiag(b []byte, each func(*Socket)) (done bool, err error) {
	var s Socket
	done, err = messages(b, func(kind uint16, body []byte) error {
		if kind != diagRequest {
			return nil
		}
		if err := s.parse(body); err != nil {
			return err
		}
		each(&s)
		return nil
	})
	if err != nil {
		err = fmt.Errorf("socket diagnosis: %w", err)
	}
	return done, err
}

// parse reads a struct inet_diag_msg and its attributes.
func (s *Socket) parse(b []byte) error {
	if len(b) < diagSize {
		return fmt.Errorf("a socket of %d bytes, expected %d", len(b), diagSize)
	}
	*s = Socket{State: b[1], Resent: b[2] == timerResend && b[3] > 0}
	address := func(at int) netip.Addr {
		if b[0] == unix.AF_INET {
			return netip.AddrFrom4([4]byte(b[at : at+4]))
		}
		return netip.AddrFrom16([16]byte(b[at : at+16])).Unmap()
	}
	s.Local = netip.AddrPortFrom(address(8), binary.BigEndian.Uint16(b[4:]))
	s.Remote = netip.AddrPortFrom(address(24), binary.BigEndian.Uint16(b[6:]))
	s.Unread = binary.NativeEndian.Uint32(b[56:])
	s.Unsent = binary.NativeEndian.Uint32(b[60:])
	s.Inode = binary.NativeEndian.Uint32(b[68:])
	return attributes(b[diagSize:], func(kind uint16, value []byte) {
		if kind == diagInfo {
			s.info(value)
		}
	})
}

// info reads what is wanted of a struct tcp_info; older kernels have a shorter
// one.
func (s *Socket) info(b []byte) {
	const lost, roundTrip, retransmits = 32, 68, 100
	if len(b) >= retransmits+4 {
		s.Lost = binary.NativeEndian.Uint32(b[lost:])
		s.RoundTrip = binary.NativeEndian.Uint32(b[roundTrip:])
		s.Retransmits = binary.NativeEndian.Uint32(b[retransmits:])
	}
}

// openNetlink makes a netlink socket that waits for an answer no longer than the
// timeout.
func openNetlink(protocol int, timeout time.Duration) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return -1, fmt.Errorf("open a netlink socket: %w", err)
	}
	wait := unix.NsecToTimeval(timeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("limit the wait of a netlink socket: %w", err)
	}
	return fd, nil
}
