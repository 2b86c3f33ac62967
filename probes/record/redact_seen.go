package record

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// seen is value for what metrics endpoints, segments and the message path show.
func (r *Redactor) seen(v any) any {
	switch v := v.(type) {
	case fact.PartitionOffsets:
		v.Topics = r.all("topic", v.Topics)
		return v
	case fact.ShareGroupOffsets:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.ReplicaEnds:
		v.Topic = r.all("topic", v.Topic)
		return v
	case fact.EpochEnds:
		v.Topic = r.all("topic", v.Topic)
		return v
	case []fact.BatchSeen:
		v = slices.Clone(v)
		for i := range v {
			v[i].Topic, v[i].Group = r.name("topic", v[i].Topic), r.name("group", v[i].Group)
		}
		return v
	case []fact.VoterSaid:
		v = slices.Clone(v)
		for i := range v {
			v[i].Reach = r.reach(v[i].Reach)
			if v[i].Because != nil {
				v[i].Because = r.because(v[i].Because)
			}
		}
		return v
	case []fact.ISRShrink:
		v = slices.Clone(v)
		for i := range v {
			v[i].Partition = r.partition(v[i].Partition)
		}
		return v
	case []fact.Rebalance:
		v = slices.Clone(v)
		for i := range v {
			v[i].Group = r.name("group", v[i].Group)
		}
		return v
	case fact.MetricsEndpoint:
		v.URL = r.url(v.URL)
		return v
	case fact.Throttles:
		v.Clients = slices.Clone(v.Clients)
		for i := range v.Clients {
			v.Clients[i].User, v.Clients[i].Client = r.name("user", v.Clients[i].User), r.name("client", v.Clients[i].Client)
		}
		return v
	case []fact.DamagedFile:
		v = slices.Clone(v)
		for i := range v {
			v[i].Partition, v[i].File, v[i].Text = r.partition(v[i].Partition), r.path(v[i].File), r.free(v[i].Text)
		}
		return v
	case fact.RestOfScan:
		v.Error = r.free(v.Error)
		return v
	case fact.TopicBatches:
		v.Topic, v.Example, v.AlikeExample = r.all("topic", v.Topic), r.examples(v.Example), r.examples(v.AlikeExample)
		return v
	case fact.LocalLogs:
		v.Partition = slices.Clone(v.Partition)
		for i := range v.Partition {
			v.Partition[i] = r.partition(v.Partition[i])
		}
		return v
	}
	return r.disk(v)
}

// examples are "topic-number at …" with other topics.
func (r *Redactor) examples(all []string) []string {
	all = slices.Clone(all)
	for i, text := range all {
		if text != "" {
			partition, rest, _ := strings.Cut(text, " ")
			all[i] = strings.TrimSuffix(r.partition(partition)+" "+rest, " ")
		}
	}
	return all
}

// because is a reason with pseudonyms.
func (r *Redactor) because(u *fact.Unknown) *fact.Unknown {
	other := *u
	other.Detail, other.How = r.free(u.Detail), r.free(u.How)
	return &other
}

// partition is topic-number with another topic, or another name where it is none.
func (r *Redactor) partition(real string) string {
	topic, _, ok := fact.ParsePartition(real)
	if !ok {
		return r.name("name", real)
	}
	return r.name("topic", topic) + real[len(topic):]
}

// url keeps the scheme, the port and the path of an endpoint.
func (r *Redactor) url(real string) string {
	u, err := url.Parse(real)
	if err != nil || u.Host == "" {
		return r.name("url", real)
	}
	u.Host = r.address(u.Host)
	return u.String()
}

// plainWord is what a log line speaks of when that is no name: the number of a
// broker, an error code of Kafka, what was sent to a port that is not for it.
var plainWord = regexp.MustCompile(`^(-?[0-9]+|[A-Z][A-Z_]+|http|tls|tls-alert|ssh|oversized|other)$`)

// spoken is what log lines speak of. Group and topic names are known from
// elsewhere, if at all: so this comes after all else of a batch.
func (r *Redactor) spoken(all []fact.NameCount) []fact.NameCount {
	all = slices.Clone(all)
	for i, n := range all {
		all[i].Name = r.spokenName(n.Name)
	}
	return all
}

func (r *Redactor) spokenName(name string) string {
	if _, known := r.names[name]; known || plainWord.MatchString(name) {
		return r.free(name)
	}
	if words := strings.Fields(name); len(words) > 1 { // a denial, or our own words for why a group rebalances
		for i, w := range words {
			if at := strings.LastIndexByte(w, ':'); at > 0 && !strings.HasPrefix(w, "User:") {
				words[i] = w[:at+1] + r.name("resource", w[at+1:])
			}
		}
		return r.free(strings.Join(words, " "))
	}
	if strings.HasPrefix(name, "/") {
		return r.path(name)
	}
	return r.partition(name)
}
