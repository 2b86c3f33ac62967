package kafka

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	minISR  = "min.insync.replicas"
	unclean = "unclean.leader.election.enable"
)

// topicsAtOnce bounds how many topics one request names.
const topicsAtOnce = 1000

// Configs asks one broker for the two settings of topics that decide what a
// short ISR means.
var Configs = &probe.Probe{
	Name: "kafka.configs", Doc: minISR + " and " + unclean + " of every topic, and where they are set",
	Cost: probe.Cheap, Every: 10 * time.Second, Needs: []*probe.Probe{Metadata},
	Yields:  []fact.Key{fact.Configs},
	Observe: observeConfigs,
}

// errNoView is the error of probes that must know topics when no broker told any.
var errNoView = probe.Fail(fact.NotYet, "no broker has told its metadata", "")

func observeConfigs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	view := r.latest()
	if view == nil {
		return nil, errNoView
	}
	return r.anyone(ctx, "kafka.configs", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		var c fact.TopicConfigs
		for topics := range slices.Chunk(view.Topics, topicsAtOnce) {
			request := kmsg.NewPtrDescribeConfigsRequest()
			for _, topic := range topics {
				one := kmsg.NewDescribeConfigsRequestResource()
				one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, []string{minISR, unclean}
				request.Resources = append(request.Resources, one)
			}
			got, err := r.ask(ctx, p, request)
			if err == nil {
				err = addConfigs(&c, p, got.(*kmsg.DescribeConfigsResponse))
			}
			if err != nil {
				return nil, err
			}
		}
		return []fact.Observation{fact.Configs.Is(fact.TheCluster, c)}, nil
	})
}

// addConfigs appends the settings in an answer. A topic that cannot be told, as
// it was just deleted, say, is left out; an error is for when none can.
func addConfigs(c *fact.TopicConfigs, p *peer, answer *kmsg.DescribeConfigsResponse) error {
	slices.SortFunc(answer.Resources, func(a, b kmsg.DescribeConfigsResponseResource) int {
		return strings.Compare(a.ResourceName, b.ResourceName)
	})
	added := 0
	for _, topic := range answer.Resources {
		if topic.ErrorCode != 0 {
			continue
		}
		least, source, may, ok := settings(topic.Configs)
		if !ok {
			continue
		}
		added++
		c.Topics = append(c.Topics, topic.ResourceName)
		c.MinISR = append(c.MinISR, least)
		c.MinISRSource = append(c.MinISRSource, source)
		c.Unclean = append(c.Unclean, may)
	}
	if added == 0 && len(answer.Resources) > 0 {
		return refusal(p, "DescribeConfigs", answer.Resources[0].ErrorCode, topicConfigs)
	}
	return nil
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
