package lab

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// newID is a random id as Kafka writes them: 22 characters of URL-safe base64.
// Kafka refuses ids that begin with a dash.
func newID() string {
	var raw [16]byte
	rand.Read(raw[:])
	raw[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// quick is the settings that make Kafka notice and forget within seconds.
var quick = map[string]string{
	"broker.session.timeout.ms":                "6000", // 3000 flaps on a crowded machine
	"broker.heartbeat.interval.ms":             "500",
	"replica.lag.time.max.ms":                  "5000",
	"log.retention.check.interval.ms":          "1000",
	"log.segment.bytes":                        "1048576",
	"log.index.size.max.bytes":                 "65536",
	"log.segment.delete.delay.ms":              "1000",
	"log.cleaner.dedupe.buffer.size":           "33554432", // 128 MiB of a 256 MiB heap otherwise
	"offsets.topic.num.partitions":             "3",
	"offsets.topic.replication.factor":         "3",
	"transaction.state.log.num.partitions":     "3",
	"transaction.state.log.replication.factor": "3",
	"transaction.state.log.min.isr":            "2",
	"group.initial.rebalance.delay.ms":         "0",
	"group.consumer.session.timeout.ms":        "45000",
	"leader.imbalance.check.interval.seconds":  "5",
	"min.insync.replicas":                      "2",
	"default.replication.factor":               "3",
	"num.partitions":                           "3",
	"num.network.threads":                      "2",
	"num.io.threads":                           "4",
	"auto.create.topics.enable":                "false",
}

// serverProperties is the configuration file of a node among its peers; extra
// overrides the settings of the lab.
func serverProperties(n *Node, all []*Node, extra map[string]string) string {
	set := maps.Clone(quick)
	var voters, listeners []string
	for _, p := range all {
		if strings.Contains(p.Roles, "controller") {
			voters = append(voters, fmt.Sprintf("%d@127.0.0.1:%d", p.ID, p.ControllerPort))
		}
	}
	if n.IsBroker() {
		listeners = append(listeners, fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", n.Port))
		set["advertised.listeners"] = listeners[0]
		set["inter.broker.listener.name"] = "PLAINTEXT"
		if n.Front != "" {
			listeners = append(listeners, fmt.Sprintf("FRONT://127.0.0.1:%d", n.FrontPort))
			set["advertised.listeners"] += ",FRONT://" + n.Front
		}
	}
	if strings.Contains(n.Roles, "controller") {
		listeners = append(listeners, fmt.Sprintf("CONTROLLER://127.0.0.1:%d", n.ControllerPort))
	}
	protocols := "PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	for _, l := range n.listeners {
		listeners = append(listeners, l.url())
		set["advertised.listeners"] += "," + l.url()
		protocols += "," + l.Name + ":" + l.Protocol
	}
	if n.usesTLS() {
		maps.Copy(set, tlsSettings(n))
	}
	set["process.roles"] = n.Roles
	set["node.id"] = fmt.Sprint(n.ID)
	set["controller.quorum.voters"] = strings.Join(voters, ",")
	set["controller.listener.names"] = "CONTROLLER"
	set["listener.security.protocol.map"] = protocols
	set["listeners"] = strings.Join(listeners, ",")
	set["log.dirs"] = n.LogDir
	if n.MetadataDir != "" {
		set["metadata.log.dir"] = n.MetadataDir
	}
	if n.ID > 1 && n.ID <= brokers {
		// Node 1 becomes the active controller, always: victims are brokers 2
		// and 3, and the death of a controller is another story.
		set["controller.quorum.election.timeout.ms"] = "8000"
	}
	maps.Copy(set, extra)
	var b strings.Builder
	b.WriteString("# one node of a lab cluster\n")
	for _, key := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&b, "%s=%s\n", key, strings.ReplaceAll(set[key], "$NODE", n.Dir))
	}
	return b.String()
}

// metaProperties marks a storage directory as formatted. directory is empty
// for versions that do not know directory ids.
func metaProperties(id int32, cluster, directory string) string {
	text := fmt.Sprintf("version=1\nnode.id=%d\ncluster.id=%s\n", id, cluster)
	if directory != "" {
		text += "directory.id=" + directory + "\n"
	}
	return text
}

// logFiles is the appenders of Kafka's own logging configuration: which logger
// goes to which file, beside server.log for all.
var logFiles = []struct{ file, logger, level string }{
	{"controller", "org.apache.kafka.controller", "INFO"},
	{"controller", "kafka.controller", "INFO"},
	{"state-change", "state.change.logger", "INFO"},
	{"log-cleaner", "org.apache.kafka.storage.internals.log.LogCleaner", "INFO"},
	{"kafka-authorizer", "kafka.authorizer.logger", "INFO"},
}

const logPattern = "[%d] %p %m (%c)%n"

// log4j2 is the logging configuration of 4.x, properties flavour.
func log4j2() string {
	var b strings.Builder
	b.WriteString("appender.out.type=Console\nappender.out.name=out\nappender.out.layout.type=PatternLayout\nappender.out.layout.pattern=" + logPattern + "\n")
	appender := func(id, file string) {
		fmt.Fprintf(&b, `appender.%[1]s.type=RollingFile
appender.%[1]s.name=%[1]s
appender.%[1]s.fileName=${sys:kafka.logs.dir}/%[2]s.log
appender.%[1]s.filePattern=${sys:kafka.logs.dir}/%[2]s.log.%%d{yyyy-MM-dd-HH}
appender.%[1]s.layout.type=PatternLayout
appender.%[1]s.layout.pattern=%[3]s
appender.%[1]s.policies.type=Policies
appender.%[1]s.policies.time.type=TimeBasedTriggeringPolicy
`, id, file, logPattern)
	}
	appender("server", "server")
	b.WriteString("rootLogger.level=INFO\nrootLogger.appenderRef.out.ref=out\nrootLogger.appenderRef.server.ref=server\n")
	seen := map[string]bool{}
	for i, f := range logFiles {
		id := strings.ReplaceAll(f.file, "-", "")
		if !seen[id] {
			appender(id, f.file)
			seen[id] = true
		}
		fmt.Fprintf(&b, "logger.l%[1]d.name=%[2]s\nlogger.l%[1]d.level=%[3]s\nlogger.l%[1]d.additivity=false\nlogger.l%[1]d.appenderRef.f.ref=%[4]s\n", i, f.logger, f.level, id)
	}
	return b.String()
}

// log4j1 is the logging configuration of 3.x.
func log4j1() string {
	var b strings.Builder
	b.WriteString("log4j.rootLogger=INFO, out, server\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=" + logPattern + "\n")
	appender := func(id, file string) {
		fmt.Fprintf(&b, `log4j.appender.%[1]s=org.apache.log4j.DailyRollingFileAppender
log4j.appender.%[1]s.DatePattern='.'yyyy-MM-dd-HH
log4j.appender.%[1]s.File=${kafka.logs.dir}/%[2]s.log
log4j.appender.%[1]s.layout=org.apache.log4j.PatternLayout
log4j.appender.%[1]s.layout.ConversionPattern=%[3]s
`, id, file, logPattern)
	}
	appender("server", "server")
	seen := map[string]bool{}
	for _, f := range logFiles {
		id := strings.ReplaceAll(f.file, "-", "")
		if !seen[id] {
			appender(id, f.file)
			seen[id] = true
		}
		fmt.Fprintf(&b, "log4j.logger.%[1]s=%[2]s, %[3]s\nlog4j.additivity.%[1]s=false\n", f.logger, f.level, id)
	}
	return b.String()
}
