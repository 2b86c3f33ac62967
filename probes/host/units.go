package host

import (
	"context"
	"path"
	"strings"

	"github.com/ktriage/ktriage/probes/probe"
)

// unitFiles is where systemd keeps what starts a broker, and what an operator adds
// to that.
var unitFiles = []string{
	"/etc/systemd/system/*.service", "/lib/systemd/system/*.service", "/usr/lib/systemd/system/*.service",
	"/etc/systemd/system/*.service.d/*.conf",
}

// Unit is what a unit file of systemd tells of the broker that it starts.
type Unit struct {
	Configs          []string // the properties files that are handed to Kafka
	LogsDir          string   // LOG_DIR, or kafka.logs.dir in KAFKA_LOG4J_OPTS or KAFKA_OPTS; empty: not said
	EnvironmentFiles []string // in which LOG_DIR may be
}

// units is what the unit files of this host say that start a broker.
func units(t *probe.Target) []Unit {
	var all []Unit
	for _, file := range glob(t.Root, unitFiles) {
		text, err := t.ReadFile(file, 64<<10)
		if err != nil {
			continue
		}
		u := ParseUnit(string(text))
		if len(u.Configs) == 0 {
			continue
		}
		// What an operator adds to a unit stands in a directory of its name.
		for _, more := range glob(t.Root, []string{"/etc/systemd/system/" + path.Base(file) + ".d/*.conf"}) {
			if text, err := t.ReadFile(more, 64<<10); err == nil {
				added := ParseUnit(string(text))
				u.EnvironmentFiles = append(u.EnvironmentFiles, added.EnvironmentFiles...)
				if added.LogsDir != "" {
					u.LogsDir = added.LogsDir
				}
			}
		}
		for _, more := range u.EnvironmentFiles {
			if text, err := t.ReadFile(t.Root+more, 64<<10); err == nil {
				for line := range strings.Lines(string(text)) {
					if dir := logsDirSet(strings.TrimPrefix(strings.TrimSpace(line), "export ")); dir != "" {
						u.LogsDir = dir
					}
				}
			}
		}
		all = append(all, u)
	}
	return all
}

// unitsInTime is units, given up where a file that one names does not answer.
func unitsInTime(ctx context.Context, t *probe.Target) []Unit {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, _ := probe.Within(ctx, t, "unit files of brokers", func() ([]Unit, error) { return units(t), nil })
	return all
}

// ParseUnit reads a unit file.
//
//	[Service]
//	Environment="LOG_DIR=/var/log/kafka" KAFKA_HEAP_OPTS=-Xmx6g
//	ExecStart=/opt/kafka/bin/kafka-server-start.sh /etc/kafka/server.properties
func ParseUnit(text string) Unit {
	var u Unit
	text = strings.ReplaceAll(text, "\\\n", " ") // a line that goes on
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		switch strings.TrimSpace(key) {
		case "ExecStart":
			u.Configs = append(u.Configs, propertiesIn(value)...)
		case "Environment":
			for _, word := range quotedWords(value) {
				if dir := logsDirSet(word); dir != "" {
					u.LogsDir = dir
				}
			}
		case "EnvironmentFile":
			if file := strings.TrimPrefix(strings.TrimSpace(value), "-"); path.IsAbs(file) {
				u.EnvironmentFiles = append(u.EnvironmentFiles, file)
			}
		}
	}
	return u
}

// propertiesIn is the properties files that a command hands to Kafka.
func propertiesIn(command string) []string {
	if !strings.Contains(command, "kafka") {
		return nil
	}
	var files []string
	for _, word := range strings.Fields(command) {
		if word = strings.Trim(word, `"'`); strings.HasSuffix(word, ".properties") && path.IsAbs(word) {
			files = append(files, word)
		}
	}
	return files
}

// logsDirSet is where a variable of the environment puts the logs; "" where it does
// not.
func logsDirSet(assignment string) string {
	name, value, _ := strings.Cut(assignment, "=")
	value = strings.Trim(value, `"'`)
	switch strings.TrimSpace(name) {
	case "LOG_DIR":
	case "KAFKA_LOG4J_OPTS", "KAFKA_OPTS":
		_, value, _ = strings.Cut(value, "-Dkafka.logs.dir=")
		value, _, _ = strings.Cut(value, " ")
	default:
		return ""
	}
	if !path.IsAbs(value) {
		return ""
	}
	return path.Clean(value)
}

// quotedWords is words separated by blanks, where quotes keep blanks together.
func quotedWords(text string) []string {
	var words []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, inside = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n' || r == '\r'):
			if inside {
				words = append(words, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		words = append(words, word.String())
	}
	return words
}
