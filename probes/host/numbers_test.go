package host

import (
	"math"
	"os"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

func TestParseNumbers(t *testing.T) {
	got, err := ParseNumbers("status", fixture(t, "proc-pid-status.txt"), []figure{{name: "VmSwap"}, {name: "VmSize"}, {name: "Threads"}, {name: "State2"}})
	if err != nil || len(got) != 3 || got["VmSwap"] != 0 || got["VmSize"] != 2922048*1024 || got["Threads"] != 102 {
		t.Errorf("%v, error %v", got, err)
	}
	got, err = ParseNumbers("io", fixture(t, "proc-pid-io.txt"), processIO)
	if err != nil || got["rchar"] != 18734294 || got["wchar"] != 210328 || got["read_bytes"] != 28672 || got["write_bytes"] != 1105920 {
		t.Errorf("%v, error %v", got, err)
	}
	// A file of cgroup v1, as a broker with a quota of 8 % had it.
	got, err = ParseNumbers("cpu.stat", []byte("nr_periods 132\nnr_throttled 131\nthrottled_time 20313745221\n"), []figure{{name: "nr_periods"}, {name: "throttled_time"}})
	if err != nil || got["nr_periods"] != 132 || got["throttled_time"] != 20313745221 {
		t.Errorf("%v, error %v", got, err)
	}
	if _, err := ParseNumbers("io", []byte("a: 1\nrchar: many\n"), processIO); err == nil || err.Error() != `io, line 2: rchar: expected a number: "many"` {
		t.Error(err)
	}
	if _, err := ParseNumbers("io", []byte("rchar:"), processIO); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Error(err)
	}
}

func TestParsePairs(t *testing.T) {
	got, err := ParsePairs("netstat", fixture(t, "proc-pid-net-netstat.txt"))
	if err != nil || got["TcpExt TCPTimeouts"] != 64 || got["TcpExt TCPDSACKRecv"] != 30825 || got["TcpExt ListenOverflows"] != 0 || got["IpExt InOctets"] != 2683067203 {
		t.Errorf("timeouts %v, DSACKs %v, error %v", got["TcpExt TCPTimeouts"], got["TcpExt TCPDSACKRecv"], err)
	}
	if got, err = ParsePairs("snmp", fixture(t, "proc-pid-net-snmp.txt")); err != nil || got["Tcp RetransSegs"] == 0 || got["Tcp MaxConn"] != -1 {
		t.Errorf("%v, error %v", got, err)
	}
	for text, want := range map[string]string{"Tcp: A B\nTcp: 1\n": "line 2: expected 2 numbers", "Tcp: A\nUdp: 1\n": "line 2", "a: b\na: c\n": `line 2: b: expected a number: "c"`} {
		if _, err := ParsePairs("snmp", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestSmallKernelFiles(t *testing.T) {
	if got, err := ParseLoad([]byte("0.23 0.94 1.79 2/94 30079\n")); err != nil || got["1m"] != 0.23 || got["15m"] != 1.79 {
		t.Errorf("load %v, error %v", got, err)
	}
	if got, err := ParseSchedstat([]byte("version 17\ntimestamp 1\ncpu0 0 0 0 0 0 0 9 1500000000 3\ndomain0 MC 3\ncpu1 0 0 0 0 0 0 9 500000000 3\n")); err != nil || got != 2 {
		t.Errorf("run queue %v, error %v", got, err)
	}
	if waited, ran, err := ParseTaskSchedstat(fixture(t, "proc-pid-schedstat.txt")); err != nil || math.Abs(waited-331942e-9) > 1e-12 || math.Abs(ran-4793210e-9) > 1e-12 {
		t.Errorf("a thread waited %v and ran %v, error %v", waited, ran, err)
	}
	if got, err := ParsePressure("io", fixture(t, "proc-pressure-io.txt")); err != nil || got["some"] != 153214237 || got["full"] != 10594477 {
		t.Errorf("pressure %v, error %v", got, err)
	}
	if got, err := ParseLimits(fixture(t, "proc-pid-limits.txt")); err != nil || got["Max open files"] != 20000 || got["Max processes"] != 96365 || got["Max address space"] != 0 || len(got) != 3 {
		t.Errorf("limits %v, error %v", got, err)
	}
	for what, err := range map[string]error{
		"three numbers": second(ParseLoad([]byte("1 2"))), "field 2": second(ParseLoad([]byte("1 NaN 2"))),
		"line 1": second(ParseSchedstat([]byte("cpu0 1 2"))), "no line": second(ParseSchedstat(nil)),
		"line 2: expected total": second(ParsePressure("cpu", []byte("some total=1\nfull total=x\n"))), "no line \"some\"": second(ParsePressure("cpu", nil)),
		"soft and a hard": second(ParseLimits([]byte("Max open files  \n"))), "number or unlimited": second(ParseLimits([]byte("Max open files  a b\n"))),
		"expected three": third(ParseTaskSchedstat([]byte("1 2"))),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("error %v, want one with %s", err, what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[T any](_, _ T, err error) error { return err }

func TestParseNetDev(t *testing.T) {
	head := "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	all, err := ParseNetDev([]byte(head + "  eth0: 29388423   24331    1    2    0     0          0         0  1862310   10133    3    4    0     0       0          0\n    lo:0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"))
	if err != nil || len(all) != 2 || all[0].Name != "eth0" || all[1].Name != "lo" {
		t.Fatalf("%+v, error %v", all, err)
	}
	for what, want := range map[string]float64{"rx bytes": 29388423, "rx packets": 24331, "rx errs": 1, "rx drop": 2, "tx bytes": 1862310, "tx packets": 10133, "tx errs": 3, "tx drop": 4} {
		if got := all[0].numbers[what]; got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for line, want := range map[string]string{"eth0: 1 2\n": "line 3: expected a name and 16 numbers", "eth0: x 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n": "line 3: rx bytes: expected a number"} {
		if _, err := ParseNetDev([]byte(head + line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", line, err)
		}
	}
}

// What the parsers make of this machine's own files.
func TestOwnKernelFiles(t *testing.T) {
	for name, parse := range map[string]func([]byte) (map[string]float64, error){
		"/proc/meminfo": func(b []byte) (map[string]float64, error) { return ParseNumbers("meminfo", b, meminfo) },
		"/proc/stat":    func(b []byte) (map[string]float64, error) { return ParseNumbers("stat", b, activity) },
		"/proc/loadavg": ParseLoad, "/proc/self/limits": ParseLimits,
		"/proc/net/snmp":    func(b []byte) (map[string]float64, error) { return ParsePairs("snmp", b) },
		"/proc/net/netstat": func(b []byte) (map[string]float64, error) { return ParsePairs("netstat", b) },
	} {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parse(file); err != nil || len(got) < 3 {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
}

func FuzzKernelFiles(f *testing.F) {
	for _, name := range []string{"proc-pid-status.txt", "proc-pid-io.txt", "proc-pid-net-netstat.txt", "proc-pid-net-snmp.txt", "proc-pid-limits.txt", "proc-pid-schedstat.txt", "proc-pressure-io.txt", "proc-pid-cgroup.txt"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte("cpu0 0 0 0 0 0 0 9 1500000000 3\nfrozen 1\n8:16 rbps=2097152 wbps=max"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, parse := range []func() (map[string]float64, error){
			func() (map[string]float64, error) { return ParseNumbers("f", file, processIO, meminfo, processStatus) },
			func() (map[string]float64, error) { return ParsePressure("f", file) },
			func() (map[string]float64, error) { return ParseLimits(file) },
			func() (map[string]float64, error) { return ParseLoad(file) },
		} {
			numbers, err := parse()
			for name, v := range numbers {
				if err == nil && (v < 0 || math.IsNaN(v) || math.IsInf(v, 0)) {
					t.Fatalf("%s: %v", name, v)
				}
			}
		}
		ParsePairs("f", file)
		ParseSchedstat(file)
		ParseTaskSchedstat(file)
		ParseCPUMax("f", file)
		ParseLimit("f", file)
		ParseFrozen("f", file)
		ParseIOLimits("f", "rbps", file, map[string]*fact.IOLimit{})
		if in, err := ParseCgroup(file); err == nil {
			if c, err := locate("memory", in, []MountEntry{{Root: "/a", Point: "/m", Type: "cgroup", SuperOptions: "rw,memory"}, {Root: "/", Point: "/u", Type: "cgroup2"}}); err == nil {
				for _, dir := range c.chain() {
					if !strings.HasPrefix(dir, "/m") && !strings.HasPrefix(dir, "/u") {
						t.Fatalf("%s is outside the hierarchy", dir)
					}
				}
			}
		}
	})
}
