package kafka

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Quotas asks one broker for the limits set on clients.
var Quotas = &probe.Probe{
	Name: "kafka.quotas", Doc: "quotas of clients, by user, client id and address",
	Cost: probe.Cheap, Every: time.Minute,
	Yields:  []fact.Key{fact.Quotas},
	Observe: fromAnyone("kafka.quotas", quotasFrom),
}

func quotasFrom(ctx context.Context, r *roster, p *peer) ([]fact.Observation, error) {
	got, err := r.ask(ctx, p, kmsg.NewPtrDescribeClientQuotasRequest()) // no components match everything
	if err == nil {
		err = refusal(p, "DescribeClientQuotas", got.(*kmsg.DescribeClientQuotasResponse).ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	return []fact.Observation{fact.Quotas.Is(fact.TheCluster, quotasOf(got.(*kmsg.DescribeClientQuotasResponse)))}, nil
}

// quotasOf is the quotas in an answer, in an order that does not change.
func quotasOf(answer *kmsg.DescribeClientQuotasResponse) []fact.ClientQuota {
	all := []fact.ClientQuota{}
	for _, entry := range answer.Entries {
		var entity []fact.QuotaEntity
		for _, e := range entry.Entity {
			one := fact.QuotaEntity{Type: e.Type, Default: e.Name == nil}
			if e.Name != nil {
				one.Name = *e.Name
			}
			entity = append(entity, one)
		}
		slices.SortFunc(entity, byEntity)
		for _, v := range entry.Values {
			all = append(all, fact.ClientQuota{Entity: entity, Key: v.Key, Value: v.Value})
		}
	}
	slices.SortFunc(all, func(a, b fact.ClientQuota) int {
		return cmp.Or(slices.CompareFunc(a.Entity, b.Entity, byEntity), strings.Compare(a.Key, b.Key))
	})
	return all
}

func byEntity(a, b fact.QuotaEntity) int {
	return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name))
}
