package fact

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// PastCluster is the cluster as it stood at a moment, as a metadata log has it.
// What no such log holds (groups, hosts, JVMs) is not known of that moment.
type PastCluster struct {
	LastCluster           // as of Copy.Last, the newest record that is not younger than At
	At          time.Time // the moment
	Next        time.Time // of the first record after it; zero: there is none

	Live, Fenced int // brokers
	Leaderless   int // partitions
	Behind       int // partitions with fewer replicas in sync than they shall have

	Features     map[string]int16
	Settings     []PastSetting // in their order; secret values are hidden
	SettingsLeft int           // that are not told: too many
}

// PastSetting is a setting that was made while the cluster ran. What the files of
// brokers and Kafka's defaults say is in no log.
type PastSetting struct {
	Scope, Name string // topic, broker, group, client-metrics; the name of all brokers is ""
	Key, Value  string
}

// Order is by scope, then name, then key.
func (s PastSetting) Order(o PastSetting) int {
	return cmp.Or(strings.Compare(s.Scope, o.Scope), strings.Compare(s.Name, o.Name), strings.Compare(s.Key, o.Key))
}

// Setting is the value of a setting; false where the log has none.
func (c *PastCluster) Setting(scope, name, key string) (string, bool) {
	i, ok := slices.BinarySearchFunc(c.Settings, PastSetting{Scope: scope, Name: name, Key: key}, PastSetting.Order)
	if !ok {
		return "", false
	}
	return c.Settings[i].Value, true
}
