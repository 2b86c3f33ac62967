package kafka

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A commit that could not be fetched is not a partition without a commit: the
// group is unknown, and the others are told.
func TestCommitsNotTold(t *testing.T) {
	for _, newest := range []int16{9, 7} { // of several groups in a request, and of one
		versions := kversion.Stable()
		versions.SetMaxKeyVersion(int16(kmsg.OffsetFetch), newest)
		cluster := fake(t, kfake.NumBrokers(1), kfake.MaxVersions(versions))
		admin := commitSome(t, cluster.ListenAddrs())
		var o kadm.Offsets
		o.AddOffset("plays", 0, 0, -1)
		if err := admin.CommitAllOffsets(t.Context(), "audit", o); err != nil {
			t.Fatal(err)
		}
		denyOneCommit(cluster)
		billing, audit := fact.Subject{Scope: fact.Group, Name: "billing"}, fact.Subject{Scope: fact.Group, Name: "audit"}
		target := aim(t, cluster.ListenAddrs()...)
		target.Timeout = 5 * time.Second
		must(t, target, Metadata)
		must(t, target, Groups)
		for range 2 {
			seen, err := look(t, target, Offsets)
			if err == nil || !strings.Contains(err.Error(), "the commits of 1 of 2 groups were not told") {
				t.Errorf("version %d: error %v", newest, err)
			}
			u := seen.unknown(t, fact.Offsets, billing)
			if u.Reason != fact.NotAllowed || !strings.Contains(u.Detail, "orders-2") || !strings.Contains(u.How, "--topic") {
				t.Errorf("version %d: %+v", newest, u)
			}
			if all := value(t, seen, fact.Offsets, audit); len(all.Committed) != 1 || all.Committed[0] != 0 {
				t.Errorf("version %d: %+v", newest, all)
			}
		}
	}
}

// denyOneCommit answers OffsetFetch with billing's one commit denied.
func denyOneCommit(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.OffsetFetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		request, answer := r.(*kmsg.OffsetFetchRequest), r.ResponseKind().(*kmsg.OffsetFetchResponse)
		if request.Version < 8 {
			topic, partition, code := commitOf(request.Group)
			answer.Topics = []kmsg.OffsetFetchResponseTopic{{Topic: topic, Partitions: []kmsg.OffsetFetchResponseTopicPartition{{Partition: partition, ErrorCode: code}}}}
			return answer, nil, true
		}
		for _, g := range request.Groups {
			topic, partition, code := commitOf(g.Group)
			answer.Groups = append(answer.Groups, kmsg.OffsetFetchResponseGroup{Group: g.Group, Topics: []kmsg.OffsetFetchResponseGroupTopic{{Topic: topic,
				Partitions: []kmsg.OffsetFetchResponseGroupTopicPartition{{Partition: partition, ErrorCode: code}}}}})
		}
		return answer, nil, true
	})
}

func commitOf(group string) (topic string, partition int32, code int16) {
	if group == "billing" {
		return "orders", 2, kerr.TopicAuthorizationFailed.Code
	}
	return "plays", 0, 0
}

// Members that were not read are unknown, not none: of a streams group, and of one
// that an older broker does not name as of another kind and describes as Dead.
func TestMembersNotRead(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(1))
	cluster.ControlKey(int16(kmsg.ListGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.ListGroupsResponse)
		answer.Groups = []kmsg.ListGroupsResponseGroup{{Group: "stream", GroupState: "Stable", GroupType: "streams"}, {Group: "other", GroupState: "Stable"}}
		return answer, nil, true
	})
	cluster.ControlKey(int16(kmsg.DescribeGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeGroupsResponse)
		for _, id := range r.(*kmsg.DescribeGroupsRequest).Groups {
			answer.Groups = append(answer.Groups, kmsg.DescribeGroupsResponseGroup{Group: id, State: "Dead"})
		}
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	seen := must(t, target, Groups)
	for _, id := range []string{"stream", "other"} {
		s := fact.Subject{Scope: fact.Group, Name: id}
		if u := seen.unknown(t, fact.GroupMembers, s); u.Reason != fact.NotSupported {
			t.Errorf("%s: %+v", id, u)
		}
		if state := value(t, seen, fact.GroupState, s); state != "Stable" {
			t.Errorf("%s: %s", id, state)
		}
	}
}

// Topics whose settings are denied are missing from the columns, and the run says
// so; topics that are gone are no failure.
func TestConfigsNotTold(t *testing.T) {
	cluster := fake(t)
	var denied atomic.Int32
	cluster.ControlKey(int16(kmsg.DescribeConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, asked := range r.(*kmsg.DescribeConfigsRequest).Resources {
			one := kmsg.NewDescribeConfigsResponseResource()
			one.ResourceType, one.ResourceName = asked.ResourceType, asked.ResourceName
			least := kmsg.NewDescribeConfigsResponseResourceConfig()
			least.Name, least.Value = minISR, kmsg.StringPtr("2")
			one.Configs = append(one.Configs, least)
			if code := int16(denied.Load()); code != 0 && asked.ResourceName == "orders" {
				one.ErrorCode, one.Configs = code, nil
			}
			answer.Resources = append(answer.Resources, one)
		}
		return answer, nil, true
	})
	target := aim(t, cluster.ListenAddrs()...)
	target.Timeout = 5 * time.Second
	must(t, target, Metadata)
	topics := func(s seen) []string { return value(t, s, fact.Configs, fact.TheCluster).Topics }
	if all := topics(must(t, target, Configs)); !slices.Equal(all, []string{"orders", "plays"}) {
		t.Fatalf("topics %v", all)
	}
	denied.Store(int32(kerr.TopicAuthorizationFailed.Code))
	for range 2 { // those that may be asked for are asked for again
		seen, err := look(t, target, Configs)
		if all := topics(seen); !slices.Equal(all, []string{"plays"}) {
			t.Errorf("topics %v", all)
		}
		if err == nil || !strings.Contains(err.Error(), "the settings of 1 of 2 topics were not told") || !strings.Contains(err.Error(), "topic orders") {
			t.Errorf("error %v", err)
		}
	}
	denied.Store(int32(kerr.UnknownTopicOrPartition.Code))
	if all := topics(must(t, target, Configs)); !slices.Equal(all, []string{"plays"}) {
		t.Errorf("topics %v", all)
	}
}
