package host

import (
	"reflect"
	"slices"
	"testing"

	"github.com/ktriage/ktriage/probes/probe"
)

const unit = `[Unit]
# ExecStart=/opt/kafka/bin/kafka-server-start.sh /no.properties
[Service]
Environment="LOG_DIR=/var/log/my kafka" KAFKA_HEAP_OPTS="-Xmx6g -Xms6g"
EnvironmentFile=-/etc/default/kafka
  ExecStart=/opt/kafka/bin/kafka-server-start.sh \
    -daemon /etc/a.properties --override x=y.properties
ExecStart=/bin/other /etc/b.properties
`

func TestParseUnit(t *testing.T) {
	want := Unit{Configs: []string{"/etc/a.properties"}, LogsDir: "/var/log/my kafka", EnvironmentFiles: []string{"/etc/default/kafka"}}
	if got := ParseUnit(unit); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	log4j := "Environment='KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=/etc/l.yaml -Dkafka.logs.dir=/logs/k1/'\n"
	if got := ParseUnit(log4j).LogsDir; got != "/logs/k1" {
		t.Errorf("logs in %q, want /logs/k1", got)
	}
}

// What an operator adds wins over the unit, and the file of variables over both.
func TestUnitsWithWhatIsAdded(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root+"/lib/systemd/system/kafka.service", unit)
	mustWrite(t, root+"/lib/systemd/system/other.service", "[Service]\nExecStart=/bin/true\n")
	mustWrite(t, root+"/etc/systemd/system/kafka.service.d/logs.conf", "[Service]\nEnvironment=LOG_DIR=/added\n")
	got := units(&probe.Target{Root: root})
	if len(got) != 1 || got[0].LogsDir != "/added" || !slices.Equal(got[0].Configs, []string{"/etc/a.properties"}) {
		t.Errorf("%+v", got)
	}
	mustWrite(t, root+"/etc/default/kafka", "# where\nexport LOG_DIR=\"/from/file\"\n")
	if got := units(&probe.Target{Root: root}); got[0].LogsDir != "/from/file" {
		t.Errorf("logs in %q, want those of the file of variables", got[0].LogsDir)
	}
}

func FuzzParseUnit(f *testing.F) {
	f.Add(unit)
	f.Add("Environment=\"LOG_DIR=/a\n'")
	f.Fuzz(func(t *testing.T, text string) {
		u := ParseUnit(text)
		for _, file := range append(u.Configs, u.EnvironmentFiles...) {
			if file == "" || file[0] != '/' {
				t.Errorf("%q is no path", file)
			}
		}
		if u.LogsDir != "" && u.LogsDir[0] != '/' {
			t.Errorf("%q is no path", u.LogsDir)
		}
	})
}
