package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// The test's own program, started again, plays a process of another namespace or
// another user.
const childVar = "KTRIAGE_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "":
		os.Exit(m.Run())
	case "listen":
		listenAndWait()
	case "serve":
		serve()
	case "observe":
		observeAsChild()
	}
}

// listenAndWait listens in a network namespace of its own, connects to itself three
// times, says so, and waits until its input ends.
func listenAndWait() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	check(err)
	lo, err := unix.NewIfreq("lo")
	check(err)
	lo.SetUint16(unix.IFF_UP)
	check(unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
	l, err := net.Listen("tcp", "127.0.0.1:9092")
	check(err)
	for range 3 {
		_, err := net.Dial("tcp", l.Addr().String())
		check(err)
	}
	fmt.Println(l.Addr())
	io.Copy(io.Discard, os.Stdin)
}

// serve accepts connections until its input ends.
func serve() {
	check(moreFiles(12000))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := l.Accept()
			check(err)
			accepted = append(accepted, c)
		}
	}()
	fmt.Println(l.Addr())
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

var accepted []net.Conn // kept, so that they stay open

// observeAsChild runs the probes on a process, all but discovery or all after it,
// and writes what they saw. Like the scheduler it says of a probe that failed that
// each of its keys is unknown.
func observeAsChild() {
	pid, err := strconv.Atoi(os.Getenv("KTRIAGE_TEST_PID"))
	check(err)
	target := &probe.Target{PID: pid}
	defer target.Close()
	probes := Probes
	if os.Getenv("KTRIAGE_TEST_DISCOVER") == "" {
		probes = Probes[1:]
		target.SetBrokers([]fact.LocalBroker{{NodeID: 1, PID: pid, Running: true, Listeners: []string{"127.0.0.1:9092"}, LogDirs: []string{"/tmp"}}})
	}
	out := json.NewEncoder(os.Stdout)
	for _, p := range probes {
		seen, err := p.Observe(context.Background(), target)
		if err != nil && len(seen) == 0 {
			seen = Nowhere(p.Yields, probe.Because(err))
		}
		for _, o := range seen {
			check(out.Encode(o))
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child starts the test's program in a role and waits until it listens, and says
// where.
func child(t testing.TB, role string, how *syscall.SysProcAttr) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+role)
	cmd.SysProcAttr, cmd.Stderr = how, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test makes namespaces and must run as root: %v", err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child said %q, error %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

// asNobody runs every probe on a process as a user without any rights.
func asNobody(t *testing.T, pid int, more ...string) map[string]fact.Observation {
	t.Helper()
	dir, err := os.MkdirTemp("", "ktriage-test") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "test")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, file)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), more...), childVar+"=observe", "KTRIAGE_TEST_PID="+strconv.Itoa(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("observe as nobody: %v", err)
	}
	by := map[string]fact.Observation{}
	for line := range bytes.Lines(out) {
		var o fact.Observation
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatal(err)
		}
		by[o.Key.Name+" on "+o.Subject.String()] = o
	}
	return by
}
