package text

import (
	"net"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Vars is what a finding says for the placeholders of its playbook. bootstrap
// is the address the operator gave; empty: a broker that answers.
func Vars(v *diagnose.Verdict, f *diagnose.Finding, bootstrap string) map[string]string {
	vars := map[string]string{"BOOTSTRAP": bootstrap}
	if bootstrap == "" {
		vars["BOOTSTRAP"] = answering(v.Cluster.Brokers)
	}
	switch f.Subject.Scope {
	case fact.Topic:
		vars["TOPIC"] = f.Subject.Name
	case fact.Partition:
		ofPartition(vars, f.Subject.Name)
	case fact.Group:
		vars["GROUP"] = f.Subject.Name
	case fact.LogDir:
		if _, dir, ok := strings.Cut(f.Subject.Name, ":"); ok {
			vars["LOGDIR"] = dir
		}
	case fact.Device:
		vars["DEVICE"] = f.Subject.Name
	}
	if named := f.Affected.Named; vars["TOPIC"] == "" && len(named) > 0 {
		ofPartition(vars, named[0])
	}
	if vars["TOPIC"] == "" && len(f.Affected.Topics) > 0 {
		vars["TOPIC"] = f.Affected.Topics[0]
	}
	if vars["GROUP"] == "" && len(f.Affected.Groups) == 1 {
		vars["GROUP"] = f.Affected.Groups[0]
	}
	if id, ok := brokerOf(f); ok {
		ofBroker(vars, v, id)
	}
	return vars
}

// brokerOf is the broker that a finding is on, or the only one it blames.
func brokerOf(f *diagnose.Finding) (int32, bool) {
	name := ""
	if owner, ok := f.Subject.Owner(); ok {
		name = owner.Name
	} else if len(f.Affected.Brokers) == 1 {
		return f.Affected.Brokers[0], true
	}
	id, err := strconv.ParseInt(name, 10, 32)
	return int32(id), err == nil
}

func ofBroker(vars map[string]string, v *diagnose.Verdict, id int32) {
	vars["BROKER"] = strconv.Itoa(int(id))
	for _, b := range v.Cluster.Brokers {
		if b.ID == id && b.Host != "" {
			vars["HOST"], vars["PORT"] = b.Host, strconv.Itoa(int(b.Port))
		}
	}
	for _, l := range v.Cluster.Local {
		if l.NodeID != id {
			continue
		}
		if l.PID > 0 {
			vars["PID"] = strconv.Itoa(l.PID)
		}
		vars["CONFIG"], vars["LOGSDIR"] = l.Config, l.LogsDir
		if vars["LOGDIR"] == "" && len(l.LogDirs) > 0 {
			vars["LOGDIR"] = l.LogDirs[0]
		}
	}
}

// answering is a broker to point commands at.
func answering(brokers []diagnose.BrokerState) string {
	for _, b := range brokers {
		if b.Reachable && b.Host != "" {
			return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		}
	}
	return ""
}

// ofPartition fills in what concerns a partition "orders-0".
func ofPartition(vars map[string]string, name string) {
	if topic, number, ok := fact.ParsePartition(name); ok {
		vars["TOPIC"], vars["PARTITION"] = topic, strconv.Itoa(int(number))
	}
}
