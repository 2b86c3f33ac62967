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
		return r.configsOf(ctx, p, view.Topics)
	})
}

// configsOf is what a broker tells of some topics, and beside it an error when it
// did not tell all.
func (r *roster) configsOf(ctx context.Context, p *peer, all []string) ([]fact.Observation, error) {
	var c fact.TopicConfigs
	var why error
	untold := 0
	for topics := range slices.Chunk(all, topicsAtOnce) {
		request := kmsg.NewPtrDescribeConfigsRequest()
		for _, topic := range topics {
			one := kmsg.NewDescribeConfigsRequestResource()
			one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeTopic, topic, []string{minISR, unclean}
			request.Resources = append(request.Resources, one)
		}
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		n, err := addConfigs(&c, p, got.(*kmsg.DescribeConfigsResponse))
		untold += n
		if why == nil {
			why = err
		}
	}
	if why != nil && len(c.Topics) == 0 {
		return nil, why
	}
	seen := []fact.Observation{fact.Configs.Is(fact.TheCluster, c)}
	if why == nil {
		return seen, nil
	}
	// Not a denial: those that were told are to be asked for again.
	u := *probe.Because(why)
	u.Detail = fmt.Sprintf("the settings of %d of %d topics were not told: %s", untold, len(all), u.Detail)
	return seen, &probe.Error{Unknown: &u}
}

// addConfigs appends the settings in an answer. A topic that was not told is left
// out and counted, and the error says why the first was not. One that is gone has
// nothing to tell.
func addConfigs(c *fact.TopicConfigs, p *peer, answer *kmsg.DescribeConfigsResponse) (untold int, why error) {
	slices.SortFunc(answer.Resources, func(a, b kmsg.DescribeConfigsResponseResource) int {
		return strings.Compare(a.ResourceName, b.ResourceName)
	})
	for _, topic := range answer.Resources {
		if topic.ErrorCode == kerr.UnknownTopicOrPartition.Code {
			continue
		}
		err := refusal(p, "DescribeConfigs for topic "+topic.ResourceName, topic.ErrorCode, topicConfigs)
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
