package guard

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// minHeader is the size of key, version, correlation id and an absent client id.
const minHeader = 10

// allowed is every request that reads only, and what it is read for: the reason
// why it is here. Everything else, also what future brokers may bring, is
// refused. DescribeDelegationToken (41) is missing although it only reads, for
// it answers with secrets; the ValidateOnly variants of requests that change
// things are missing, for they want rights to change.
var allowed = map[kmsg.Key]string{
	kmsg.Fetch:                        "batch headers around an offset", // not every one, see fetch.go
	kmsg.ListOffsets:                  "where logs begin and end",
	kmsg.Metadata:                     "brokers, topics and partitions", // not every one, see below
	kmsg.OffsetFetch:                  "what groups have committed",
	kmsg.FindCoordinator:              "who coordinates a group", // not every one, see below
	kmsg.DescribeGroups:               "members of classic groups",
	kmsg.ListGroups:                   "which groups there are",
	kmsg.SASLHandshake:                "how to authenticate", // not every one, see below
	kmsg.ApiVersions:                  "what a broker answers",
	kmsg.OffsetForLeaderEpoch:         "where an epoch ends",
	kmsg.DescribeACLs:                 "how many ACLs there are",
	kmsg.DescribeConfigs:              "settings and where they are set",
	kmsg.DescribeLogDirs:              "log dirs and their errors",
	kmsg.SASLAuthenticate:             "authentication",
	kmsg.ListPartitionReassignments:   "moves under way",
	kmsg.DescribeClientQuotas:         "quotas",
	kmsg.DescribeUserSCRAMCredentials: "names of users",
	kmsg.DescribeQuorum:               "the controller quorum",
	kmsg.DescribeCluster:              "registered brokers, controllers",
	kmsg.DescribeProducers:            "who holds back a last stable offset",
	kmsg.DescribeTransactions:         "age of transactions",
	kmsg.ListTransactions:             "open transactions",
	kmsg.ConsumerGroupDescribe:        "members of consumer groups",
	kmsg.ListConfigResources:          "which configs there are",
	kmsg.DescribeTopicPartitions:      "eligible leaders",
	kmsg.ShareGroupDescribe:           "members of share groups",
	kmsg.StreamsGroupDescribe:         "members of streams groups",
	kmsg.DescribeShareGroupOffsets:    "where share groups are",
}

// internal is the topic that holds the coordinators of a FindCoordinator type.
var internal = map[int8]string{0: "__consumer_offsets", 1: "__transaction_state", 2: "__share_group_state"}

// Check says whether a request, without its size, may be sent; the error wraps
// ErrRefused and names the request.
func Check(request []byte, exists func(topic string) bool) error {
	if len(request) < minHeader {
		return fmt.Errorf("%w: %d bytes are no request, a header of %d is expected", ErrRefused, len(request), minHeader)
	}
	key := int16(binary.BigEndian.Uint16(request))
	version := int16(binary.BigEndian.Uint16(request[2:]))
	name := kmsg.NameForKey(key)
	if _, reads := allowed[kmsg.Key(key)]; !reads {
		return fmt.Errorf("%w: %s (key %d) is not among the requests that only read", ErrRefused, name, key)
	}
	r := kmsg.RequestForKey(key)
	if version < 0 || version > r.MaxVersion() {
		return fmt.Errorf("%w: %s version %d, 0 to %d are known", ErrRefused, name, version, r.MaxVersion())
	}
	r.SetVersion(version)
	if why := sideEffect(r, request, exists); why != "" {
		return fmt.Errorf("%w: %s version %d %s", ErrRefused, name, version, why)
	}
	return nil
}

// sideEffect says what an allowed request would change after all, or why that
// cannot be told; "" when nothing.
func sideEffect(r kmsg.Request, request []byte, exists func(string) bool) string {
	switch r.(type) {
	case *kmsg.MetadataRequest, *kmsg.FindCoordinatorRequest, *kmsg.ListOffsetsRequest, *kmsg.OffsetForLeaderEpochRequest, *kmsg.FetchRequest:
		body, ok := body(request, r.IsFlexible())
		// Written again it must be the same bytes, or a broker might read it otherwise.
		if !ok || r.ReadFrom(body) != nil || !bytes.Equal(r.AppendTo(nil), body) {
			return "cannot be read"
		}
	}
	switch r := r.(type) {
	case *kmsg.MetadataRequest:
		if r.Version < 4 || r.AllowAutoTopicCreation {
			return "would create missing topics"
		}
	case *kmsg.FindCoordinatorRequest:
		topic, known := internal[r.CoordinatorType]
		if !known || !exists(topic) {
			return fmt.Sprintf("would create the internal topic %q where it is missing", topic)
		}
	case *kmsg.ListOffsetsRequest:
		// -2 is who debugs: it is answered by followers too, and leaves no trace.
		if r.ReplicaID != -1 && r.ReplicaID != -2 {
			return "poses as a replica"
		}
	case *kmsg.OffsetForLeaderEpochRequest:
		if r.Version >= 3 && r.ReplicaID != -1 {
			return "poses as a replica"
		}
	case *kmsg.FetchRequest:
		return unbounded(r)
	case *kmsg.SASLHandshakeRequest:
		if r.Version < 1 {
			return "would be followed by bytes that are no requests"
		}
	}
	return ""
}

// body is what follows the header of a request: key, version, correlation id,
// client id and, when flexible, tagged fields.
func body(request []byte, flexible bool) ([]byte, bool) {
	client := int(int16(binary.BigEndian.Uint16(request[8:])))
	at := minHeader + max(0, client)
	if at > len(request) {
		return nil, false
	}
	rest := request[at:]
	if !flexible {
		return rest, true
	}
	// ktriage writes no tagged fields in headers; one byte says so.
	if len(rest) == 0 || rest[0] != 0 {
		return nil, false
	}
	return rest[1:], true
}
