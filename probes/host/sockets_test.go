package host

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// crowd is a listener and connections to it, of which accepted many were accepted.
func crowd(t testing.TB, connections, accepted int) (l net.Listener, clients, servers []net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for i := range connections {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		clients = append(clients, c)
		if i < accepted {
			s, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			servers = append(servers, s)
		}
	}
	return l, clients, servers
}

// dial makes connections that last as long as the test.
func dial(t testing.TB, address string, connections int) {
	t.Helper()
	for range connections {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
}

func socketTable(t *testing.T, target *probe.Target) (fact.SocketTable, map[string]fact.Observation) {
	t.Helper()
	seen, err := look(t, Sockets, target)
	table, ok := seen["host.sockets on process 2"].Value.(fact.SocketTable)
	if err != nil || !ok {
		t.Fatalf("%v, error %v", seen, err)
	}
	return table, seen
}

func ourselves(t testing.TB, listeners ...string) *probe.Target {
	target := &probe.Target{}
	t.Cleanup(func() { target.Close() })
	target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: os.Getpid(), Running: true, Listeners: listeners}})
	return target
}

// TestSocketsOfAListener compares what is seen with what was done, and with ss.
func TestSocketsOfAListener(t *testing.T) {
	l, clients, servers := crowd(t, 20, 15)
	if _, err := clients[0].Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	clients[1].Close()
	target := ourselves(t)
	var table fact.SocketTable
	var seen map[string]fact.Observation
	waitFor(t, func() bool {
		table, seen = socketTable(t, target)
		return len(table.Listeners) == 1 && table.Listeners[0].Unread == 10 && seen["host.sockets.close-wait on process 2"].Value == 1.0
	})
	at := table.Listeners[0]
	if !table.Owned || !table.Detailed || at.Address != l.Addr().String() || at.Queue != 5 || at.Limit < 100 {
		t.Errorf("%+v", table)
	}
	if got := fmt.Sprint(at.States); got != "[{close-wait 1} {established 19}]" {
		t.Errorf("states %s", got)
	}
	// Both ends are ours: 19 that came in and 19 that we made.
	if len(table.Peers) != 2 || table.Peers[0].Connections != 19 || table.Peers[1].Connections != 19 || table.Peers[0].Outgoing == table.Peers[1].Outgoing || table.Peers[0].RoundTrip <= 0 || table.Peers[0].RoundTrip > 1 {
		t.Errorf("peers %+v", table.Peers)
	}
	for what, want := range map[string]float64{"established": 38, "unread": 10, "accept-queue": 5, "accept-queue.limit": float64(at.Limit)} {
		if got := number(t, seen, "host.sockets."+what+" on process 2"); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	port := l.Addr().(*net.TCPAddr).Port
	out, err := exec.Command("ss", "-Htan", fmt.Sprintf("sport = :%d", port)).Output()
	if err != nil {
		t.Fatalf("this test needs ss of iproute2: %v", err)
	}
	if text := string(out); strings.Count(text, "ESTAB") != 19 || strings.Count(text, "CLOSE-WAIT") != 1 || strings.Count(text, "LISTEN") != 1 {
		t.Errorf("ss does not agree:\n%s", text)
	}
	_ = servers
}

// The files of /proc tell the same, but for what only netlink knows.
func TestFilesAgreeWithNetlink(t *testing.T) {
	l, _, _ := crowd(t, 7, 5)
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer six.Close()
	port := l.Addr().(*net.TCPAddr).Port
	count := func(list func(uint32, func(*Socket)) error) map[string]int {
		by := map[string]int{}
		if err := list(1<<13-1, func(s *Socket) {
			if int(s.Local.Port()) == port || int(s.Remote.Port()) == port || s.Local.String() == six.Addr().String() {
				s.Unsent *= uint32(min(s.State^listening, 1)) // the limit of a listener
				by[fmt.Sprint(s.State, s.Local, s.Remote, s.Inode, s.Unread, s.Unsent, s.Resent)]++
			}
		}); err != nil {
			t.Fatal(err)
		}
		return by
	}
	fd, err := openNetlink(unix.NETLINK_SOCK_DIAG, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	diag := count(func(states uint32, each func(*Socket)) error { return dump(fd, states, make([]byte, 64<<10), each) })
	files := count(func(states uint32, each func(*Socket)) error {
		return fromFiles(&probe.Target{}, os.Getpid(), states, each)
	})
	if len(diag) != 16 || fmt.Sprint(diag) != fmt.Sprint(files) {
		t.Errorf("netlink says\n%v\nand the files\n%v\nwant 16 sockets", diag, files)
	}
}

func TestParseNetTCP(t *testing.T) {
	for text, want := range map[string]string{
		"sl\n 0: 0100007F:2384 00000000:0000 0A 0:0 00:0 0 0 0\n":     "line 2: expected 10 fields",
		"sl\n 0: 0100007F 00000000:0000 0A 0:0 00:0 0 0 0 1\n":        "an address and a port",
		"sl\n 0: 0100007F:2384 00000000:0000 XX 0:0 00:0 0 0 0 1\n":   "hexadecimal number",
		"sl\n 0: 0100007F:2384 00000000:0000 0A 0:0 00:0 0 0 0 one\n": "inode",
	} {
		if err := ParseNetTCP("net/tcp", []byte(text), func(*Socket) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func FuzzSocketLists(f *testing.F) {
	f.Add([]byte("sl\n 0: 0100007F:2384 00000000:0000 0A 00000000:00000002 00:00000000 00000000 0 0 4711 1\n"))
	f.Add(dumpRequest(unix.AF_INET6, 1))
	fd, err := openNetlink(unix.NETLINK_SOCK_DIAG, time.Second)
	if err != nil {
		f.Fatal(err)
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, dumpRequest(family, 1<<listening), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			f.Fatal(err)
		}
		buf := make([]byte, 64<<10)
		for done := false; !done; {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(append([]byte{}, buf[:n]...))
			done, _ = ParseDiag(buf[:n], func(*Socket) {})
		}
	}
	unix.Close(fd)
	f.Fuzz(func(t *testing.T, b []byte) {
		sum := newTally([]Socket{{}}, map[uint32]bool{0: true})
		ParseDiag(b, sum.add)
		ParseNetTCP("net/tcp", b, sum.add)
		if table := sum.table(true); len(table.Peers) > shownPeers {
			t.Fatalf("%d peers", len(table.Peers))
		}
		messages(b, func(_ uint16, body []byte) error {
			parseQdisc(body)
			return parseLink(body, map[int32]string{})
		})
		ParseNetDev(b)
	})
}

// BenchmarkSockets looks at a process with ten thousand connections, in a namespace
// that holds the other ends of them too.
func BenchmarkSockets(b *testing.B) {
	const connections = 10000
	if err := moreFiles(connections + 1000); err != nil {
		b.Skipf("SKIPPED, NOTHING MEASURED: %v", err)
	}
	cmd, address := child(b, "serve", nil)
	dial(b, address, connections)
	target := &probe.Target{}
	defer target.Close()
	target.SetBrokers([]fact.LocalBroker{{NodeID: 2, PID: cmd.Process.Pid, Running: true}})
	observe := func() {
		seen, err := Sockets.Observe(b.Context(), target)
		if err != nil || seen[1].Value != float64(connections) {
			b.Fatalf("%v, error %v", seen[1], err)
		}
	}
	b.Run("first", func(b *testing.B) { // with a look at each descriptor
		for b.Loop() {
			clear(owners(target).brokers)
			observe()
		}
	})
	b.Run("tick", func(b *testing.B) {
		for b.Loop() {
			observe()
		}
	})
	b.Run("files", func(b *testing.B) {
		for b.Loop() {
			if err := fromFiles(target, os.Getpid(), 1<<13-1, func(*Socket) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ss", func(b *testing.B) {
		if _, err := exec.LookPath("ss"); err != nil {
			b.Skipf("SKIPPED, NOTHING MEASURED: %v", err)
		}
		for b.Loop() {
			if err := exec.Command("ss", "-tanie").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// moreFiles raises the limit of open files, up to the hard one and above it where
// that is allowed.
func moreFiles(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur, limit.Max = max(limit.Cur, n), max(limit.Max, n)
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}
