package host

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// queues is what the queueing discipline at the root of each interface holds, by
// the interface's name.
func (n *namespaces) queues(t *probe.Target, ns uint64, pid int) (map[string]map[string]float64, error) {
	fd, err := n.open(t, ns, pid, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	names := map[int32]string{}
	byName := map[string]map[string]float64{}
	err = errors.Join(
		ask(fd, unix.RTM_GETLINK, unix.SizeofIfInfomsg, n.buf, func(b []byte) error { return parseLink(b, names) }),
		ask(fd, unix.RTM_GETQDISC, sizeofTcmsg, n.buf, func(b []byte) error {
			index, numbers, err := parseQdisc(b)
			if name := names[index]; err == nil && numbers != nil && name != "" {
				byName[name] = numbers
			}
			return err
		}))
	if err != nil {
		n.drop(ns)
		return nil, fmt.Errorf("ask for the queues of the interfaces: %w", err)
	}
	return byName, nil
}

const sizeofTcmsg = 20

// ask sends a request for everything of a kind and calls each with every answer.
func ask(fd, kind, size int, buf []byte, each func([]byte) error) error {
	b := make([]byte, unix.SizeofNlMsghdr+size)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], uint16(kind))
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		done, err := messages(buf[:n], func(_ uint16, body []byte) error { return each(body) })
		if done || err != nil {
			return err
		}
	}
}

// messages splits a datagram of netlink; done says that it was the last of an
// answer.
func messages(b []byte, each func(kind uint16, body []byte) error) (done bool, err error) {
	for at := 0; len(b)-at >= unix.SizeofNlMsghdr; {
		size := int(binary.NativeEndian.Uint32(b[at:]))
		if size < unix.SizeofNlMsghdr || size > len(b)-at {
			return false, fmt.Errorf("netlink, byte %d: length %d of %d bytes left", at, size, len(b)-at)
		}
		kind, body := binary.NativeEndian.Uint16(b[at+4:]), b[at+unix.SizeofNlMsghdr:at+size]
		switch kind {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return false, fmt.Errorf("netlink, byte %d: an error without its number", at)
			}
			if code := int32(binary.NativeEndian.Uint32(body)); code != 0 {
				return false, unix.Errno(-code)
			}
			return true, nil
		default:
			if err := each(kind, body); err != nil {
				return false, fmt.Errorf("netlink, byte %d: %w", at, err)
			}
		}
		at += (size + 3) &^ 3
	}
	return false, nil
}

// attributes calls each with every attribute of a netlink message.
func attributes(b []byte, each func(kind uint16, value []byte)) error {
	for len(b) >= 4 {
		size, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if size < 4 || size > len(b) {
			return fmt.Errorf("an attribute of %d bytes, %d are left", size, len(b))
		}
		each(kind&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[4:size])
		b = b[min((size+3)&^3, len(b)):]
	}
	return nil
}

// parseLink reads the name of an interface out of a struct ifinfomsg.
func parseLink(b []byte, names map[int32]string) error {
	if len(b) < unix.SizeofIfInfomsg {
		return fmt.Errorf("an interface of %d bytes", len(b))
	}
	index := int32(binary.NativeEndian.Uint32(b[4:]))
	return attributes(b[unix.SizeofIfInfomsg:], func(kind uint16, value []byte) {
		if kind == unix.IFLA_IFNAME {
			names[index] = unix.ByteSliceToString(value)
		}
	})
}

// parseQdisc reads the numbers of a queueing discipline and the index of its
// interface; none of one that is not the root of its interface.
func parseQdisc(b []byte) (index int32, numbers map[string]float64, err error) {
	const root, stats2, queue = 0xFFFFFFFF, 7, 3 // TC_H_ROOT, TCA_STATS2, TCA_STATS_QUEUE
	if len(b) < sizeofTcmsg {
		return 0, nil, fmt.Errorf("a queueing discipline of %d bytes", len(b))
	}
	index = int32(binary.NativeEndian.Uint32(b[4:]))
	if binary.NativeEndian.Uint32(b[12:]) != root {
		return index, nil, nil
	}
	var nested error
	err = attributes(b[sizeofTcmsg:], func(kind uint16, value []byte) {
		if kind != stats2 {
			return
		}
		nested = attributes(value, func(kind uint16, value []byte) {
			if kind == queue && len(value) >= 20 { // struct gnet_stats_queue
				number := func(i int) float64 { return float64(binary.NativeEndian.Uint32(value[4*i:])) }
				numbers = map[string]float64{"backlog": number(1), "drops": number(2), "overlimits": number(4)}
			}
		})
	})
	return index, numbers, errors.Join(err, nested)
}
