package kafka

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
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

// trial is what came of trying a right.
type trial struct {
	held  bool
	until time.Time // when it is tried again
}

// trialsAgain is for how long a right that is held is not tried again.
const trialsAgain = time.Minute

// holds says whether the user holds a right on everything there is, and whether
// that is known. One that was denied is not tried again for minutes: the
// authorizer logs each denial.
func (r *roster) holds(ctx context.Context, l *link, right fact.Right) (held, known bool, err error) {
	// One at a time, whoever asks: the answer is the same on all brokers. One that
	// hangs holds up the others for a moment only.
	select {
	case r.trying <- struct{}{}:
		defer func() { <-r.trying }()
	case <-time.After(r.patience / 4):
	}
	r.mu.Lock()
	before := r.trials[right]
	r.mu.Unlock()
	if time.Now().Before(before.until) {
		return before.held, true, nil
	}
	code, err := int16(untoldCode), error(nil)
	if right == describeCluster {
		code, err = clusterCode(ctx, l)
	} else if ask := trials[right].request(); l.supports(ask) >= 0 { // else whoever asks this broker for it learns nothing anyway
		var got kmsg.Response
		if got, err = l.request(ctx, ask); err == nil {
			code = trials[right].code(got)
		}
	}
	if err != nil || code == untoldCode || code == kerr.UnsupportedVersion.Code || code == kerr.RequestTimedOut.Code {
		return false, false, err
	}
	now := trial{held: !isDenial(code), until: time.Now().Add(trialsAgain)}
	if !now.held {
		now.until = time.Now().Add(backOff)
	}
	r.mu.Lock()
	r.trials[right] = now
	r.mu.Unlock()
	return now.held, true, nil
}

// clusterCode is the code of a denial, or 0, as the operations tell that the user
// may do on the cluster.
func clusterCode(ctx context.Context, l *link) (int16, error) {
	bits, err := clusterOperations(ctx, l)
	switch {
	case err != nil || bits < 0:
		return untoldCode, err
	case bits&(1<<kmsg.ACLOperationDescribe) == 0:
		return kerr.ClusterAuthorizationFailed.Code, nil
	}
	return 0, nil
}

// clusterOperations asks for the operations on the cluster, as bits; less than
// 0: not told. A user who may not describe the cluster is told of none.
func clusterOperations(ctx context.Context, l *link) (int32, error) {
	ask := kmsg.NewPtrDescribeClusterRequest()
	if l.supports(ask) < 0 {
		return -1, nil
	}
	ask.IncludeClusterAuthorizedOperations = true
	got, err := l.request(ctx, ask)
	if err != nil {
		return -1, err
	}
	answer := got.(*kmsg.DescribeClusterResponse)
	if answer.ErrorCode != 0 {
		return -1, nil
	}
	return answer.ClusterAuthorizedOperations, nil
}

// tryRights says which of the rights that the probes need the user holds.
func (r *roster) tryRights(ctx context.Context, l *link, mine *fact.Rights) error {
	all := append(slices.Collect(maps.Keys(trials)), describeCluster)
	slices.SortFunc(all, fact.Right.Compare)
	for _, right := range all {
		held, known, err := r.holds(ctx, l, right)
		switch {
		case err != nil:
			return err
		case held:
			mine.Holds = append(mine.Holds, right)
		case known:
			mine.Lacks = append(mine.Lacks, right)
		}
	}
	return nil
}

// must is a denial unless the user holds a right, where that is known: a request
// that leaves things out would speak of what is left as of all.
func (r *roster) must(ctx context.Context, p *peer, request string, right fact.Right) error {
	return r.with(ctx, p, func(ctx context.Context, l *link) error {
		held, known, err := r.holds(ctx, l, right)
		if err != nil || held || !known {
			return err
		}
		return &denied{probe.Fail(fact.NotAllowed, p.String()+" would leave out of its answer to "+request+" what the user may not describe", p.grant(right))}
	})
}
