package jvm

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/hsperf"
	"github.com/ktriage/ktriage/probes/probe"
)

// options is the options of a JVM in the order in which it takes them: a later
// one wins.
type options struct {
	words   []string
	sources []string
	unread  error // of the environment
}

// optionsOf gathers the options of a running JVM: of its command line, of the
// environment, and where the command line hides them in a file, of perf data.
func optionsOf(t *probe.Target, pid int) (options, error) {
	cmdline, err := t.ReadFile(t.Proc(pid, "cmdline"), 2<<20)
	if err != nil {
		return options{}, err
	}
	var o options
	environ, err := t.ReadFile(t.Proc(pid, "environ"), 2<<20)
	o.unread = err
	env := environment(environ)
	o.add("JAVA_TOOL_OPTIONS", splitOptions(env["JAVA_TOOL_OPTIONS"]))
	o.add("JDK_JAVA_OPTIONS", splitOptions(env["JDK_JAVA_OPTIONS"]))
	command := host.ParseCommand(cmdline).Options
	hidden := false
	for _, word := range command {
		hidden = hidden || strings.HasPrefix(word, "@")
	}
	if hidden || strings.Contains(string(cmdline), "\x00@") {
		o.add("perf data", optionsFromPerf(t, pid))
	}
	o.add("command line", command)
	o.add("_JAVA_OPTIONS", splitOptions(env["_JAVA_OPTIONS"]))
	if len(env["KAFKA_HEAP_OPTS"]) > 0 { // Kafka's scripts have put it into the command line
		o.sources = append(o.sources, "KAFKA_HEAP_OPTS")
	}
	return o, nil
}

func (o *options) add(source string, words []string) {
	if len(words) > 0 {
		o.words, o.sources = append(o.words, words...), append(o.sources, source)
	}
}

func optionsFromPerf(t *probe.Target, pid int) []string {
	f, err := find(t, pid)
	if err != nil {
		return nil
	}
	defer f.Close()
	d, err := f.Read()
	if err != nil {
		return nil
	}
	return vmArgs(d)
}

func vmArgs(d *hsperf.Data) []string { return strings.Fields(d.Strings["java.rt.vmArgs"]) }

// environment reads /proc/PID/environ, of which only what the JVM and Kafka's
// scripts read is kept.
func environment(b []byte) map[string]string {
	env := map[string]string{}
	for pair := range strings.SplitSeq(string(b), "\x00") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "KAFKA_HEAP_OPTS":
			env[name] = value
		}
	}
	return env
}

// splitOptions splits the value of such a variable at blanks outside quotes.
func splitOptions(s string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if begun {
				words = append(words, word.String())
				word.Reset()
				begun = false
			}
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

const (
	maxOptions = 300
	maxOption  = 300 // characters
)

// flags is the options as a fact: none that are not the JVM's own, and no
// commands, whose words may be secret.
func (o options) flags() fact.JVMFlags {
	f := fact.JVMFlags{Options: []string{}, Sources: append([]string{}, o.sources...), GCLogs: gcLogPaths(o.words)}
	if o.unread != nil {
		f.Unread = o.unread.Error()
		if because := probe.Because(o.unread); because.Reason == fact.NotAllowed {
			f.Unread = "not allowed"
		}
	}
	for _, word := range o.words {
		switch {
		case !strings.HasPrefix(word, "-X") && word != "-server" && word != "-client":
			continue
		case strings.HasPrefix(word, "-XX:OnError="), strings.HasPrefix(word, "-XX:OnOutOfMemoryError="):
			word, _, _ = strings.Cut(word, "=")
		case len(word) > maxOption:
			word = word[:maxOption]
		}
		if n, ok := sizeOption(word, "-Xms", "-XX:InitialHeapSize="); ok {
			f.InitialHeap = n
		}
		if n, ok := sizeOption(word, "-Xmx", "-XX:MaxHeapSize="); ok {
			f.MaxHeap = n
		}
		if len(f.Options) < maxOptions {
			f.Options = append(f.Options, word)
		}
	}
	return f
}

func sizeOption(word string, names ...string) (int64, bool) {
	for _, name := range names {
		if rest, ok := strings.CutPrefix(word, name); ok {
			n, err := parseJVMSize(rest)
			return n, err == nil
		}
	}
	return 0, false
}

// parseJVMSize reads 512m, 1G, 1073741824: bytes.
func parseJVMSize(s string) (int64, error) {
	shift := 0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		case 't', 'T':
			shift = 40
		}
	}
	if shift > 0 {
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, err
	}
	if n < 0 || n > 1<<62>>shift {
		return 0, errors.New("out of range")
	}
	return n << shift, nil
}

// gcLogPaths is the files that options send the GC log to, the last first: one
// -Xlog replaces another for the same file, and several may stand beside each
// other.
func gcLogPaths(words []string) []string {
	paths := []string{}
	for _, word := range words {
		path := ""
		if rest, ok := strings.CutPrefix(word, "-Xloggc:"); ok {
			path = rest
		} else if rest, ok := strings.CutPrefix(word, "-Xlog:"); ok {
			path = unifiedLogPath(rest)
		}
		if path != "" {
			paths = append([]string{path}, paths...)
		}
	}
	return paths
}

// unifiedLogPath reads what:output:decorators:options; the file is empty when it
// is none, or when nothing of the collector goes there.
//
//	gc*:file=/opt/kafka/logs/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M
func unifiedLogPath(s string) string {
	what, rest, _ := strings.Cut(s, ":")
	wanted := false
	for selection := range strings.SplitSeq(what, ",") {
		tags, level, _ := strings.Cut(selection, "=")
		first, _, _ := strings.Cut(strings.TrimRight(tags, "*"), "+")
		wanted = wanted || (first == "gc" || first == "all") && level != "off"
	}
	if !wanted {
		return ""
	}
	if strings.HasPrefix(rest, "file=\"") || strings.HasPrefix(rest, "\"") { // may hold colons
		_, rest, _ = strings.Cut(rest, "\"")
		path, _, _ := strings.Cut(rest, "\"")
		return path
	}
	output, _, _ := strings.Cut(rest, ":")
	output = strings.TrimPrefix(output, "file=")
	if output == "stdout" || output == "stderr" || strings.HasPrefix(output, "#") {
		return ""
	}
	return output
}

// gcLogFiles is the patterns of the files that a path of an option can mean for a
// process: %p is its number, %t when it began, and a path that is not absolute
// begins in its working directory.
func gcLogFiles(path, cwd string, innerPID int) string {
	path = strings.ReplaceAll(path, "%p", strconv.Itoa(innerPID))
	path = strings.ReplaceAll(path, "%t", "*")
	if !filepath.IsAbs(path) {
		path = filepath.Join(cwd, path)
	}
	return path
}
