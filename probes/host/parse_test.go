package host

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseStat(t *testing.T) {
	got, err := ParseStat(fixture(t, "proc-pid-stat.txt"))
	want := Stat{State: "S", CPU: 8.49, Faults: 14, Threads: 102, Start: 395187, VM: 2992177152, RSSPages: 94822}
	if err != nil || got != want {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	boot := time.Unix(1_700_000_000, 0)
	if s := got.Started(boot); !s.Equal(boot.Add(3951870 * time.Millisecond)) {
		t.Errorf("started %v", s)
	}
	line := strings.Replace(string(fixture(t, "proc-pid-stat.txt")), "(java)", "(a) Z (b )", 1)
	if got, err := ParseStat([]byte(line)); err != nil || got != want {
		t.Errorf("a name with parentheses: %+v, error %v", got, err)
	}
	for text, field := range map[string]string{
		"": "parentheses", "1 (java) S 1 2": "field 14", "1 (java)": "field 14",
		strings.Replace(line, " 102 ", " many ", 1): "field 20",
	} {
		if _, err := ParseStat([]byte(text)); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%q: error %v, want one about %s", text, err, field)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add(fixture(f, "proc-pid-stat.txt"))
	f.Add([]byte("1 (x) R ) 18446744073709551615"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if s, err := ParseStat(line); err == nil && (s.State == "" || s.CPU < 0) {
			t.Fatalf("%+v", s)
		}
		parseBootTime(line)
	})
}

func TestParseMountInfo(t *testing.T) {
	mounts, err := ParseMountInfo(fixture(t, "proc-pid-mountinfo.txt"))
	if err != nil || len(mounts) < 15 {
		t.Fatalf("%d mounts, error %v", len(mounts), err)
	}
	for path, want := range map[string]MountEntry{
		"/var/lib/kafka": {"254:0", "/", "/", "rw,relatime", "ext4", "/dev/vda", "rw,discard,resv_strict,resuid=65534,resgid=65534"},
		"/run/netns/a":   {"254:0", "/run/netns", "/run/netns", "rw,relatime", "ext4", "/dev/vda", "rw,discard,resv_strict,resuid=65534,resgid=65534"},
		"/dev/shmfoo":    {"0:6", "/", "/dev", "rw,relatime", "devtmpfs", "devtmpfs", "rw,size=12334460k,nr_inodes=3083615,mode=755"},
		"/dev/shm":       {"0:27", "/", "/dev/shm", "rw,relatime", "tmpfs", "tmpfs", "rw,size=24684084k"}, // mounted twice, the later is seen
	} {
		if got, ok := mountOf(mounts, path); !ok || got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	// Lines of EVIDENCE: ext4 after an error, and a blank in a name.
	mounts, err = ParseMountInfo([]byte("44 27 7:0 / /data/disk\\0402 rw,noatime - ext4 /dev/loop0 rw,abort,errors=remount-ro,emergency_ro\n"))
	if err != nil || mounts[0].Point != "/data/disk 2" || mounts[0].SuperOptions != "rw,abort,errors=remount-ro,emergency_ro" {
		t.Errorf("%+v, error %v", mounts, err)
	}
	for text, want := range map[string]string{
		"22 27 0:21 / /proc rw\n": "line 1", "1 1 1:1 / / rw - ext4 /dev/a rw\nx - a b c\n": "line 2", "1 1 11 / / rw - a b c": "major:minor", "1 1 1:1 / / rw - a b": "3 fields",
	} {
		if _, err := ParseMountInfo([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func FuzzParseMountInfo(f *testing.F) {
	f.Add(fixture(f, "proc-pid-mountinfo.txt"), "/var/lib/kafka")
	f.Add([]byte("1 1 1:1 / \\1 rw - a b c\n"), "relative")
	f.Fuzz(func(t *testing.T, file []byte, path string) {
		mounts, _ := ParseMountInfo(file)
		mountOf(mounts, path)
	})
}

func TestParseConfig(t *testing.T) {
	text := `# a combined node
process.roles = broker, controller
node.id=3
listeners=PLAINTEXT://:9092,SSL://[::]:9093, CONTROLLER://127.0.0.1:9094,BAD://x:0
controller.listener.names=controller
controller.quorum.voters=3@a:9094, 4@b:9094
log.dirs = /data/disk1/ , data/disk\u0032
ssl.keystore.password=${file:/secret:${x}}
`
	got, err := ParseConfig([]byte(text), map[string]string{"node.id": "7"}, "/opt/kafka")
	want := Config{NodeID: 7, Roles: "broker,controller", Listeners: []string{"127.0.0.1:9092", "[::1]:9093"}, LogDirs: []string{"/data/disk1", "/opt/kafka/data/disk2"},
		Quorum: []string{"3@a:9094", "4@b:9094", "7@127.0.0.1:9094"}, OffsetsRetention: usualOffsetsRetention}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, error %v, want %+v", got, err, want)
	}
	for text, want := range map[string]Config{
		"":                                {NodeID: -1, Listeners: []string{"127.0.0.1:9092"}, LogDirs: []string{"/tmp/kafka-logs"}, OffsetsRetention: usualOffsetsRetention},
		"broker.id=4\nlog.dir=/d\nport=1": {NodeID: 4, Listeners: []string{"127.0.0.1:1"}, LogDirs: []string{"/d"}, OffsetsRetention: usualOffsetsRetention},
		"offsets.retention.minutes=20160": {NodeID: -1, Listeners: []string{"127.0.0.1:9092"}, LogDirs: []string{"/tmp/kafka-logs"}, OffsetsRetention: 14 * 24 * time.Hour},
		"offsets.retention.minutes=x":     {NodeID: -1, Listeners: []string{"127.0.0.1:9092"}, LogDirs: []string{"/tmp/kafka-logs"}},
		"node.id=${env:ID}\nprocess.roles=controller\nlisteners=C://h:1\ncontroller.listener.names=C": {NodeID: -1, Roles: "controller", LogDirs: []string{"/tmp/kafka-logs"}, Quorum: []string{"h:1"}},
	} {
		if got, err := ParseConfig([]byte(text), nil, ""); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, error %v, want %+v", text, got, err, want)
		}
	}
	if (Config{Roles: "controller"}).IsBroker() || !(Config{}).IsBroker() {
		t.Error("only a controller is no broker")
	}
	if _, err := ParseConfig([]byte("a=\\uXYZ1"), nil, ""); err == nil {
		t.Error("a broken escape passes")
	}
	if meta := parseMeta(fixture(t, "meta.properties")); meta.node < 1 || meta.cluster == "" {
		t.Errorf("meta.properties: %+v", meta)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("listeners=A://:9092\nlog.dirs=,,/a\nnode.id=-1"))
	f.Add([]byte("a\\\n=b\\u00e4${x${y}}\nlisteners=://,x"))
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ParseConfig(file, nil, "/")
		if err == nil && (c.NodeID < -1 || len(c.LogDirs) > len(file)+1) {
			t.Fatalf("%+v", c)
		}
		parseMeta(file)
	})
}

func TestParseCommand(t *testing.T) {
	line := func(words ...string) []byte { return []byte(strings.Join(words, "\x00") + "\x00") }
	c := ParseCommand(line("/usr/bin/java", "-Xmx1G", "-Dkafka.logs.dir=/opt/kafka/bin/../logs", "-Da", "-cp", "/opt/kafka/bin/../libs/kafka_2.13-4.3.1.jar:/opt/kafka/bin/../libs/x.jar",
		"-XX:+UseG1GC", "kafka.Kafka", "config/my server.properties", "--override", "node.id=9", "--override=broker.rack=a", "--override"))
	if !c.IsKafka() || c.Args[0] != "config/my server.properties" {
		t.Fatalf("%+v", c)
	}
	if got := c.overrides(); !reflect.DeepEqual(got, map[string]string{"node.id": "9", "broker.rack": "a"}) {
		t.Errorf("overrides %v", got)
	}
	if got := c.logsDir("/"); got != "/opt/kafka/bin/../logs" {
		t.Errorf("logs in %s", got)
	}
	delete(c.Defines, "kafka.logs.dir")
	if got := c.logsDir("/"); got != "/opt/kafka/logs" {
		t.Errorf("logs in %s by default", got)
	}
	for name, line := range map[string][]byte{
		"a tool":          line("java", "-cp", "x", "kafka.tools.StorageTool", "format"),
		"a jar":           line("java", "-jar", "kafka.Kafka", "x"),
		"an editor":       line("vi", "kafka.Kafka"),
		"no properties":   line("java", "kafka.Kafka"),
		"a kernel thread": nil,
		"a class path":    line("java", "-cp"),
	} {
		if ParseCommand(line).IsKafka() {
			t.Errorf("%s passes for a broker", name)
		}
	}
	c = parseJavaCommand("kafka.Kafka server.properties --override a=b", "-Xmx1G -Dkafka.logs.dir=/l", "")
	if !c.IsKafka() || c.Args[0] != "server.properties" || c.logsDir("") != "/l" {
		t.Errorf("%+v", c)
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte("java\x00-cp\x00a/libs/kafka.jar\x00kafka.Kafka\x00x\x00--override\x00=\x00"))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, c := range []Command{ParseCommand(line), parseJavaCommand(string(line), string(line), string(line))} {
			c.overrides()
			c.logsDir("/")
			if c.IsKafka() {
				c.likelyDirs()
			}
		}
	})
}
