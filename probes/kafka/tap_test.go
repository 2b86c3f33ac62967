package kafka_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// tap records every frame between a client and some brokers: a proxy in front of
// each, which reads the stream with code of its own.
type tap struct {
	mu     sync.Mutex
	frames []*frame
	broken []string // what was no frame
}

// frame is one request that reached a broker.
type frame struct {
	broker  int32
	request []byte // without its size
	answer  int    // bytes, its size included; 0: none came
}

func (f *frame) key() int16     { return int16(binary.BigEndian.Uint16(f.request)) }
func (f *frame) version() int16 { return int16(binary.BigEndian.Uint16(f.request[2:])) }
func (f *frame) String() string {
	return fmt.Sprintf("%s version %d to broker %d", kmsg.NameForKey(f.key()), f.version(), f.broker)
}

// body is the request as the library reads it.
func (f *frame) body(t *testing.T) kmsg.Request {
	t.Helper()
	r := kmsg.RequestForKey(f.key())
	r.SetVersion(f.version())
	at := 10 + max(0, int(int16(binary.BigEndian.Uint16(f.request[8:]))))
	if r.IsFlexible() {
		at++ // no tags
	}
	if err := r.ReadFrom(f.request[at:]); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return r
}

// before serves a proxy in front of a broker, whose address is asked for at each
// connection.
func (tp *tap) before(t *testing.T, broker int32, to func() string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go tp.serve(c, broker, to())
		}
	}()
	return l.Addr().String()
}

func (tp *tap) serve(client net.Conn, broker int32, to string) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	asked := make(chan *frame, 1000)
	go func() { // what comes back, in the order of the questions
		defer client.Close()
		for f := range asked {
			b, err := relay(server, client)
			tp.mu.Lock()
			f.answer = len(b)
			tp.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	defer close(asked)
	for {
		b, err := relay(client, nil)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				tp.mu.Lock()
				tp.broken = append(tp.broken, fmt.Sprintf("to broker %d: %v", broker, err))
				tp.mu.Unlock()
			}
			return
		}
		f := &frame{broker: broker, request: b[4:]}
		tp.mu.Lock()
		tp.frames = append(tp.frames, f)
		tp.mu.Unlock()
		asked <- f
		if _, err := server.Write(b); err != nil {
			return
		}
	}
}

// relay reads one frame, its size included, and passes it on.
func relay(from io.Reader, to io.Writer) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > 64<<20 {
		return nil, fmt.Errorf("a frame of %d bytes", n)
	}
	b := make([]byte, 4+n)
	copy(b, size[:])
	_, err := io.ReadFull(from, b[4:])
	if err == nil && to != nil {
		_, err = to.Write(b)
	}
	return b, err
}

// take is what was recorded since the last time.
func (tp *tap) take() ([]*frame, []string) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	frames, broken := tp.frames, tp.broken
	tp.frames, tp.broken = nil, nil
	return frames, broken
}

// build makes the program that operators run.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ktriage")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/ktriage/ktriage/cmd/ktriage").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// start is the program with nothing of this environment that it would listen to,
// looking only where it is told: brokers of others may run on this host.
func start(t *testing.T, program, bootstrap string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, append(args, "--only", "kafka", "--bootstrap-server", bootstrap)...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "TERM=xterm-256color", "LANG=C.UTF-8"}
	return cmd
}

// useAll checks, records and opens the console, all at once.
func useAll(t *testing.T, program, bootstrap string) {
	t.Helper()
	var all sync.WaitGroup
	defer all.Wait()
	check := start(t, program, bootstrap, "check", "--every", "1s")
	record := start(t, program, bootstrap, "record", "--for", "4s", "a.ktr")
	for _, cmd := range []*exec.Cmd{check, record} {
		all.Go(func() {
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1 && exit.ExitCode() != 3) { // something was found, or not all was seen
				t.Errorf("%v: %v: %s", cmd.Args, err, out)
			}
		})
	}
	console := start(t, program, bootstrap)
	screen, err := pty.StartWithSize(console, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	shown := make(chan int64)
	go func() {
		n, _ := io.Copy(io.Discard, screen)
		shown <- n
	}()
	time.Sleep(4 * time.Second)
	screen.WriteString("q")
	if err := console.Wait(); err != nil {
		t.Errorf("the console: %v", err)
	}
	if n := <-shown; n < 1000 {
		t.Errorf("the console showed %d bytes", n)
	}
}

// onlyReads fails for every frame that could change anything. The table is that
// of the specification, by number, and not the guard's own.
func onlyReads(t *testing.T, frames []*frame, topics ...string) map[int16]int {
	t.Helper()
	reads := map[int16]bool{}
	for _, key := range []int16{1, 2, 3, 9, 10, 15, 16, 17, 18, 23, 29, 32, 35, 36, 46, 48, 50, 55, 60, 61, 65, 66, 69, 74, 75, 77, 89, 90} {
		reads[key] = true
	}
	sent := map[int16]int{}
	for _, f := range frames {
		sent[f.key()]++
		if !reads[f.key()] {
			t.Errorf("%s", f)
			continue
		}
		switch r := f.body(t).(type) {
		case *kmsg.MetadataRequest:
			if r.Version < 4 || r.AllowAutoTopicCreation {
				t.Errorf("%s would create topics", f)
			}
		case *kmsg.FindCoordinatorRequest:
			internal := map[int8]string{0: "__consumer_offsets", 1: "__transaction_state", 2: "__share_group_state"}[r.CoordinatorType]
			if !strings.Contains(" "+strings.Join(topics, " ")+" ", " "+internal+" ") {
				t.Errorf("%s while there is no topic %s", f, internal)
			}
		case *kmsg.ListOffsetsRequest:
			if r.ReplicaID != -1 && r.ReplicaID != -2 { // a consumer, or who debugs: brokers keep nothing of either
				t.Errorf("%s as replica %d", f, r.ReplicaID)
			}
		case *kmsg.OffsetForLeaderEpochRequest:
			if r.ReplicaID != -1 {
				t.Errorf("%s as replica %d", f, r.ReplicaID)
			}
		case *kmsg.FetchRequest:
			if r.ReplicaID != -1 || r.MaxBytes > 256<<10 || r.MaxWaitMillis != 0 || r.SessionID != 0 || r.SessionEpoch != -1 || r.IsolationLevel != 0 {
				t.Errorf("%s: %+v", f, r)
			}
		}
	}
	return sent
}

// sent is one line of the audit: how often, and how many bytes.
type sent struct {
	count int
	bytes int64
}

// audited is what `ktriage audit` says that it sent, by request and broker.
func audited(t *testing.T, cmd *exec.Cmd, brokers map[string]int32) map[string]sent {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("audit: %v", err)
	}
	var said struct {
		Acts []struct {
			Act, Object string
			Count       int
			Bytes       int64
			Seconds     float64 `json:"duration_seconds"`
		}
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := map[string]sent{}
	for _, a := range said.Acts {
		if a.Act != "request" {
			continue
		}
		name, broker, ok := strings.Cut(a.Object, " to broker ")
		if !ok { // to a controller
			all[a.Object] = sent{a.Count, a.Bytes}
			continue
		}
		if id, ok := brokers[broker]; ok { // asked before it was known which one it is
			broker = fmt.Sprint(id)
		}
		if a.Seconds <= 0 {
			t.Errorf("%s took %g s", a.Object, a.Seconds)
		}
		key := name + " to broker " + broker
		all[key] = sent{all[key].count + a.Count, all[key].bytes + a.Bytes}
	}
	return all
}

// agree compares what an audit says with what the proxies counted.
func agree(t *testing.T, said map[string]sent, frames []*frame) {
	t.Helper()
	counted := map[string]sent{}
	for _, f := range frames {
		key := fmt.Sprintf("%s to broker %d", kmsg.NameForKey(f.key()), f.broker)
		counted[key] = sent{counted[key].count + 1, counted[key].bytes + int64(4+len(f.request)+f.answer)}
	}
	for key, c := range counted {
		if said[key] != c {
			t.Errorf("%s: the proxy counted %+v, the audit says %+v", key, c, said[key])
		}
	}
	for key, s := range said {
		if _, ok := counted[key]; !ok {
			t.Errorf("%s: the audit says %+v, the proxy saw none", key, s)
		}
	}
	if len(counted) < 5 {
		t.Errorf("only %d kinds of requests: %v", len(counted), counted)
	}
}
