package kafka

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Security asks one broker how access is controlled, and what the console
// itself may do. Of credentials only the names of users are kept.
var Security = &probe.Probe{
	Name: "kafka.security", Doc: "number of ACLs, names of SCRAM users, and what this console may do",
	Cost: probe.Cheap, Every: 2 * time.Minute,
	Yields:  []fact.Key{fact.ACLs, fact.SCRAMUsers, fact.Permissions},
	Observe: observeSecurity,
}

// namesOfRights is how many topics with the same rights are named.
const namesOfRights = 5

func observeSecurity(ctx context.Context, t *probe.Target) (seen []fact.Observation, err error) {
	r, err := known(ctx, t)
	if err != nil {
		return nil, err
	}
	questions := []struct {
		key fact.Key
		ask query
	}{{fact.ACLs, r.countACLs}, {fact.SCRAMUsers, r.scramUsers}, {fact.Permissions, r.permissions}}
	told := make([][]fact.Observation, len(questions))
	errs := make([]error, len(questions))
	var all sync.WaitGroup
	for i, q := range questions {
		all.Go(func() { told[i], errs[i] = r.anyone(ctx, q.key.Def().Name, q.ask) })
	}
	all.Wait()
	for i, q := range questions {
		if errs[i] != nil {
			because := probe.Because(errs[i])
			told[i] = []fact.Observation{fact.UnknownEverywhere(q.key, because)}
			if because.Reason != fact.Absent && err == nil {
				err = errs[i]
			}
		}
		seen = append(seen, told[i]...)
	}
	return seen, err
}

func (r *roster) countACLs(ctx context.Context, p *peer) ([]fact.Observation, error) {
	request := kmsg.NewPtrDescribeACLsRequest()
	request.ResourceType, request.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	request.Operation, request.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	got, err := r.ask(ctx, p, request)
	if err != nil {
		return nil, err
	}
	answer := got.(*kmsg.DescribeACLsResponse)
	if answer.ErrorCode == kerr.SecurityDisabled.Code {
		return nil, probe.Fail(fact.Absent, p.String()+" has no authorizer", "")
	}
	if err := refusal(p, "DescribeAcls", answer.ErrorCode); err != nil {
		return nil, err
	}
	n := 0
	for _, resource := range answer.Resources {
		n += len(resource.ACLs)
	}
	return []fact.Observation{fact.ACLs.Is(fact.TheCluster, float64(n))}, nil
}

func (r *roster) scramUsers(ctx context.Context, p *peer) ([]fact.Observation, error) {
	request := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	// No users are all. As null, which means the same, a broker that denies the
	// request fails over it and closes the connection.
	request.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{}
	got, err := r.ask(ctx, p, request)
	if err == nil {
		err = refusal(p, "DescribeUserScramCredentials", got.(*kmsg.DescribeUserSCRAMCredentialsResponse).ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	users := fact.UserNames{}
	for _, one := range got.(*kmsg.DescribeUserSCRAMCredentialsResponse).Results {
		if one.ErrorCode == 0 {
			users = append(users, one.User)
		}
	}
	slices.Sort(users)
	return []fact.Observation{fact.SCRAMUsers.Is(fact.TheCluster, users)}, nil
}

// permissions asks for the operations that the broker's authorizer would allow,
// and tries the rights that the probes need.
func (r *roster) permissions(ctx context.Context, p *peer) ([]fact.Observation, error) {
	var mine fact.Rights
	err := r.with(ctx, p, func(ctx context.Context, l *link) error {
		if err := r.tryRights(ctx, l, &mine); err != nil {
			return err
		}
		mine.Cluster = []string{}
		if slices.Contains(mine.Holds, describeCluster) { // else none is told, and the authorizer logs that it was asked for
			bits, err := clusterOperations(ctx, l)
			if err != nil {
				return err
			}
			mine.Cluster = operations(bits)
		}
		topics := kmsg.NewPtrMetadataRequest() // nil topics are all; none is created
		topics.IncludeTopicAuthorizedOperations = true
		got, err := l.request(ctx, topics)
		if err != nil {
			return err
		}
		mine.Topics = topicRights(got.(*kmsg.MetadataResponse))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []fact.Observation{fact.Permissions.Is(fact.TheCluster, mine)}, nil
}

// operations is the operations in a set of bits, as Kafka writes it; none when
// the broker does not tell.
func operations(bits int32) []string {
	all := []string{}
	if bits < 0 { // the smallest number there is: not told
		return all
	}
	for op := kmsg.ACLOperationRead; op <= kmsg.ACLOperationDescribeTokens; op++ {
		if bits&(1<<op) != 0 {
			all = append(all, op.String())
		}
	}
	return all
}

// topicRights folds topics with the same rights.
func topicRights(answer *kmsg.MetadataResponse) []fact.TopicRights {
	byBits := map[int32][]string{}
	for _, t := range answer.Topics {
		if t.Topic != nil && t.ErrorCode == 0 {
			byBits[t.AuthorizedOperations] = append(byBits[t.AuthorizedOperations], *t.Topic)
		}
	}
	all := []fact.TopicRights{}
	for _, bits := range slices.Sorted(maps.Keys(byBits)) {
		names := byBits[bits]
		slices.SortFunc(names, strings.Compare)
		all = append(all, fact.TopicRights{Operations: operations(bits), Count: len(names), Some: names[:min(len(names), namesOfRights)]})
	}
	return all
}
