package tui

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// terminal is the console as a whole program on a pseudo-terminal. An emulator
// reads what it writes; nobody answers what it may ask.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	pty    *os.File
	begun  time.Time
	ended  chan error
	mu     sync.Mutex
	screen vt10x.Terminal
	raw    bytes.Buffer
}

func start(t *testing.T, mode string, cols, rows int, env ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append([]string{"KTRIAGE_TEST_CONSOLE=" + mode, "KTRIAGE_TEST_PAUSE=1ms", "TERM=xterm-256color", "LANG=C.UTF-8",
		"HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, env...)
	term := &terminal{t: t, cmd: cmd, begun: time.Now(), ended: make(chan error, 1), screen: vt10x.New(vt10x.WithSize(cols, rows), vt10x.WithWriter(io.Discard))}
	if term.pty, err = pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		t.Fatal(err)
	}
	go term.read()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		term.pty.Close()
	})
	return term
}

func (term *terminal) read() {
	buf := make([]byte, 32<<10)
	for {
		n, err := term.pty.Read(buf)
		term.mu.Lock()
		term.raw.Write(buf[:n])
		_, _ = term.screen.Write(buf[:n])
		term.mu.Unlock()
		if err != nil {
			term.ended <- term.cmd.Wait()
			return
		}
	}
}

// sees waits until a text stands on the screen.
func (term *terminal) sees(text string) {
	term.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if strings.Contains(term.text(), text) {
			return
		}
	}
	term.t.Fatalf("%q never came to stand on the screen:\n%s", text, term.text())
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

func (term *terminal) written() []byte {
	term.mu.Lock()
	defer term.mu.Unlock()
	return bytes.Clone(term.raw.Bytes())
}

func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := term.pty.Write([]byte(keys)); err != nil {
		term.t.Fatal(err)
	}
}

// ends waits for the program's end.
func (term *terminal) ends() error {
	term.t.Helper()
	select {
	case err := <-term.ended:
		return err
	case <-time.After(5 * time.Second):
		term.t.Fatalf("the console did not end:\n%s", term.text())
		return nil
	}
}

// TestFirstFrame starts the console on a terminal that never answers. The first
// frame must come at once, and the terminal must not even be asked.
func TestFirstFrame(t *testing.T) {
	best := time.Hour
	for try := 0; try < 5 && best > 200*time.Millisecond; try++ { // the machine may be busy
		term := start(t, "live", 80, 24)
		term.sees("AVAILABILITY")
		best = min(best, time.Since(term.begun))
		for _, asked := range []string{"\x1b]10;?", "\x1b]11;?", "\x1b[6n", "\x1b[c"} {
			if bytes.Contains(term.written(), []byte(asked)) {
				t.Errorf("the terminal was asked %q", asked)
			}
		}
	}
	t.Logf("first frame with a verdict after %s", best)
	if best > 200*time.Millisecond {
		t.Errorf("first frame after %s, more than 200 ms", best)
	}
}

// TestEarlyExit is what --version does: end before anything is drawn. Neither
// may that wait for the terminal.
func TestEarlyExit(t *testing.T) {
	best := time.Hour
	for try := 0; try < 5 && best > 100*time.Millisecond; try++ {
		term := start(t, "exit", 80, 24)
		if err := term.ends(); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(term.begun))
		if got := strings.TrimSpace(string(term.written())); got != "exit" {
			t.Fatalf("wrote %q", got)
		}
	}
	if best > 100*time.Millisecond {
		t.Errorf("took %s", best)
	}
}

// TestProgram walks through the screens of a replay, resizes, and quits.
func TestProgram(t *testing.T) {
	t.Parallel()
	term := start(t, "replay", 80, 24)
	term.sees("end of the recording")
	term.press("[")
	term.sees("paused at 21 of 22")
	term.press("[[[[[[[[[")
	term.sees("paused at 12 of 22")
	term.press("v")
	term.sees("why not something else")
	term.press("\r")
	term.sees("evidence, heaviest first")
	term.press("\x1b")
	term.sees("VERDICT")
	term.press("p")
	term.sees("step 1 of")
	term.press("4")
	term.sees("no fix is marked yet")
	term.press("]]]")
	term.sees("NOT SAFE")
	term.press("?")
	term.sees("KEYS  on Verify")
	term.press("8")
	term.sees("HOST  b3")
	term.press(":log-d\r")
	term.sees("LOG DIRS  1 log dir")
	term.press("/inodes\r")
	term.sees("1 of 3, filter inodes")
	term.press("\r")
	term.sees("inodes used: host.dir.inodes.used, divided by")
	term.press("1")
	term.sees("symptoms")
	for _, size := range [][2]int{{40, 10}, {200, 60}, {1, 1}, {60, 16}, {120, 40}} {
		term.mu.Lock()
		term.screen.Resize(size[0], size[1])
		term.mu.Unlock()
		if err := pty.Setsize(term.pty, &pty.Winsize{Cols: uint16(size[0]), Rows: uint16(size[1])}); err != nil {
			t.Fatal(err)
		}
		if size[0] == 40 {
			term.sees("--plain")
		}
	}
	term.sees("AVAILABILITY")
	term.press("q")
	if err := term.ends(); err != nil {
		t.Fatal(err)
	}
	term.restored()
}

// restored holds the program to leaving the terminal as it was.
func (term *terminal) restored() {
	term.t.Helper()
	out := term.written()
	for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}} {
		on, off := bytes.LastIndex(out, []byte(pair[0])), bytes.LastIndex(out, []byte(pair[1]))
		if on < 0 || off < on {
			term.t.Errorf("%q is not undone by %q", pair[0], pair[1])
		}
	}
}

// TestHangUp ends the console as a closed connection does, and as kill does.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{hangUp, terminate} {
		term := start(t, "live", 80, 24)
		term.sees("AVAILABILITY")
		if err := term.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := term.ends(); err != nil {
			t.Errorf("after %s: %v\n%s", signal, err, term.written())
		}
		term.restored()
	}
}

// TestCopyOnTerminal copies a command: to the terminal, and into a file.
func TestCopyOnTerminal(t *testing.T) {
	t.Parallel()
	term := start(t, "live", 100, 24)
	term.sees("AVAILABILITY")
	term.press("y")
	term.sees("saved to")
	if !bytes.Contains(term.written(), []byte("\x1b]52;c;")) {
		t.Error("no OSC 52 was sent")
	}
}

// TestIdle counts what is written while nothing happens, on the first screen and
// on the one with most numbers.
func TestIdle(t *testing.T) {
	t.Parallel()
	for name, press := range map[string]string{"Flow": "1", "Host": "8"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := start(t, "live", 80, 24)
			term.sees("AVAILABILITY")
			term.press(press)
			time.Sleep(300 * time.Millisecond)
			before := len(term.written())
			const watch = 5200 * time.Millisecond // ages are drawn anew every five seconds
			time.Sleep(watch)
			perMinute := (len(term.written()) - before) * int(time.Minute) / int(watch)
			t.Logf("%d bytes a minute", perMinute)
			if perMinute == 0 || perMinute > 64<<10 {
				t.Errorf("%d bytes a minute, expected a running clock and at most 64 kB", perMinute)
			}
		})
	}
}

// TestNoColor is NO_COLOR on a whole program: not one colour is set.
func TestNoColor(t *testing.T) {
	t.Parallel()
	term := start(t, "live", 80, 24, "NO_COLOR=1")
	term.sees("AVAILABILITY")
	if out := term.written(); bytes.Contains(out, []byte("\x1b[1m")) || bytes.Contains(out, []byte("\x1b[31m")) || bytes.Contains(out, []byte("\x1b[1;31m")) {
		t.Error("colours in spite of NO_COLOR")
	}
	plainLocale := start(t, "live", 80, 24, "LANG=C")
	plainLocale.sees("+- AVAILABILITY ---")
}
