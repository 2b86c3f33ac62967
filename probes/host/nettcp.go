package host

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseNetTCP reads /proc/net/tcp or tcp6: what socket diagnosis says, without
// round trips, retransmits and the limit of an accept queue.
//
//	sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//	 0: 0100007F:2384 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 4711 1 …
func ParseNetTCP(what string, file []byte, each func(*Socket)) error {
	n := 0
	for line := range bytes.Lines(file) {
		n++
		words := strings.Fields(string(line))
		if n == 1 || len(words) == 0 {
			continue
		}
		if len(words) < 10 {
			return fmt.Errorf("%s, line %d: expected 10 fields, there are %d", what, n, len(words))
		}
		s, err := parseTCPLine(words)
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", what, n, err)
		}
		each(&s)
	}
	return nil
}

func parseTCPLine(words []string) (s Socket, err error) {
	if s.Local, err = hexAddress(words[1]); err != nil {
		return s, err
	}
	if s.Remote, err = hexAddress(words[2]); err != nil {
		return s, err
	}
	unsent, unread, _ := strings.Cut(words[4], ":")
	timer, _, _ := strings.Cut(words[5], ":")
	var numbers [5]uint64
	for i, word := range []string{words[3], unsent, unread, timer, words[6]} {
		if numbers[i], err = strconv.ParseUint(word, 16, 32); err != nil {
			return s, fmt.Errorf("expected a hexadecimal number: %q", cut(word, 20))
		}
	}
	inode, err := strconv.ParseUint(words[9], 10, 32)
	if err != nil {
		return s, fmt.Errorf("inode: expected a number: %q", cut(words[9], 20))
	}
	s.State, s.Unsent, s.Unread = uint8(numbers[0]), uint32(numbers[1]), uint32(numbers[2])
	s.Resent, s.Inode = numbers[3] == timerResend && numbers[4] > 0, uint32(inode)
	return s, nil
}

// hexAddress reads an address whose 32-bit words are in the order of this machine,
// and its port: "0100007F:2384".
func hexAddress(word string) (netip.AddrPort, error) {
	address, port, ok := strings.Cut(word, ":")
	b, err := hex.DecodeString(address)
	p, bad := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || bad != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, fmt.Errorf("expected an address and a port in hexadecimal: %q", cut(word, 40))
	}
	if littleEndian {
		for i := 0; i < len(b); i += 4 {
			b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(a.Unmap(), uint16(p)), nil
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
