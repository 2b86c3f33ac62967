package record

import (
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// value is a value with pseudonyms, by its type. Every type that holds a name
// is here; a test walks all keys for one that is not.
func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case fact.MetadataView:
		v.ClusterID = r.name("cluster", v.ClusterID)
		v.Brokers = slices.Clone(v.Brokers)
		for i := range v.Brokers {
			r.broker(&v.Brokers[i])
		}
		v.Topics = r.all("topic", v.Topics)
		return v
	case []fact.Registration:
		v = slices.Clone(v)
		for i := range v {
			r.broker(&v[i].BrokerAddress)
		}
		return v
	case fact.TopicConfigs:
		v.Topics = r.all("topic", v.Topics)
		v.Others = slices.Clone(v.Others)
		for i := range v.Others {
			v.Others[i].Distinct = slices.Clone(v.Others[i].Distinct)
			for j := range v.Others[i].Distinct {
				r.setting(&v.Others[i].Distinct[j])
			}
		}
		return v
	case fact.EligibleLeaders:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.GroupOffsets:
		v.Topic = r.all("topic", v.Topic)
		return v
	case []string: // the only key of this type is that of group ids
		return r.all("group", v)
	case fact.UserNames:
		return fact.UserNames(r.all("user", v))
	case []fact.NamedSetting:
		v = slices.Clone(v)
		for i := range v {
			r.setting(&v[i].Setting)
		}
		return v
	case fact.Quorum:
		v.Nodes = slices.Clone(v.Nodes)
		for i := range v.Nodes {
			r.broker(&v.Nodes[i])
		}
		return v
	case fact.Reassignments:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.Producers:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.OpenTransactions:
		v.ID, v.Untold = r.all("transaction", v.ID), slices.Clone(v.Untold)
		for i, name := range v.Untold {
			v.Untold[i] = r.brokerName(name)
		}
		return v
	case []fact.ClientQuota:
		v = slices.Clone(v)
		for i := range v {
			r.quota(&v[i])
		}
		return v
	case fact.Rights:
		v.Topics = slices.Clone(v.Topics)
		for i := range v.Topics {
			v.Topics[i].Some = r.all("topic", v.Topics[i].Some)
		}
		return v
	case []fact.ListenerCertificate:
		v = slices.Clone(v)
		for i := range v {
			r.certificate(&v[i])
		}
		return v
	case fact.Roster:
		return r.roster(v)
	case fact.Reach:
		return r.reach(v)
	case []fact.LocalBroker:
		v = slices.Clone(v)
		for i := range v {
			r.local(&v[i])
		}
		return v
	case fact.Mount:
		v.Point, v.Source = r.path(v.Point), r.name("source", v.Source)
		v.Options, v.SuperOptions = r.free(v.Options), r.free(v.SuperOptions)
		return v
	case fact.LogLines:
		v.Text, v.Latest, v.File = r.free(v.Text), r.free(v.Latest), r.path(v.File)
		v.Names = r.spoken(v.Names)
		return v
	case fact.RecentGC:
		v.File = r.path(v.File)
		return v
	case fact.JVMFlags:
		v.Options, v.GCLogs, v.Unread = r.frees(v.Options), slices.Clone(v.GCLogs), r.free(v.Unread)
		for i := range v.GCLogs {
			v.GCLogs[i] = r.path(v.GCLogs[i])
		}
		return v
	case fact.ProcessState:
		v.Found = r.free(v.Found)
		return v
	}
	return r.host(v)
}

func (r *Redactor) broker(b *fact.BrokerAddress) {
	b.Host, b.Rack = r.name("host", b.Host), r.name("rack", b.Rack)
}

func (r *Redactor) reach(v fact.Reach) fact.Reach {
	v.Address, v.Detail = r.address(v.Address), r.free(v.Detail)
	if v.Own != nil {
		own := *v.Own
		own.Address = r.address(own.Address)
		v.Own = &own
	}
	return v
}

func (r *Redactor) local(b *fact.LocalBroker) {
	b.Config, b.LogsDir, b.MetaDir, b.FoundBy = r.path(b.Config), r.path(b.LogsDir), r.path(b.MetaDir), r.free(b.FoundBy)
	b.Listeners, b.LogDirs, b.Quorum = slices.Clone(b.Listeners), slices.Clone(b.LogDirs), slices.Clone(b.Quorum)
	for i := range b.Listeners {
		b.Listeners[i] = r.address(b.Listeners[i])
	}
	for i := range b.LogDirs {
		b.LogDirs[i] = r.path(b.LogDirs[i])
	}
	for i, voter := range b.Quorum {
		if id, where, ok := strings.Cut(voter, "@"); ok {
			b.Quorum[i] = id + "@" + r.address(where)
		} else {
			b.Quorum[i] = r.address(voter)
		}
	}
}

// frees is texts that may hold names.
func (r *Redactor) frees(all []string) []string {
	all = slices.Clone(all)
	for i := range all {
		all[i] = r.free(all[i])
	}
	return all
}
