package kafka

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Metadata asks every broker for its own view of the cluster. Two brokers can
// disagree, which no client's cache would show.
var Metadata = &probe.Probe{
	Name: "kafka.metadata", Doc: "brokers, topics and partitions as each broker tells them",
	Cost: probe.Cheap, Every: 5 * time.Second,
	Yields:  []fact.Key{fact.Metadata},
	Observe: observeMetadata,
}

func observeMetadata(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	seen, err := r.each(ctx, "kafka.metadata", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		request := kmsg.NewPtrMetadataRequest() // nil topics are all topics; none is created
		got, err := r.ask(ctx, p, request)
		if err == nil {
			err = refusal(p, "Metadata", got.(*kmsg.MetadataResponse).ErrorCode)
		}
		if err != nil {
			return nil, err
		}
		return []fact.Observation{fact.Metadata.Is(p.subject(), viewOf(got.(*kmsg.MetadataResponse)))}, nil
	}, func(p *peer, because *fact.Unknown) []fact.Observation {
		return []fact.Observation{fact.Metadata.Unknown(p.subject(), because)}
	})
	r.choose(seen)
	if view := r.latest(); view != nil {
		pointAtStuck(&t.Suspects, view)
	}
	return seen, err
}

// choose keeps the view that has seen the most elections, for the probes that
// need to know topics and leaders.
func (r *roster) choose(seen []fact.Observation) {
	var newest *fact.MetadataView
	most := int64(-1)
	for _, o := range seen {
		view, ok := o.Value.(fact.MetadataView)
		if !ok {
			continue
		}
		elections := int64(0)
		for _, e := range view.Epoch {
			elections += int64(e)
		}
		if elections > most {
			newest, most = &view, elections
		}
	}
	if newest == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view = newest
	for _, b := range newest.Brokers {
		r.hear(b.ID, addressOf(b))
	}
}

// latest is the view that choose kept; nil before the first.
func (r *roster) latest() *fact.MetadataView {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view
}

// viewOf brings an answer into columns, sorted by topic and partition.
func viewOf(m *kmsg.MetadataResponse) fact.MetadataView {
	v := fact.MetadataView{Controller: m.ControllerID}
	if m.ClusterID != nil {
		v.ClusterID = *m.ClusterID
	}
	for _, b := range m.Brokers {
		a := fact.BrokerAddress{ID: b.NodeID, Host: b.Host, Port: b.Port}
		if b.Rack != nil {
			a.Rack = *b.Rack
		}
		v.Brokers = append(v.Brokers, a)
	}
	slices.SortFunc(v.Brokers, func(a, b fact.BrokerAddress) int { return cmp.Compare(a.ID, b.ID) })
	topics := slices.DeleteFunc(m.Topics, func(t kmsg.MetadataResponseTopic) bool { return t.Topic == nil })
	slices.SortFunc(topics, func(a, b kmsg.MetadataResponseTopic) int { return strings.Compare(*a.Topic, *b.Topic) })
	grow(&v, topics)
	for i, t := range topics {
		slices.SortFunc(t.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return cmp.Compare(a.Partition, b.Partition) })
		v.Topics = append(v.Topics, *t.Topic)
		v.Internal = append(v.Internal, t.IsInternal)
		for _, p := range t.Partitions {
			v.Topic = append(v.Topic, int32(i))
			v.Partition = append(v.Partition, p.Partition)
			v.Leader = append(v.Leader, p.Leader)
			v.Epoch = append(v.Epoch, p.LeaderEpoch)
			v.Error = append(v.Error, p.ErrorCode)
			v.Replicas.Add(p.Replicas)
			v.ISR.Add(p.ISR)
			v.Offline.Add(p.OfflineReplicas)
		}
	}
	return v
}

// grow makes room in one step: there may be a million partitions.
func grow(v *fact.MetadataView, topics []kmsg.MetadataResponseTopic) {
	partitions, replicas := 0, 0
	for _, t := range topics {
		partitions += len(t.Partitions)
		for _, p := range t.Partitions {
			replicas += len(p.Replicas)
		}
	}
	v.Topics, v.Internal = make([]string, 0, len(topics)), make([]bool, 0, len(topics))
	for _, column := range []*[]int32{&v.Topic, &v.Partition, &v.Leader, &v.Epoch, &v.Replicas.Ends, &v.ISR.Ends, &v.Offline.Ends} {
		*column = make([]int32, 0, partitions)
	}
	v.Error = make([]int16, 0, partitions)
	v.Replicas.Items, v.ISR.Items = make([]int32, 0, replicas), make([]int32, 0, replicas)
}

func addressOf(b fact.BrokerAddress) string {
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}
