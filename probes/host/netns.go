package host

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/probes/probe"
)

// namespaces keeps netlink sockets in the network namespaces that brokers of this
// host live in.
type namespaces struct {
	mu  sync.Mutex
	fds map[channel]int
	buf []byte
}

// channel is a netlink protocol in a namespace, by the number that namespaceOf
// gives.
type channel struct {
	ns       uint64
	protocol int
}

type namespacesKey struct{}

func namespacesOf(t *probe.Target) *namespaces {
	return probe.Shared(t, namespacesKey{}, func() *namespaces {
		return &namespaces{fds: map[channel]int{}, buf: make([]byte, 64<<10)}
	})
}

// Close closes the sockets.
func (n *namespaces) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keep(nil)
	return nil
}

// keep closes the sockets of all namespaces but these: an open one keeps its
// namespace from going when its last process does.
func (n *namespaces) keep(used []uint64) {
	for c := range n.fds {
		if !slices.Contains(used, c.ns) {
			n.drop(c.ns)
		}
	}
}

// drop closes the sockets of a namespace.
func (n *namespaces) drop(ns uint64) {
	for c, fd := range n.fds {
		if c.ns == ns {
			unix.Close(fd)
			delete(n.fds, c)
		}
	}
}

// namespaceOf is the network namespace of a process: the inode of its
// /proc/PID/net/tcp, which each namespace has of its own and everyone may ask for,
// unlike the link /proc/PID/ns/net.
func namespaceOf(t *probe.Target, pid int) (uint64, error) {
	return inode(t, t.Proc(pid, "net/tcp"))
}

func inode(t *probe.Target, name string) (uint64, error) {
	info, err := stat(t, name)
	if err != nil {
		return 0, fmt.Errorf("find the network namespace: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("find the network namespace: no inode of %s", name)
	}
	return st.Ino, nil
}

// open is the netlink socket of the namespace that the process pid lives in.
func (n *namespaces) open(t *probe.Target, ns uint64, pid, protocol int) (int, error) {
	if fd, ok := n.fds[channel{ns, protocol}]; ok {
		return fd, nil
	}
	own, err := inode(t, t.Root+"/proc/thread-self/net/tcp")
	if err != nil {
		return -1, err
	}
	make := func() (int, error) { return openNetlink(protocol, time.Second) }
	fd := -1
	if own == ns {
		fd, err = make()
	} else {
		fd, err = inNamespace(t, pid, make)
	}
	if err != nil {
		return -1, err
	}
	t.Ledger.Note("open", fmt.Sprintf("netlink socket in the network namespace of process %d", pid), 0, 0)
	n.fds[channel{ns, protocol}] = fd
	return fd, nil
}

// inNamespace opens something in the network namespace of a process. The thread
// that goes there is used for nothing else, and comes back or ends.
func inNamespace(t *probe.Target, pid int, open func() (int, error)) (fd int, err error) {
	theirs, err := t.Open(t.Proc(pid, "ns/net"))
	if err != nil {
		return -1, fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
	}
	defer theirs.Close()
	ours, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return -1, fmt.Errorf("remember the own network namespace: %w", err)
	}
	defer ours.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			err = fmt.Errorf("enter the network namespace of process %d: %w", pid, err)
			return
		}
		fd, err = open()
		if unix.Setns(int(ours.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread() // else the thread ends with this goroutine
		}
	}()
	<-done
	return fd, err
}
