package fact

import (
	"cmp"
	"fmt"
	"slices"
)

// APIRanges is the requests that a broker answers, in columns by key.
type APIRanges struct {
	Key []int16 `json:"key"`
	Min []int16 `json:"min"` // lowest version
	Max []int16 `json:"max"` // highest version
}

// Versions is the range of versions of one request; false when the broker does
// not answer it.
func (a APIRanges) Versions(key int16) (lowest, highest int16, ok bool) {
	for i, k := range a.Key {
		if k == key && i < len(a.Min) && i < len(a.Max) {
			return a.Min[i], a.Max[i], true
		}
	}
	return 0, 0, false
}

// Valid says which column does not fit.
func (a APIRanges) Valid() error {
	if n := len(a.Key); len(a.Min) != n || len(a.Max) != n {
		return fmt.Errorf("columns of %d and %d entries for %d keys", len(a.Min), len(a.Max), n)
	}
	return nil
}

// Features is what a broker says of features in its answer to ApiVersions.
type Features struct {
	Epoch     int64     `json:"epoch"`     // of the finalized ones; -1: not told
	Finalized []Feature `json:"finalized"` // what the cluster has agreed on, by name
	Supported []Feature `json:"supported"` // what this broker could do, by name
}

// Feature is one feature and its levels.
type Feature struct {
	Name string `json:"name"` // metadata.version, group.version, …
	Min  int16  `json:"min"`
	Max  int16  `json:"max"` // of a finalized one: the level in effect
}

// Level is the level in effect of a finalized feature; false when there is none.
func (f Features) Level(name string) (level int16, ok bool) {
	for _, one := range f.Finalized {
		if one.Name == name {
			return one.Max, true
		}
	}
	return 0, false
}

// Setting is a value and where it is set.
type Setting struct {
	Value  string `json:"value"`
	Source string `json:"source"` // Kafka's own word: DYNAMIC_TOPIC_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG, …
}

// NamedSetting is one setting of one broker.
type NamedSetting struct {
	Name string `json:"name"`
	Setting
}

// SettingColumn is one setting of many things. Nearly all have the same value:
// each distinct one is stored once.
type SettingColumn struct {
	Name     string    `json:"name"`
	Distinct []Setting `json:"distinct"`
	Of       []int32   `json:"of"` // index into Distinct; -1: not told
}

// At is the setting of thing i; false when it was not told.
func (c SettingColumn) At(i int) (Setting, bool) {
	if i < 0 || i >= len(c.Of) || c.Of[i] < 0 || int(c.Of[i]) >= len(c.Distinct) {
		return Setting{}, false
	}
	return c.Distinct[c.Of[i]], true
}

// Of is a setting of a topic, by its index in Topics; false when it was not told.
func (c TopicConfigs) Of(name string, i int) (Setting, bool) {
	for _, column := range c.Others {
		if column.Name == name {
			return column.At(i)
		}
	}
	return Setting{}, false
}

// Reassignments is partitions whose replicas are being moved, in columns.
type Reassignments struct {
	Topic     []string `json:"topic"`
	Partition []int32  `json:"partition"`
	Replicas  Lists    `json:"replicas"` // now, those to come and to go included
	Adding    Lists    `json:"adding"`
	Removing  Lists    `json:"removing"`
}

// Valid says which column does not fit.
func (m Reassignments) Valid() error {
	if n := len(m.Topic); len(m.Partition) != n || len(m.Replicas.Ends) != n || len(m.Adding.Ends) != n || len(m.Removing.Ends) != n {
		return fmt.Errorf("columns of %d, %d, %d and %d entries for %d partitions", len(m.Partition), len(m.Replicas.Ends), len(m.Adding.Ends), len(m.Removing.Ends), n)
	}
	return nil
}

// ClientQuota is one limit of one kind of clients.
type ClientQuota struct {
	Entity []QuotaEntity `json:"entity"`
	Key    string        `json:"key"` // producer_byte_rate, request_percentage, …
	Value  float64       `json:"value"`
}

// QuotaEntity is one part of what a quota applies to.
type QuotaEntity struct {
	Type    string `json:"type"` // user, client-id, ip
	Name    string `json:"name,omitempty"`
	Default bool   `json:"default,omitempty"` // it has no name: all that have no quota of their own
}

// Rights is what the console's own user may do, as brokers tell it. Operations
// are Kafka's words: DESCRIBE, READ, DESCRIBE_CONFIGS, …
type Rights struct {
	Cluster []string      `json:"cluster"` // on the cluster
	Topics  []TopicRights `json:"topics"`  // on the topics that it may see; the others are not listed

	// Of what the probes need: denied and granted, on every topic, group and
	// transactional id there is. What is in neither could not be found out.
	Lacks []Right `json:"lacks,omitempty"`
	Holds []Right `json:"holds,omitempty"`
}

// Right is an operation on a kind of resource, in the words of kafka-acls.sh.
type Right struct {
	Operation string `json:"operation"` // Describe, DescribeConfigs, Read
	Resource  string `json:"resource"`  // cluster, topic, group, transactional-id
}

// String is "Describe on cluster".
func (r Right) String() string { return r.Operation + " on " + r.Resource }

// Compare sorts rights: those on the cluster first.
func (r Right) Compare(other Right) int {
	order := []string{"cluster", "topic", "group", "transactional-id"}
	return cmp.Or(cmp.Compare(slices.Index(order, r.Resource), slices.Index(order, other.Resource)), cmp.Compare(r.Operation, other.Operation))
}

// Implies says whether who holds a right holds the other one too, as Kafka's
// authorizers see it.
func (r Right) Implies(other Right) bool {
	return r == other || r.Resource == other.Resource && r.Operation == "Read" && other.Operation == "Describe"
}

// TopicRights is the topics with the same operations allowed.
type TopicRights struct {
	Operations []string `json:"operations"`
	Count      int      `json:"count"`
	Some       []string `json:"some"` // a few of them
}

// UserNames is names of users, sorted.
type UserNames []string
