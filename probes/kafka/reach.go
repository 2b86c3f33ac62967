package kafka

import (
	"context"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Probes is every probe of this package, in the order in which they need each
// other.
var Probes = []*probe.Probe{Reach, Metadata, Registered, Quorum, Voters, Configs, Eligible, LogDirs, Groups, Offsets, ShareOffsets, Partitions, Epochs, ReplicaEnds, Batches,
	BrokerConfigs, Reassigned, Quotas, Transactions, OpenProducers, Security, Certificates}

// Reach connects anew to every broker. That a connection is refused, stays
// silent or is closed is what it observes, and no failure.
var Reach = &probe.Probe{
	Name: "kafka.reach", Doc: "how far a new connection to each broker comes: DNS, TCP, TLS, SASL, ApiVersions",
	Cost: probe.Cheap, Every: 5 * time.Second,
	Yields:  []fact.Key{fact.BrokerReach, fact.BrokerSoftware, fact.BrokerAPIs, fact.BrokerFeatures},
	Observe: observeReach,
}

func observeReach(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	r, err := rosterOf(t)
	if err == nil {
		err = r.survey(ctx, 0)
	}
	if err != nil {
		return nil, err
	}
	var seen []fact.Observation
	for _, p := range r.crew() {
		r.mu.Lock()
		reach, software, apis, features, taken := p.reach, p.software, p.apis, p.features, p.taken
		r.mu.Unlock()
		switch {
		case taken != nil:
			because := probe.Because(taken)
			seen = append(seen, fact.BrokerReach.Unknown(p.subject(), because))
			seen = append(seen, softwareUnknown(p, because)...)
		case reach.Outcome == fact.Answered:
			seen = append(seen, fact.BrokerReach.Is(p.subject(), reach), fact.BrokerSoftware.Is(p.subject(), software))
			if apis != nil {
				seen = append(seen, fact.BrokerAPIs.Is(p.subject(), *apis), featuresSeen(p, features))
			}
		default:
			seen = append(seen, fact.BrokerReach.Is(p.subject(), reach))
			seen = append(seen, softwareUnknown(p, probe.Because(p.unknown(reach)))...)
		}
	}
	return seen, nil
}

// known is the roster after a survey that is fresh enough: what every probe but
// Reach begins with.
func known(ctx context.Context, t *probe.Target) (*roster, error) {
	r, err := rosterOf(t)
	if err == nil {
		err = r.survey(ctx, freshness)
	}
	return r, err
}

// fromAnyone is what a probe does that one broker can answer for all.
func fromAnyone(what string, ask func(context.Context, *roster, *peer) ([]fact.Observation, error)) func(context.Context, *probe.Target) ([]fact.Observation, error) {
	return func(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
		r, err := known(ctx, t)
		if err != nil {
			return nil, err
		}
		return r.anyone(ctx, what, func(ctx context.Context, p *peer) ([]fact.Observation, error) { return ask(ctx, r, p) })
	}
}

// viewed is known, and the view of topics and leaders that probes start from.
func viewed(ctx context.Context, t *probe.Target) (*roster, *fact.MetadataView, error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	view := r.latest()
	if view == nil {
		return nil, nil, errNoView
	}
	return r, view, nil
}

// softwareUnknown is what is observed of the software of a broker that did not answer.
func softwareUnknown(p *peer, because *fact.Unknown) []fact.Observation {
	return []fact.Observation{fact.BrokerSoftware.Unknown(p.subject(), because), fact.BrokerAPIs.Unknown(p.subject(), because), fact.BrokerFeatures.Unknown(p.subject(), because)}
}
