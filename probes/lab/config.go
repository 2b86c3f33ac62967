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

// alone is the settings of a cluster of one broker.
var alone = map[string]string{
	"offsets.topic.replication.factor":         "1",
	"transaction.state.log.replication.factor": "1",
	"transaction.state.log.min.isr":            "1",
	"min.insync.replicas":                      "1",
	"default.replication.factor":               "1",
}

// serverProperties is the configuration file of a node among its peers; extra
// overrides the settings of the lab.
func serverProperties(n *Node, all []*Node, extra map[string]string) string {
	set := maps.Clone(quick)
	if i := slices.IndexFunc(all, func(p *Node) bool { return p.Roles == "zookeeper" }); i < 0 {
		kraft(set, n, all)
	} else if n == all[i] {
		return fmt.Sprintf("# the ZooKeeper of a lab cluster\ndataDir=%s\nclientPortAddress=%s\nclientPort=%d\nmaxClientCnxns=0\nadmin.enableServer=false\n", n.LogDir, n.Host, n.Port)
	} else {
		set["broker.id"] = fmt.Sprint(n.ID)
		set["zookeeper.connect"] = all[i].Address()
		set["zookeeper.session.timeout.ms"] = quick["broker.session.timeout.ms"]
		set["listeners"] = "PLAINTEXT://" + n.Address()
	}
	set["log.dirs"] = n.LogDir
	if n.OtherDir != "" {
		set["log.dirs"] += "," + n.OtherDir
	}
	if len(slices.DeleteFunc(slices.Clone(all), func(p *Node) bool { return !p.IsBroker() })) == 1 {
		maps.Copy(set, alone)
	}
	maps.Copy(set, extra)
	var b strings.Builder
	b.WriteString("# one node of a lab cluster\n")
	for _, key := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&b, "%s=%s\n", key, strings.ReplaceAll(set[key], "$NODE", n.Dir))
	}
	return b.String()
}

// kraft adds what a node with KRaft needs.
func kraft(set map[string]string, n *Node, all []*Node) {
	var voters, listeners []string
	for _, p := range all {
		if p.controls() {
			voters = append(voters, fmt.Sprintf("%d@%s:%d", p.ID, p.Host, p.ControllerPort))
		}
	}
	if n.IsBroker() {
		listeners = append(listeners, "PLAINTEXT://"+n.Address())
		set["advertised.listeners"] = listeners[0]
		set["inter.broker.listener.name"] = "PLAINTEXT"
		if n.Front != "" {
			listeners = append(listeners, fmt.Sprintf("FRONT://%s:%d", n.Host, n.FrontPort))
			set["advertised.listeners"] += ",FRONT://" + n.Front
		}
	}
	if n.controls() {
		listeners = append(listeners, fmt.Sprintf("CONTROLLER://%s:%d", n.Host, n.ControllerPort))
	}
	protocols := "PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT,CONTROLLER:PLAINTEXT"
	for _, l := range n.listeners {
		listeners = append(listeners, l.url(n.Host))
		set["advertised.listeners"] += "," + l.url(n.Host)
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
	if n.MetadataDir != "" {
		set["metadata.log.dir"] = n.MetadataDir
	}
	if n.ID != 1 && n.ID != controllerID {
		// Node 1, or the first controller of its own, becomes the active controller,
		// always: victims are the others, and the death of a controller is another story.
		set["controller.quorum.election.timeout.ms"] = "8000"
	}
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
