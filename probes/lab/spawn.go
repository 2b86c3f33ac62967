package lab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts children on one thread that never ends. The kernel sends the
// parent-death signal when the *thread* that forked ends, and Go ends threads
// as it likes: children must all come from one that stays.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// onSpawner runs f on the spawner's thread and waits for it.
func onSpawner(f func()) {
	done := make(chan struct{})
	spawner() <- func() { f(); close(done) }
	<-done
}

// start starts a command in a process group of its own that is killed when
// this process ends, however it ends.
func start(cmd *exec.Cmd) error { return startIn(nil, cmd) }

// startIn is start in a network namespace; nil: in that of this process.
func startIn(namespace *os.File, cmd *exec.Cmd) (err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	onSpawner(func() {
		if namespace == nil {
			err = cmd.Start()
			return
		}
		err = away(func() error {
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter a network namespace: %w", err)
			}
			return cmd.Start()
		})
	})
	return err
}

// away runs f, which takes the spawner's thread to another network namespace,
// and brings the thread back.
func away(f func() error) error {
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(fmt.Sprintf("lab: no way back from a network namespace: %v", back)) // all later children would be lost in it
	}
	return err
}

// run is start, then wait; it returns what the command printed.
func run(cmd *exec.Cmd) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := start(cmd); err != nil {
		return "", err
	}
	err := cmd.Wait()
	return out.String(), err
}
