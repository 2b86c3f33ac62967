package kafka

import (
	"cmp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// rangesOf brings the requests that a broker answers into columns, by key.
func rangesOf(answer *kmsg.ApiVersionsResponse) *fact.APIRanges {
	keys := slices.SortedFunc(slices.Values(answer.ApiKeys), func(a, b kmsg.ApiVersionsResponseApiKey) int { return cmp.Compare(a.ApiKey, b.ApiKey) })
	a := &fact.APIRanges{}
	for _, k := range keys {
		a.Key = append(a.Key, k.ApiKey)
		a.Min = append(a.Min, k.MinVersion)
		a.Max = append(a.Max, k.MaxVersion)
	}
	return a
}

// featuresOf is the features in an answer, by name.
func featuresOf(answer *kmsg.ApiVersionsResponse) *fact.Features {
	f := &fact.Features{Epoch: answer.FinalizedFeaturesEpoch}
	for _, one := range answer.FinalizedFeatures {
		f.Finalized = append(f.Finalized, fact.Feature{Name: one.Name, Min: one.MinVersionLevel, Max: one.MaxVersionLevel})
	}
	for _, one := range answer.SupportedFeatures {
		f.Supported = append(f.Supported, fact.Feature{Name: one.Name, Min: one.MinVersion, Max: one.MaxVersion})
	}
	for _, list := range [][]fact.Feature{f.Finalized, f.Supported} {
		slices.SortFunc(list, func(a, b fact.Feature) int { return strings.Compare(a.Name, b.Name) })
	}
	return f
}

// featuresSeen is what is observed of features. A broker that tells no epoch
// does not know what was finalized, which is not the same as that nothing was.
func featuresSeen(p *peer, f *fact.Features) fact.Observation {
	if f.Epoch < 0 {
		return fact.BrokerFeatures.Unknown(p.subject(), &fact.Unknown{Reason: fact.NotSupported, Detail: p.String() + " tells no finalized features"})
	}
	return fact.BrokerFeatures.Is(p.subject(), *f)
}
