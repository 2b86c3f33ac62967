package logs

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// about says whom a line speaks of.
type about int

const (
	self   about = iota // the node that wrote it
	other               // the broker that it names
	dir                 // the log dir that it names
	failed              // the log dir that failed with this exception, its first
)

// pattern is one kind of line. Loggers move between packages from version to
// version, so only the message counts.
type pattern struct {
	text  string             // in every such line
	key   *fact.Def          // nil: the line is only for the scanner itself
	about about              // whom it speaks of
	not   string             // in no such line
	under string             // not below a line that holds this
	note  func(*scan, hit)   // what the scanner makes of the line, beside counting it under key
	names func(hit) []string // what the line speaks of; nil: nothing that is told apart
	trace bool               // the exception that follows belongs to the line
}

// patterns is every line that is known.
var patterns = slices.Concat(lifePatterns, dirPatterns, ownPatterns, replicaPatterns, controllerPatterns, clientPatterns)

// lifePatterns is how nodes come and go.
var lifePatterns = []pattern{
	{text: "Registered signal handlers for", note: (*scan).start}, // main() of broker and controller, first thing
	{text: "Creating new QuorumController", note: (*scan).start},  // the same in controller.log

	{text: "Terminating process due to signal", key: fact.LogSigterm.Def()},
	{text: "Beginning controlled shutdown", key: fact.LogControlledShutdown.Def()},
	{text: "Starting controlled shutdown", key: fact.LogControlledShutdown.Def()}, // with ZooKeeper
	{text: "Kafka Server started", key: fact.LogStarted.Def(), note: (*scan).started},
	{text: "ransitioning from RECOVERY to RUNNING", key: fact.LogStarted.Def()},
	{text: "] started (kafka.server.KafkaServer)", key: fact.LogStarted.Def()}, // with ZooKeeper
	{text: "java.lang.OutOfMemoryError", key: fact.LogOutOfMemory.Def(), not: "Map failed"},
	{text: "Shutdown broker because all log dirs in", key: fact.LogAllDirsFailed.Def()},
	{text: "because none of the specified log dirs from", key: fact.LogAllDirsFailed.Def()},
	{text: "Encountered fatal fault:", key: fact.LogFatal.Def(), trace: true},
	{text: "Exiting Kafka due to fatal exception", key: fact.LogFatal.Def(), trace: true},
	{text: "Fatal error during broker startup", key: fact.LogFatal.Def(), trace: true},
	{text: "Fatal error during KafkaServer startup", key: fact.LogFatal.Def(), trace: true},
	{text: "Shutdown broker because the metadata log dir", key: fact.LogFatal.Def()},
	{text: "NotEnoughReplicasException", key: fact.LogNotEnoughReplicas.Def()},

	{text: "Replayed BrokerRegistrationChangeRecord", note: (*scan).registration},
	{text: "RegisterBrokerRecord(brokerId=", note: (*scan).registered},
	{text: "has requested and been granted a", key: fact.LogControlledShutdown.Def(), about: other}, // controlled, or immediate when it led nothing
	{text: "Fencing broker ", key: fact.LogFenced.Def(), about: other},
	{text: " to unfence has been granted", key: fact.LogUnfenced.Def(), about: other},
}

// dirPatterns is how log dirs fail. Their exceptions come last in a stack trace
// or first, with or without "Caused by": only their text counts.
var dirPatterns = []pattern{
	{text: "Stopping serving logs in dir ", key: fact.LogDirFailed.Def(), about: dir},
	{text: "Stopping serving replicas in dir ", key: fact.LogDirFailed.Def(), about: dir},
	{text: "No space left on device", key: fact.LogNoSpace.Def(), about: failed},
	{text: "Disk quota exceeded", key: fact.LogNoSpace.Def(), about: failed},
	{text: "Input/output error", key: fact.LogIOError.Def(), about: failed},
	{text: "NoSuchFileException", key: fact.LogIOError.Def(), about: failed},
	{text: "(No such file or directory)", key: fact.LogIOError.Def(), about: failed},
	{text: "Too many open files", key: fact.LogOtherErr.Def(), about: failed},
	{text: "Map failed", key: fact.LogOtherErr.Def(), about: failed},
	{text: "Read-only file system", key: fact.LogOtherErr.Def(), about: failed},
}

// outPatterns is what is looked for in kafkaServer.out: what the JVM itself
// prints. All else in there is a copy of server.log.
var outPatterns = []pattern{
	{text: "Registered signal handlers for", note: (*scan).start},
	{text: "Terminating due to java.lang.OutOfMemoryError", key: fact.LogOutOfMemory.Def()},
	{text: "Aborting due to java.lang.OutOfMemoryError", key: fact.LogOutOfMemory.Def()},
}

// numberAfter is the node id that follows a word in a line, as in "broker 3".
func numberAfter(line []byte, word string) (int32, bool) {
	_, rest, ok := bytes.Cut(line, []byte(word))
	if !ok {
		return 0, false
	}
	end := 0
	if end < len(rest) && rest[end] == '-' {
		end++
	}
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 32)
	return int32(n), err == nil
}

// pathAfter is the path that follows a word in a line, up to a blank or what
// may close a path in a log line. A dir with a blank in its name is cut: those
// of the configuration are looked for first.
func pathAfter(line []byte, word string) (string, bool) {
	_, rest, ok := bytes.Cut(line, []byte(word))
	if !ok || len(rest) == 0 || rest[0] != '/' {
		return "", false
	}
	if end := bytes.IndexAny(rest, " ,])\t\r"); end >= 0 {
		rest = rest[:end]
	}
	return string(rest), true
}
