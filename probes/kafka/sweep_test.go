package kafka

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

const (
	manyTopics = 10000
	perTopic   = 10
	manyGroups = 3000
	perGroup   = 10 // members, a topic of ten partitions between them
)

// BenchmarkSweep is one round of all probes against a cluster of 100 000
// partitions and 3000 groups with 30 000 members. The cluster is forged in this
// process: the time it takes to write the answers is part of what is measured.
func BenchmarkSweep(b *testing.B) {
	cluster := crowd(b)
	target := &probe.Target{Bootstrap: cluster.ListenAddrs(), Timeout: time.Minute, Version: "test", Now: time.Now, Ledger: &probe.Ledger{}}
	defer target.Close()
	var kept [][]fact.Observation
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	took := map[string]time.Duration{}
	b.ReportAllocs()
	for b.Loop() {
		kept = nil
		for _, p := range Probes {
			began := time.Now()
			ctx, cancel := context.WithTimeout(b.Context(), target.Timeout)
			seen, err := p.Observe(ctx, target)
			cancel()
			if err != nil && probe.Because(err).Reason != fact.Absent {
				b.Fatalf("%s: %v", p.Name, err)
			}
			took[p.Name] += time.Since(began)
			kept = append(kept, seen)
		}
	}
	complete(b, kept)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
	for _, p := range Probes {
		b.ReportMetric(took[p.Name].Seconds()*1000/float64(b.N), p.Name+"-ms")
	}
	runtime.KeepAlive(kept)
}

// complete fails the benchmark of a sweep that saw less than there is.
func complete(b *testing.B, kept [][]fact.Observation) {
	b.Helper()
	partitions, rosters, offsets := 0, 0, 0
	for _, seen := range kept {
		for _, o := range seen {
			switch v := o.Value.(type) {
			case fact.MetadataView:
				partitions += len(v.Partition)
			case fact.Roster:
				rosters += len(v.Partition.Items)
			case fact.GroupOffsets:
				for i := range v.Committed {
					if v.LogEnd[i] == 200 && v.LastStable[i] == 200 {
						offsets++
					}
				}
			}
		}
	}
	if partitions != 3*manyTopics*perTopic || rosters != manyGroups*perTopic || offsets != manyGroups*perTopic {
		b.Fatalf("%d partitions, %d assigned, %d offsets", partitions, rosters, offsets)
	}
}

// crowd is a cluster of three brokers whose answers are forged. Group n consumes
// topic n and is coordinated by broker n modulo 3.
func crowd(b *testing.B) *kfake.Cluster {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.ClusterID("cluster"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cluster.Close)
	metadata := wide(manyTopics, perTopic)
	metadata.Brokers = nil
	for id, address := range cluster.ListenAddrs() {
		var port int32
		fmt.Sscanf(address, "127.0.0.1:%d", &port)
		metadata.Brokers = append(metadata.Brokers, kmsg.MetadataResponseBroker{NodeID: int32(id), Host: "127.0.0.1", Port: port})
	}
	for i := range metadata.Topics {
		for j := range metadata.Topics[i].Partitions {
			p := &metadata.Topics[i].Partitions[j]
			p.Leader, p.Replicas, p.ISR, p.OfflineReplicas = p.Partition%3, []int32{0, 1, 2}, []int32{0, 1, 2}, nil
		}
	}
	byName := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range metadata.Topics {
		byName[*t.Topic] = t
	}
	forge := func(key kmsg.Key, answer func(kmsg.Request) kmsg.Response) {
		cluster.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			a := answer(r)
			a.SetVersion(r.GetVersion())
			return a, nil, true
		})
	}
	forge(kmsg.Metadata, func(r kmsg.Request) kmsg.Response {
		all := *metadata
		if asked := r.(*kmsg.MetadataRequest).Topics; asked != nil {
			all.Topics = nil
			for _, t := range asked {
				all.Topics = append(all.Topics, byName[*t.Topic])
			}
		}
		return &all
	})
	forge(kmsg.ListGroups, func(kmsg.Request) kmsg.Response { return listOf(cluster.CurrentNode()) })
	forge(kmsg.DescribeGroups, describeMany)
	forge(kmsg.OffsetFetch, fetchMany)
	forge(kmsg.ListOffsets, endsOfMany)
	forge(kmsg.DescribeConfigs, configsOfMany)
	forge(kmsg.DescribeLogDirs, func(r kmsg.Request) kmsg.Response { return dirOfMany(r) })
	return cluster
}

func listOf(node int32) kmsg.Response {
	a := kmsg.NewPtrListGroupsResponse()
	for n := int(node); n < manyGroups; n += 3 {
		a.Groups = append(a.Groups, kmsg.ListGroupsResponseGroup{Group: fmt.Sprintf("group-%06d", n), ProtocolType: "consumer", GroupState: "Stable", GroupType: "classic"})
	}
	return a
}

// topicOf is the topic that a group consumes.
func topicOf(group string) string { return "topic-" + group[len("group-"):] }

func describeMany(r kmsg.Request) kmsg.Response {
	a := kmsg.NewPtrDescribeGroupsResponse()
	for _, id := range r.(*kmsg.DescribeGroupsRequest).Groups {
		g := kmsg.NewDescribeGroupsResponseGroup()
		g.Group, g.State, g.ProtocolType, g.Protocol = id, "Stable", "consumer", "range"
		for m := range int32(perGroup) {
			one := kmsg.NewDescribeGroupsResponseGroupMember()
			one.MemberID, one.ClientID, one.ClientHost = fmt.Sprintf("%s-consumer-%d-4b1f2c9e", id, m), "consumer", "/10.0.0.1"
			said := kmsg.ConsumerMemberMetadata{Version: 1, Topics: []string{topicOf(id)}}
			given := kmsg.ConsumerMemberAssignment{Topics: []kmsg.ConsumerMemberAssignmentTopic{{Topic: topicOf(id), Partitions: []int32{m}}}}
			one.ProtocolMetadata, one.MemberAssignment = said.AppendTo(nil), given.AppendTo(nil)
			g.Members = append(g.Members, one)
		}
		a.Groups = append(a.Groups, g)
	}
	return a
}

func fetchMany(r kmsg.Request) kmsg.Response {
	a := kmsg.NewPtrOffsetFetchResponse()
	for _, asked := range r.(*kmsg.OffsetFetchRequest).Groups {
		g := kmsg.NewOffsetFetchResponseGroup()
		g.Group = asked.Group
		t := kmsg.NewOffsetFetchResponseGroupTopic()
		t.Topic = topicOf(asked.Group)
		for p := range int32(perTopic) {
			one := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			one.Partition, one.Offset = p, 100
			t.Partitions = append(t.Partitions, one)
		}
		g.Topics = append(g.Topics, t)
		a.Groups = append(a.Groups, g)
	}
	return a
}

func endsOfMany(r kmsg.Request) kmsg.Response {
	a := kmsg.NewPtrListOffsetsResponse()
	for _, asked := range r.(*kmsg.ListOffsetsRequest).Topics {
		t := kmsg.NewListOffsetsResponseTopic()
		t.Topic = asked.Topic
		for _, p := range asked.Partitions {
			one := kmsg.NewListOffsetsResponseTopicPartition()
			one.Partition, one.Offset = p.Partition, 200
			if p.Timestamp == -2 {
				one.Offset = 0
			}
			t.Partitions = append(t.Partitions, one)
		}
		a.Topics = append(a.Topics, t)
	}
	return a
}

func configsOfMany(r kmsg.Request) kmsg.Response {
	a := kmsg.NewPtrDescribeConfigsResponse()
	for _, asked := range r.(*kmsg.DescribeConfigsRequest).Resources {
		one := kmsg.NewDescribeConfigsResponseResource()
		one.ResourceType, one.ResourceName = asked.ResourceType, asked.ResourceName
		for _, name := range asked.ConfigNames {
			c := kmsg.NewDescribeConfigsResponseResourceConfig()
			c.Name, c.Value, c.Source = name, kmsg.StringPtr("2"), kmsg.ConfigSourceDefaultConfig
			one.Configs = append(one.Configs, c)
		}
		a.Resources = append(a.Resources, one)
	}
	return a
}

func dirOfMany(kmsg.Request) kmsg.Response {
	a := kmsg.NewPtrDescribeLogDirsResponse()
	d := kmsg.NewDescribeLogDirsResponseDir()
	d.Dir, d.TotalBytes, d.UsableBytes = "/data", 1e12, 5e11
	for n := range manyTopics {
		t := kmsg.NewDescribeLogDirsResponseDirTopic()
		t.Topic = fmt.Sprintf("topic-%06d", n)
		for p := range int32(perTopic) {
			t.Partitions = append(t.Partitions, kmsg.DescribeLogDirsResponseDirTopicPartition{Partition: p, Size: 1000})
		}
		d.Topics = append(d.Topics, t)
	}
	a.Dirs = append(a.Dirs, d)
	return a
}
