package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// brokerSettings is what is read of a broker's settings. None of them can hold
// a secret; Kafka gives those no value anyway.
var brokerSettings = []string{
	quorumVoters, quorumServers, "node.id", "process.roles", "broker.rack", "listeners", "advertised.listeners", "log.dirs", "inter.broker.protocol.version",
	"num.io.threads", "num.network.threads", "num.replica.fetchers", "num.recovery.threads.per.data.dir", "background.threads",
	"queued.max.requests", "max.connections", "max.connections.per.ip", "connections.max.idle.ms", "message.max.bytes",
	"replica.lag.time.max.ms", "replica.fetch.max.bytes", "broker.session.timeout.ms", "broker.heartbeat.interval.ms", "zookeeper.session.timeout.ms",
	"leader.replication.throttled.rate", "follower.replication.throttled.rate", "replica.alter.log.dirs.io.max.bytes.per.second",
	minISR, unclean, "default.replication.factor", "auto.create.topics.enable", "auto.leader.rebalance.enable", "compression.type",
	"log.retention.ms", "log.retention.bytes", "log.segment.bytes", "log.cleaner.enable", "log.flush.interval.messages",
	"offsets.retention.minutes", "offsets.topic.replication.factor", "transaction.state.log.min.isr", "transaction.max.timeout.ms",
	"transaction.abort.timed.out.transaction.cleanup.interval.ms", "group.min.session.timeout.ms", "group.max.session.timeout.ms",
}

// BrokerConfigs asks every broker for its own settings: it does not know those
// of the others.
var BrokerConfigs = &probe.Probe{
	Name: "kafka.broker-configs", Doc: "settings of each broker that matter to a diagnosis: listeners, log dirs, threads, throttles, timeouts, and where they are set",
	Cost: probe.Cheap, Every: 30 * time.Second,
	Yields:  []fact.Key{fact.BrokerConfigs},
	Observe: observeBrokerConfigs,
}

func observeBrokerConfigs(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.each(ctx, "kafka.broker-configs", func(ctx context.Context, p *peer) ([]fact.Observation, error) {
		if p.id < 0 {
			return nil, probe.Fail(fact.NotObserved, p.String()+" does not say which broker it is", p.grant(clusterConfigs))
		}
		request := kmsg.NewPtrDescribeConfigsRequest()
		one := kmsg.NewDescribeConfigsRequestResource()
		one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeBroker, p.name, brokerSettings
		request.Resources = append(request.Resources, one)
		got, err := r.ask(ctx, p, request)
		if err != nil {
			return nil, err
		}
		settings, err := brokerSettingsOf(p, got.(*kmsg.DescribeConfigsResponse))
		if err != nil {
			return nil, err
		}
		r.electorsIn(settings)
		return []fact.Observation{fact.BrokerConfigs.Is(p.subject(), settings)}, nil
	}, func(p *peer, because *fact.Unknown) []fact.Observation {
		return []fact.Observation{fact.BrokerConfigs.Unknown(p.subject(), because)}
	})
}

// brokerSettingsOf is the settings in an answer about one broker, by name.
// Settings without a value, as rates that were never set, are left out.
func brokerSettingsOf(p *peer, answer *kmsg.DescribeConfigsResponse) ([]fact.NamedSetting, error) {
	if len(answer.Resources) != 1 {
		return nil, probe.Fail(fact.Unreadable, fmt.Sprintf("%s answered DescribeConfigs with %d resources, 1 was asked for", p, len(answer.Resources)), "")
	}
	if err := refusal(p, "DescribeConfigs", answer.Resources[0].ErrorCode); err != nil {
		return nil, err
	}
	all := []fact.NamedSetting{}
	for _, c := range answer.Resources[0].Configs {
		if c.Value != nil && !c.IsSensitive {
			all = append(all, fact.NamedSetting{Name: c.Name, Setting: fact.Setting{Value: *c.Value, Source: c.Source.String()}})
		}
	}
	slices.SortFunc(all, func(a, b fact.NamedSetting) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
