package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// configurations is the same two files in the dialects of log4j.
var configurations = map[string]string{
	"log4j 1 properties": `log4j.rootLogger=INFO, stdout, kafkaAppender
# log4j.appender.old.File=/old/server.log
log4j.appender.kafkaAppender=org.apache.log4j.DailyRollingFileAppender
log4j.appender.kafkaAppender.File=${kafka.logs.dir}/broker-server.log
log4j.appender.authorizerAppender.File=/audit/kafka-authorizer.log
`,
	"log4j 2 properties": `appender.server.fileName=${sys:kafka.logs.dir}/broker-server.log
appender.server.filePattern=${sys:kafka.logs.dir}/broker-server.log.%d{yyyy-MM-dd-HH}
appender.authorizer.fileName = /audit/kafka-authorizer.log
`,
	"log4j 2 YAML": `      - name: KafkaAppender
        fileName: "${sys:kafka.logs.dir}/broker-server.log"
        filePattern: "${sys:kafka.logs.dir}/broker-server.log.%d{yyyy-MM-dd-HH}"
      - name: AuthorizerAppender
        fileName: "${sys:audit:-/audit}/kafka-authorizer.log"
`,
	"log4j 2 XML": `<RollingFile name="a" fileName="${sys:kafka.logs.dir}/broker-server.log" filePattern="x-%i.log">
<RollingFile name="b"
   fileName='/audit/kafka-authorizer.log'/>
`,
	"log4j 2 JSON": `{"name":"a", "fileName": "${sys:kafka.logs.dir}/broker-server.log", "filePattern": "y"},
{"fileName": "/audit/kafka-authorizer.log"}
`,
}

func TestAppenders(t *testing.T) {
	for name, text := range configurations {
		all := appenders(text+"x.fileName=${env:NOBODY_KNOWS}/server.log\n", map[string]string{"kafka.logs.dir": "/var/log/kafka"})
		if got := fmt.Sprint(all); got != "[/var/log/kafka/broker-server.log /audit/kafka-authorizer.log]" {
			t.Errorf("%s: %s", name, got)
		}
		if got := choose("server.log", all) + choose("kafka-authorizer.log", all) + choose("state-change.log", all); got != "/var/log/kafka/broker-server.log/audit/kafka-authorizer.log" {
			t.Errorf("%s: chosen %s", name, got)
		}
	}
	if choose("server.log", []string{"/x/kafka.log"}) != "/x/kafka.log" || choose("controller.log", []string{"/x/kafka.log"}) != "" {
		t.Error("the only file is the server's")
	}
}

func TestConfigPath(t *testing.T) {
	for setting, want := range map[string]string{
		"file:/etc/kafka/log4j.properties": "/etc/kafka/log4j.properties", "file:config/log4j2.yaml": "/opt/config/log4j2.yaml", "/etc/x.xml,/etc/y.xml": "/etc/x.xml",
		"config/x.yaml": "/opt/config/x.yaml", "http://host/x": "", "classpath:x.yaml": "", "": "",
	} {
		if got := configPath(setting, "/opt"); got != want {
			t.Errorf("%s: %q, want %q", setting, got, want)
		}
	}
}

// process makes the parts of /proc that tell of a broker's logging.
func (p *place) process(pid int, stdout string, words ...string) {
	p.t.Helper()
	p.target.Root = p.dir
	dir := filepath.Join(p.dir, "proc", fmt.Sprint(pid))
	if err := os.MkdirAll(filepath.Join(dir, "fd"), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Symlink(stdout, filepath.Join(dir, "fd", "1")); err != nil {
		p.t.Fatal(err)
	}
	line := strings.Join(append(append([]string{"java"}, words...), "kafka.Kafka", "server.properties"), "\x00")
	if err := os.WriteFile(filepath.Join(dir, "cmdline"), []byte(line), 0o644); err != nil {
		p.t.Fatal(err)
	}
	brokers := p.target.Brokers()
	brokers[0].PID = pid
	p.target.SetBrokers(brokers)
}

// TestLogsElsewhere: what log4j was told, then where standard output goes, then a
// reason that says who reads it.
func TestLogsElsewhere(t *testing.T) {
	p := newPlace(t, 1)
	config := filepath.Join(p.dir, "log4j2.properties")
	if err := os.WriteFile(config, []byte("appender.a.fileName="+p.dir+"/b1/my-server-log.txt\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.write("b1/my-server-log.txt", begins, term)
	p.process(4711, "pipe:[1]", "-Dlog4j2.configurationFile=file:"+config)
	seen, _ := p.lookErr()
	if l, ok := seen["log.sigterm on broker 1"].Value.(fact.LogLines); !ok || l.Count != 1 {
		t.Errorf("by configuration: %+v", seen["log.sigterm on broker 1"])
	}
	if o := seen["log.denied on broker 1"]; o.Because == nil || o.Because.Reason != fact.Unreadable {
		t.Errorf("a log that goes nowhere: %+v", o)
	}

	p = newPlace(t, 1)
	p.write("b1/console.txt", begins, term)
	p.process(4712, filepath.Join(p.dir, "b1/console.txt"), "-Xmx1g")
	seen, _ = p.lookErr()
	if l, ok := seen["log.sigterm on broker 1"].Value.(fact.LogLines); !ok || l.Count != 1 {
		t.Errorf("by standard output: %+v", seen["log.sigterm on broker 1"])
	}

	p = newPlace(t, 1)
	p.process(4713, "pipe:[7]", "-Xmx1g")
	_, err := p.lookErr()
	if err == nil || !strings.Contains(err.Error(), "pipe:[7]") || !strings.Contains(probe.Because(err).How, "kubectl logs") {
		t.Errorf("a pipe: %v", err)
	}
}

func FuzzAppenders(f *testing.F) {
	for _, text := range configurations {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range appenders(text, map[string]string{"kafka.logs.dir": "/l"}) {
			if strings.Contains(name, "\x00") && !strings.Contains(text, "\x00") {
				t.Fatalf("%q", name)
			}
		}
	})
}
