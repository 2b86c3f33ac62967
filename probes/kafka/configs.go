package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	minISR  = "min.insync.replicas"
	unclean = "unclean.leader.election.enable"
	tiered  = "remote.storage.enable"
)

// topicsAtOnce bounds how many topics one request names.
const topicsAtOnce = 1000

// otherTopicSettings is what else is read of topics: each is a column.
var otherTopicSettings = []string{"cleanup.policy", "compression.type", "max.message.bytes", tiered, "retention.bytes", "retention.ms",
	"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"}

// Configs asks one broker for the settings of topics: the two that decide what
// a short ISR means, and what explains growth, deletion and throttling.
var Configs = &probe.Probe{
	Name: "kafka.configs", Doc: minISR + ", " + unclean + ", retention, compression and throttles of every topic, and where they are set",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata},
	Yields:  []fact.Key{fact.Configs},
	Observe: observeConfigs,
}

// errNoView is the error of probes that must know topics when no broker told any.
var errNoView = probe.Fail(fact.NotYet, "no broker has told its metadata", "")

func observeConfigs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, view, err := viewed(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.anyone(ctx, "kafka.configs", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		return r.configsOf(ctx, p, view.Topics)
	})
}

// configsOf is what a broker tells of some topics, and beside it an error when it
// did not tell all.
func (r *roster) configsOf(ctx context.Context, p *peer, all []string) ([]fact.Observation, error) {
	c := newSettings(otherTopicSettings)
	var why error
	untold := 0
	for topics := range slices.Chunk(all, topicsAtOnce) {
		request := kmsg.NewPtrDescribeConfigsRequest()
		for _, topic := range topics {
			one := kmsg.NewDescribeConfigsRequestResource()
			one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, append([]string{minISR, unclean}, otherTopicSettings...)
			request.Resources = append(request.Resources, one)
		}
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		n, err := c.addTopics(p, got.(*kmsg.DescribeConfigsResponse))
		untold += n
		if why == nil {
			why = err
		}
	}
	if why != nil && len(c.configs.Topics) == 0 {
		return nil, why
	}
	r.placed(&c.configs)
	seen := []fact.Observation{fact.Configs.Is(fact.TheCluster, c.configs)}
	if why == nil {
		return seen, nil
	}
	// Not a denial: those that were told are to be asked for again.
	u := *probe.Because(why)
	u.Detail = fmt.Sprintf("the settings of %d of %d topics were not told: %s", untold, len(all), u.Detail)
	return seen, &probe.Error{Unknown: &u}
}

// placed notes which topics are on the brokers' own disks alone.
func (r *roster) placed(c *fact.TopicConfigs) {
	onDisk := make(map[string]bool, len(c.Topics))
	for i, topic := range c.Topics {
		if s, told := c.Of(tiered, i); !told || s.Value != "true" { // Kafka before 3.6 has no tiers
			onDisk[topic] = true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onDisk = onDisk
}

// topicSettings fills columns. A pair of value and source that was met before is
// found again by index.
type topicSettings struct {
	configs fact.TopicConfigs
	index   []map[fact.Setting]int32 // of each column
}

func newSettings(names []string) *topicSettings {
	s := &topicSettings{}
	for _, name := range names {
		s.configs.Others = append(s.configs.Others, fact.SettingColumn{Name: name})
		s.index = append(s.index, map[fact.Setting]int32{})
	}
	return s
}

// add appends what is told of one topic to every column.
func (s *topicSettings) add(told []kmsg.DescribeConfigsResponseResourceConfig) {
	for i := range s.configs.Others {
		column := &s.configs.Others[i]
		at := int32(-1)
		for _, one := range told {
			if one.Name != column.Name || one.Value == nil {
				continue
			}
			setting := fact.Setting{Value: *one.Value, Source: one.Source.String()}
			known, met := s.index[i][setting]
			if !met {
				known = int32(len(column.Distinct))
				s.index[i][setting] = known
				column.Distinct = append(column.Distinct, setting)
			}
			at = known
		}
		column.Of = append(column.Of, at)
	}
}

// addTopics appends the settings in an answer. A topic that was not told is left
// out and counted, and the error says why the first was not. One that is gone has
// nothing to tell.
func (s *topicSettings) addTopics(p *peer, answer *kmsg.DescribeConfigsResponse) (untold int, why error) {
	c := &s.configs
	slices.SortFunc(answer.Resources, func(a, b kmsg.DescribeConfigsResponseResource) int {
		return strings.Compare(a.ResourceName, b.ResourceName)
	})
	for _, topic := range answer.Resources {
		if topic.ErrorCode == kerr.UnknownTopicOrPartition.Code {
			continue
		}
		err := refusal(p, "DescribeConfigs for topic "+topic.ResourceName, topic.ErrorCode)
		least, source, may, ok := settings(topic.Configs)
		if err == nil && !ok {
			err = probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered DescribeConfigs for topic %s without %s", p, topic.ResourceName, minISR), "")
		}
		if err != nil {
			untold++
			if why == nil {
				why = err
			}
			continue
		}
		c.Topics = append(c.Topics, topic.ResourceName)
		c.MinISR = append(c.MinISR, least)
		c.MinISRSource = append(c.MinISRSource, source)
		c.Unclean = append(c.Unclean, may)
		s.add(topic.Configs)
	}
	return untold, why
}

func settings(configs []kmsg.DescribeConfigsResponseResourceConfig) (least int32, source string, may, ok bool) {
	for _, c := range configs {
		if c.Value == nil {
			continue
		}
		switch c.Name {
		case minISR:
			n, err := strconv.ParseInt(*c.Value, 10, 32)
			if err == nil {
				least, source, ok = int32(n), c.Source.String(), true
			}
		case unclean:
			may = *c.Value == "true"
		}
	}
	return least, source, may, ok
}
