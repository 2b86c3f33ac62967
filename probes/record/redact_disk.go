package record

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// disk is value for what the metadata log on this host tells.
func (r *Redactor) disk(v any) any {
	switch v := v.(type) {
	case fact.LastCluster:
		r.copied(&v.Copy)
		v.Topics, v.Brokers = r.all("topic", v.Topics), slices.Clone(v.Brokers)
		for i := range v.Brokers {
			r.broker(&v.Brokers[i].BrokerAddress)
		}
		return v
	case fact.ChangeList:
		r.copied(&v.Copy)
		v.All = slices.Clone(v.All)
		for i := range v.All { // the names first, so that the texts are without them
			c := &v.All[i]
			c.Topic, c.Name = r.name("topic", c.Topic), r.changed(c.Scope, c.Name)
		}
		for i := range v.All {
			r.change(&v.All[i])
		}
		return v
	case fact.LeadersMoved:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.GroupPast:
		v.Rewinds, v.Gone, v.Still = slices.Clone(v.Rewinds), slices.Clone(v.Gone), slices.Clone(v.Still)
		for i := range v.Rewinds {
			v.Rewinds[i].Topic = r.name("topic", v.Rewinds[i].Topic)
		}
		for i := range v.Gone {
			v.Gone[i].Topic = r.name("topic", v.Gone[i].Topic)
		}
		for i := range v.Still {
			v.Still[i].Topic = r.name("topic", v.Still[i].Topic)
		}
		return v
	case fact.LastTransactions:
		v.Open = slices.Clone(v.Open)
		for i := range v.Open {
			v.Open[i].ID, v.Open[i].Topic = r.name("transaction", v.Open[i].ID), r.all("topic", v.Open[i].Topic)
		}
		return v
	}
	return v
}

func (r *Redactor) copied(c *fact.LogCopy) { c.Dir, c.Damage = r.path(c.Dir), r.free(c.Damage) }

// changed is what a change is about.
func (r *Redactor) changed(scope, name string) string {
	switch scope {
	case "cluster", "broker":
		return r.brokerName(name)
	case "partition":
		return r.partition(name)
	}
	return r.name(scope, name)
}

// endpoint is as brokers register them: PLAINTEXT://host:9092.
var endpoint = regexp.MustCompile(`://([^\s:/]+|\[[^\]]*\]):`)

func (r *Redactor) change(c *fact.Change) {
	text := func(s string) string {
		s = endpoint.ReplaceAllStringFunc(s, func(at string) string { return "://" + r.name("host", strings.Trim(at, ":/[]")) + ":" })
		return r.free(s)
	}
	c.Parts = slices.Clone(c.Parts)
	for i := range c.Parts {
		c.Parts[i] = text(c.Parts[i])
	}
	switch c.Kind {
	case "config-changed":
		c.Before, c.After = r.set(c.Before), r.set(c.After)
		c.Text = strings.TrimSpace("set for "+c.Scope+" "+c.Name) + ": " + c.After + ", before " + c.Before
	case "acl-added", "acl-removed", "user-changed", "quota-changed": // whose they are is in no other fact
		c.Before, c.After = r.word("value", c.Before), r.word("value", c.After)
		c.Text = strings.TrimSpace(c.Kind + " " + c.Name)
	default:
		c.Before, c.After, c.Text = text(c.Before), text(c.After), text(c.Text)
	}
}

// set is name=value with another value, unless it is one of Kafka's own words.
func (r *Redactor) set(s string) string {
	key, value, ok := strings.Cut(s, "=")
	if !ok {
		return r.word("value", s)
	}
	return key + "=" + r.word("value", value)
}
