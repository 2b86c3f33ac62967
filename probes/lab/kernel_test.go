package lab

import (
	"strings"
	"testing"
)

// As this kernel writes them: the ext4 file system of a lab after it was given
// up, below an older mount on the same directory.
const mountinfoText = `31 1 254:0 / / rw,relatime - ext4 /dev/root rw
44 31 0:44 / /tmp/lab1/b3/data rw,relatime - tmpfs ktriage-lab rw,size=49152k
45 44 7:0 / /tmp/lab1/b3/data rw,relatime shared:1 - ext4 /dev/loop0 rw,abort,emergency_ro
`

func TestParseSuperOptions(t *testing.T) {
	got, found := parseSuperOptions(mountinfoText, "/tmp/lab1/b3/data")
	if !found || got != "rw,abort,emergency_ro" {
		t.Errorf("%q, %v", got, found)
	}
	if got, found := parseSuperOptions(mountinfoText, "/tmp/lab1/b3"); found {
		t.Errorf("a directory on which nothing is mounted has %q", got)
	}
}

const loopStat = "      58        0     1738        3      141       12     2240     4371        1     4050     4374        0        0        0        0        9        0\n"

func TestParseDiskstat(t *testing.T) {
	got, err := parseDiskstat(loopStat)
	if want := (diskstat{writes: 141, waited: 4371, busy: 4050}); err != nil || got != want {
		t.Errorf("%+v, error %v", got, err)
	}
	for _, wrong := range []string{"", "1 2 3", strings.Replace(loopStat, "4371", "many", 1)} {
		if _, err := parseDiskstat(wrong); err == nil {
			t.Errorf("no error for %q", wrong)
		}
	}
}

const tcText = `qdisc noqueue 0: root refcnt 2
 Sent 0 bytes 0 pkt (dropped 3, overlimits 0 requeues 0)
 backlog 0b 0p requeues 0
qdisc clsact ffff: parent ffff:fff1
 Sent 16800 bytes 200 pkt (dropped 101, overlimits 0 requeues 0)
 backlog 0b 0p requeues 0
`

func TestParseDropped(t *testing.T) {
	if got, err := parseDropped(tcText, "clsact"); err != nil || got != 101 {
		t.Errorf("%d, error %v", got, err)
	}
	if got, err := parseDropped(tcText, "tbf"); err == nil {
		t.Errorf("a qdisc that is not there has dropped %d", got)
	}
}

const netstatText = `TcpExt: SyncookiesSent TCPTimeouts TCPDSACKRecv
TcpExt: 0 15 8
IpExt: InNoRoutes TCPDSACKRecv
IpExt: 4 9
`

func TestParseCounter(t *testing.T) {
	if got, err := parseCounter(netstatText, "TcpExt", "TCPDSACKRecv"); err != nil || got != 8 {
		t.Errorf("%d, error %v", got, err)
	}
	if got, err := parseCounter(netstatText, "TcpExt", "InNoRoutes"); err == nil {
		t.Errorf("a counter of another group is %d", got)
	}
}

func TestLossFilter(t *testing.T) {
	want := "4,32 0 0 4294963256,37 1 0 2147483648,6 0 0 2,6 0 0 4294967295"
	if got := lossFilter(0.5); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What the kernel and its tools print is read without a panic, whatever it is.
func FuzzKernelText(f *testing.F) {
	for _, text := range []string{mountinfoText, loopStat, tcText, netstatText} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parseSuperOptions(text, "/tmp/lab1/b3/data")
		parseDiskstat(text)
		parseCounter(text, "TcpExt", "TCPDSACKRecv")
		if n, err := parseDropped(text, "clsact"); err == nil && !strings.Contains(text, "(dropped ") {
			t.Errorf("%d packets dropped, without a count in %q", n, text)
		}
	})
}
