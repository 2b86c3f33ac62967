package lab

import (
	"bytes"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
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

// start starts a command in a process group of its own that is killed when
// this process ends, however it ends.
func start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	result := make(chan error)
	spawner() <- func() { result <- cmd.Start() }
	return <-result
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
