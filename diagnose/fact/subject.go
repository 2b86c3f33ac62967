package fact

import (
	"fmt"
	"strconv"
	"strings"
)

// Scope says what kind of thing a subject is.
type Scope string

// The scopes, from the whole to the part.
const (
	Cluster   Scope = "cluster"
	Broker    Scope = "broker"    // name: node id, "3", or "host:port" where the id is not known
	Topic     Scope = "topic"     // name: topic name
	Partition Scope = "partition" // name: "orders-0"
	Group     Scope = "group"     // name: group id
	Host      Scope = "host"      // name: host name
	Device    Scope = "device"    // name: kernel name, "sda1"
	LogDir    Scope = "logdir"    // name: "3:/var/lib/kafka", node id and absolute path
	Process   Scope = "process"   // name: node id of the broker it runs, "3", or "pid 4711" where that is unknown
)

// Subject is the thing an observation or a finding is about.
type Subject struct {
	Scope Scope  `json:"scope"`
	Name  string `json:"name"`
}

// TheCluster is the only subject of scope Cluster.
var TheCluster = Subject{Cluster, "cluster"}

// Any is the subject of an unknown that covers every subject of a scope: a
// probe that failed before it learnt which subjects there are.
const Any = "*"

// BrokerOf is the broker with a node id.
func BrokerOf(id int32) Subject { return Subject{Broker, fmt.Sprint(id)} }

// ProcessOf is the process of the broker with a node id.
func ProcessOf(id int32) Subject { return Subject{Process, fmt.Sprint(id)} }

// LogDirOf is a log dir, by the node id of its broker and its absolute path.
func LogDirOf(id int32, path string) Subject {
	return Subject{LogDir, fmt.Sprintf("%d:%s", id, path)}
}

// PartitionOf is one partition of a topic.
func PartitionOf(topic string, partition int32) Subject {
	return Subject{Partition, fmt.Sprintf("%s-%d", topic, partition)}
}

// ParsePartition parts the name of a partition, "orders-0"; false where it is none.
func ParsePartition(name string) (topic string, partition int32, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 {
		return "", 0, false
	}
	n, err := strconv.ParseUint(name[i+1:], 10, 31)
	if err != nil {
		return "", 0, false
	}
	return name[:i], int32(n), true
}

// String is how a subject is written in a case file, a recording and a ticket.
func (s Subject) String() string {
	if s.Scope == Cluster {
		return "cluster"
	}
	return string(s.Scope) + " " + s.Name
}

// ParseSubject reads what String wrote. Names may hold blanks.
func ParseSubject(text string) (Subject, error) {
	scope, name, _ := strings.Cut(text, " ")
	switch Scope(scope) {
	case Cluster:
		return TheCluster, nil
	case Broker, Topic, Partition, Group, Host, Device, LogDir, Process:
		if name == "" {
			return Subject{}, fmt.Errorf("subject %q: a name is expected after the scope", text)
		}
		return Subject{Scope(scope), name}, nil
	}
	return Subject{}, fmt.Errorf("subject %q: unknown scope %q", text, scope)
}

// Owner is the broker that a process or a log dir belongs to; ok is false for
// every other scope, and for a process whose node id is unknown.
func (s Subject) Owner() (broker Subject, ok bool) {
	switch s.Scope {
	case Broker:
		return s, true
	case Process:
		if strings.HasPrefix(s.Name, "pid ") || s.Name == Any {
			return Subject{}, false
		}
		return Subject{Broker, s.Name}, true
	case LogDir:
		id, _, found := strings.Cut(s.Name, ":")
		return Subject{Broker, id}, found
	}
	return Subject{}, false
}
