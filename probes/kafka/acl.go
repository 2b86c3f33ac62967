package kafka

import (
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// The rights that requests need. On topics, groups and transactional ids they
// are wanted for every one there is: what a user may not describe brokers leave
// out of their lists without a word.
var (
	describeCluster = fact.Right{Operation: "Describe", Resource: "cluster"}
	clusterConfigs  = fact.Right{Operation: "DescribeConfigs", Resource: "cluster"}
	describeTopics  = fact.Right{Operation: "Describe", Resource: "topic"}
	readTopics      = fact.Right{Operation: "Read", Resource: "topic"}
	topicConfigs    = fact.Right{Operation: "DescribeConfigs", Resource: "topic"}
	describeGroups  = fact.Right{Operation: "Describe", Resource: "group"}
	describeTxns    = fact.Right{Operation: "Describe", Resource: "transactional-id"}
)

// needs is the one list of which request needs which rights. A request that is
// not in it anyone may send: ApiVersions, DescribeCluster and those of SASL.
var needs = map[string][]fact.Right{
	"ConsumerGroupDescribe":        {describeGroups, describeTopics},
	"DescribeAcls":                 {describeCluster},
	"DescribeClientQuotas":         {clusterConfigs},
	"DescribeConfigs":              {clusterConfigs, topicConfigs},
	"DescribeGroups":               {describeGroups},
	"DescribeLogDirs":              {describeCluster},
	"DescribeProducers":            {readTopics},
	"DescribeQuorum":               {describeCluster},
	"DescribeShareGroupOffsets":    {describeGroups, describeTopics},
	"DescribeTopicPartitions":      {describeTopics},
	"DescribeTransactions":         {describeTxns, describeTopics},
	"DescribeUserScramCredentials": {describeCluster},
	"Fetch":                        {readTopics},
	"ListGroups":                   {describeGroups},
	"ListOffsets":                  {describeTopics},
	"ListPartitionReassignments":   {describeCluster},
	"ListTransactions":             {describeTxns},
	"Metadata":                     {describeTopics},
	"OffsetFetch":                  {describeGroups, describeTopics},
	"OffsetForLeaderEpoch":         {describeTopics},
	"ShareGroupDescribe":           {describeGroups, describeTopics},
	"StreamsGroupDescribe":         {describeGroups, describeTopics},
}

// asks is the requests that each probe sends, of those in needs; a kind of
// resource behind a request narrows it down. Which broker is at the other end
// of an address that is nobody's own every probe may have to ask.
var asks = map[*probe.Probe][]string{
	Reach:         {},
	Metadata:      {"Metadata"},
	Registered:    {},
	Quorum:        {"DescribeQuorum"},
	Voters:        {"DescribeQuorum", "DescribeConfigs cluster"},
	Configs:       {"DescribeConfigs topic", "Metadata"},
	Eligible:      {"DescribeTopicPartitions", "Metadata"},
	LogDirs:       {"DescribeLogDirs"},
	Groups:        {"ListGroups", "DescribeGroups", "ConsumerGroupDescribe", "ShareGroupDescribe", "StreamsGroupDescribe"},
	ShareOffsets:  {"DescribeShareGroupOffsets"},
	Offsets:       {"OffsetFetch", "ListOffsets", "Metadata"},
	BrokerConfigs: {"DescribeConfigs cluster"},
	Reassigned:    {"ListPartitionReassignments"},
	Quotas:        {"DescribeClientQuotas"},
	Transactions:  {"ListTransactions", "DescribeTransactions"},
	Partitions:    {"ListOffsets", "Metadata"},
	Epochs:        {"OffsetForLeaderEpoch", "Metadata", "OffsetFetch", "ListOffsets"},
	ReplicaEnds:   {"ListOffsets", "Metadata"},
	Batches:       {"Fetch", "Metadata", "OffsetFetch", "ListOffsets", "DescribeConfigs topic"},
	OpenProducers: {"DescribeProducers", "Metadata", "ListOffsets"},
	Certificates:  {},
	Security:      {"DescribeAcls", "DescribeUserScramCredentials", "Metadata"},
}

// Rights is what a probe of this package needs to see all that it can, without
// what follows from another one; nothing for probes of other packages.
func Rights(probes ...*probe.Probe) []fact.Right {
	var all []fact.Right
	for _, p := range probes {
		for _, request := range asks[p] {
			name, resource, _ := strings.Cut(request, " ")
			for _, right := range needs[name] {
				if resource == "" || resource == right.Resource {
					all = append(all, right)
				}
			}
		}
	}
	slices.SortFunc(all, fact.Right.Compare)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(r fact.Right) bool {
		return slices.ContainsFunc(all, func(other fact.Right) bool { return other != r && other.Implies(r) })
	})
}

// rightFor is the right that a request with an error code lacks.
func rightFor(request string, code int16) fact.Right {
	resource := map[int16]string{
		kerr.TopicAuthorizationFailed.Code: "topic", kerr.GroupAuthorizationFailed.Code: "group",
		kerr.ClusterAuthorizationFailed.Code: "cluster", kerr.TransactionalIDAuthorizationFailed.Code: "transactional-id",
	}[code]
	name, _, _ := strings.Cut(request, " ")
	for _, right := range needs[name] {
		if right.Resource == resource {
			return right
		}
	}
	return fact.Right{Operation: "Describe", Resource: resource}
}

// Principal is whom rights must be granted to: the user that settings of a
// client log in as where they say, else User:ktriage.
func Principal(settings map[string]string) string {
	s, err := readSecurity(settings)
	if err != nil || s.user == "" {
		return "User:ktriage"
	}
	return "User:" + s.user
}

// Grant is the kafka-acls command that gives a right to a principal. connect is
// the words that say how to reach the cluster.
func Grant(right fact.Right, principal string, connect ...string) string {
	words := append([]string{"kafka-acls.sh"}, connect...)
	words = append(words, "--add", "--allow-principal", principal, "--operation", right.Operation, "--"+right.Resource)
	if right.Resource != "cluster" {
		words = append(words, "*")
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWord is a word as a shell takes it.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// grant is the command that gives a right to the user of these connections.
func (p *peer) grant(right fact.Right) string {
	who := "User:NAME"
	if p.door != nil && p.door.by() != nil && p.door.by().user != "" {
		who = "User:" + p.door.by().user
	}
	return Grant(right, who)
}
