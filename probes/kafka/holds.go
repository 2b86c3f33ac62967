package kafka

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// nobody is a name that no topic, group, transactional id or user has. A broker
// looks first whether it may be told of: one who may see every name is answered
// that there is no such thing, everyone else that it is denied. Nothing else
// tells that lists are incomplete.
const nobody = "ktriage.preflight.no-such-name"

// trials is for each right a request that needs it, and the error code in the
// answer. The right to describe the cluster is told by DescribeCluster.
var trials = map[fact.Right]struct {
	request func() kmsg.Request
	code    func(kmsg.Response) int16
}{
	clusterConfigs: {func() kmsg.Request {
		r := kmsg.NewPtrDescribeClientQuotasRequest()
		part := kmsg.NewDescribeClientQuotasRequestComponent()
		name := nobody
		part.EntityType, part.Match = "user", &name
		r.Components, r.Strict = append(r.Components, part), true
		return r
	}, func(r kmsg.Response) int16 { return r.(*kmsg.DescribeClientQuotasResponse).ErrorCode }},
	describeTopics: {func() kmsg.Request {
		r := kmsg.NewPtrMetadataRequest() // does not create topics
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(nobody)
		r.Topics = append(r.Topics, topic)
		return r
	}, func(r kmsg.Response) int16 {
		return first(r.(*kmsg.MetadataResponse).Topics, func(t kmsg.MetadataResponseTopic) int16 { return t.ErrorCode })
	}},
	readTopics: {func() kmsg.Request {
		r := kmsg.NewPtrDescribeProducersRequest()
		topic := kmsg.NewDescribeProducersRequestTopic()
		topic.Topic, topic.Partitions = nobody, []int32{0}
		r.Topics = append(r.Topics, topic)
		return r
	}, func(r kmsg.Response) int16 {
		return first(r.(*kmsg.DescribeProducersResponse).Topics, func(t kmsg.DescribeProducersResponseTopic) int16 {
			return first(t.Partitions, func(p kmsg.DescribeProducersResponseTopicPartition) int16 { return p.ErrorCode })
		})
	}},
	topicConfigs: {func() kmsg.Request {
		r := kmsg.NewPtrDescribeConfigsRequest()
		topic := kmsg.NewDescribeConfigsRequestResource()
		topic.ResourceType, topic.ResourceName = kmsg.ConfigResourceTypeTopic, nobody
		r.Resources = append(r.Resources, topic)
		return r
	}, func(r kmsg.Response) int16 {
		return first(r.(*kmsg.DescribeConfigsResponse).Resources, func(r kmsg.DescribeConfigsResponseResource) int16 { return r.ErrorCode })
	}},
	describeGroups: {func() kmsg.Request {
		r := kmsg.NewPtrDescribeGroupsRequest()
		r.Groups = []string{nobody}
		return r
	}, func(r kmsg.Response) int16 {
		return first(r.(*kmsg.DescribeGroupsResponse).Groups, func(g kmsg.DescribeGroupsResponseGroup) int16 { return g.ErrorCode })
	}},
	describeTxns: {func() kmsg.Request {
		r := kmsg.NewPtrDescribeTransactionsRequest()
		r.TransactionalIDs = []string{nobody}
		return r
	}, func(r kmsg.Response) int16 {
		return first(r.(*kmsg.DescribeTransactionsResponse).TransactionStates, func(t kmsg.DescribeTransactionsResponseTransactionState) int16 { return t.ErrorCode })
	}},
}

// untoldCode is the code of an answer that holds none.
const untoldCode = -2

// first is the error code of the first of the things in an answer.
func first[T any](all []T, code func(T) int16) int16 {
	if len(all) == 0 {
		return untoldCode
	}
	return code(all[0])
}

// tryRights fills in which of the rights that the probes need the user holds,
// beside those of which it is known. One that was denied lately counts as
// denied: the authorizer logs each denial.
func (r *roster) tryRights(ctx context.Context, l *link, held map[fact.Right]bool, mine *fact.Rights) error {
	for right, trial := range trials {
		key := "right " + right.String()
		r.mu.Lock()
		before, ok := r.denials[key]
		r.mu.Unlock()
		if ok && time.Now().Before(before.until) {
			held[right] = false
			continue
		}
		request := trial.request()
		if l.supports(request) < 0 {
			continue // whoever asks this broker for it learns nothing anyway
		}
		got, err := l.request(ctx, request)
		if err != nil {
			return err
		}
		switch code := trial.code(got); {
		case code == untoldCode || code == kerr.UnsupportedVersion.Code || code == kerr.RequestTimedOut.Code:
		case isDenial(code):
			held[right] = false
			r.mu.Lock()
			r.denials[key] = denial{until: time.Now().Add(backOff)}
			r.mu.Unlock()
		default:
			held[right] = true
		}
	}
	for right, holds := range held {
		if holds {
			mine.Holds = append(mine.Holds, right)
		} else {
			mine.Lacks = append(mine.Lacks, right)
		}
	}
	slices.SortFunc(mine.Holds, fact.Right.Compare)
	slices.SortFunc(mine.Lacks, fact.Right.Compare)
	return nil
}
