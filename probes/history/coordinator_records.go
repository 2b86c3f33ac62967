package history

import (
	"errors"
	"fmt"
)

// The types of records in the partitions of __consumer_offsets, by the number
// that their keys begin with.
const (
	oldOffset      = 0
	offsetCommit   = 1
	classicGroup   = 2
	consumerGroup  = 3
	consumerMember = 5
	consumerTarget = 6
	shareMember    = 10
	shareGroup     = 11
	shareTarget    = 12
	streamsGroup   = 17
	streamsMember  = 19
	streamsTarget  = 20
)

// keyed is a type of record of a coordinator: its key, and its value where that
// tells something here.
type keyed struct {
	key   layout
	value *layout // nil: such records are counted, with the group that they are of
}

var (
	ofGroup     = []field{{name: "GroupId", kind: texts, to: group}}
	ofMember    = []field{{name: "GroupId", kind: texts, to: group}, {name: "MemberId", kind: texts, to: name}}
	ofClassic   = []field{{name: "group", kind: texts, to: group}}
	ofOffset    = []field{{name: "group", kind: texts, to: group}, {name: "topic", kind: texts, to: name}, {name: "partition", kind: int32s, to: partitionID}}
	ofPattern   = []field{{name: "GroupId", kind: texts, to: group}, {name: "RegularExpression", kind: texts}}
	textPair    = []field{{name: "Key", kind: texts}, {name: "Value", kind: texts}}
	theTarget   = []field{{name: "AssignmentEpoch", kind: int32s, to: epoch}, {name: "AssignmentTimestamp", kind: int64s, to: stamp, tagged: true}}
	offsetValue = []field{ // metadata, the client's own words, is passed over
		{name: "offset", kind: int64s, to: committed},
		{name: "leaderEpoch", kind: int32s, to: leaderEpoch, since: 3},
		{name: "metadata", kind: texts},
		{name: "commitTimestamp", kind: int64s, to: stamp},
		{name: "expireTimestamp", kind: int64s, to: expiry, since: 1, until: 1},
		{name: "topicId", kind: uuids, to: topicID, since: 4, tagged: true},
	}
	classicValue = []field{
		{name: "protocolType", kind: texts, to: value},
		{name: "generation", kind: int32s, to: generation},
		{name: "protocol", kind: texts, to: protocol},
		{name: "leader", kind: texts, to: leader},
		{name: "currentStateTimestamp", kind: int64s, to: stamp, since: 2},
		{name: "members", kind: rows, to: members, of: []field{ // what they subscribe and are assigned is the client's: passed over
			{name: "memberId", kind: texts, to: name},
			{name: "groupInstanceId", kind: texts, to: value, since: 3},
			{name: "clientId", kind: texts, to: clientID},
			{name: "clientHost", kind: texts, to: host},
			{name: "rebalanceTimeout", kind: int32s, since: 1},
			{name: "sessionTimeout", kind: int32s, to: timeout},
			{name: "subscription", kind: blobs},
			{name: "assignment", kind: blobs},
		}},
	}
	memberValue = []field{
		{name: "InstanceId", kind: texts, to: value},
		{name: "RackId", kind: texts, to: rack},
		{name: "ClientId", kind: texts, to: clientID},
		{name: "ClientHost", kind: texts, to: host},
		{name: "SubscribedTopicNames", kind: textSet},
		{name: "SubscribedTopicRegex", kind: texts},
		{name: "RebalanceTimeoutMs", kind: int32s, to: timeout},
		{name: "ServerAssignor", kind: texts, to: protocol},
	}
	streamsValue = []field{
		{name: "InstanceId", kind: texts, to: value},
		{name: "RackId", kind: texts, to: rack},
		{name: "ClientId", kind: texts, to: clientID},
		{name: "ClientHost", kind: texts, to: host},
		{name: "RebalanceTimeoutMs", kind: int32s, to: timeout},
		{name: "TopologyEpoch", kind: int32s},
		{name: "ProcessId", kind: texts},
		{name: "UserEndpoint", kind: single, of: []field{{name: "Host", kind: texts}, {name: "Port", kind: int16s}}},
		{name: "ClientTags", kind: rows, of: textPair},
	}
)

// groupRecords is what is read of each type. Kafka gave numbers 9 and 18 up
// again; all others are there in 4.3.
var groupRecords = map[int]*keyed{
	oldOffset:      {layout{name: "OffsetCommitKey", flexible: -1, fields: ofOffset}, &layout{name: "OffsetCommitValue", newest: 4, flexible: 4, fields: offsetValue}},
	offsetCommit:   {layout{name: "OffsetCommitKey", flexible: -1, fields: ofOffset}, &layout{name: "OffsetCommitValue", newest: 4, flexible: 4, fields: offsetValue}},
	classicGroup:   {layout{name: "GroupMetadataKey", flexible: -1, fields: ofClassic}, &layout{name: "GroupMetadataValue", newest: 4, flexible: 4, fields: classicValue}},
	consumerGroup:  {layout{name: "ConsumerGroupMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "ConsumerGroupMetadataValue", fields: []field{{name: "Epoch", kind: int32s, to: epoch}}}},
	4:              {layout{name: "ConsumerGroupPartitionMetadataKey", flexible: -1, fields: ofGroup}, nil},
	consumerMember: {layout{name: "ConsumerGroupMemberMetadataKey", flexible: -1, fields: ofMember}, &layout{name: "ConsumerGroupMemberMetadataValue", fields: memberValue}},
	consumerTarget: {layout{name: "ConsumerGroupTargetAssignmentMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "ConsumerGroupTargetAssignmentMetadataValue", fields: theTarget}},
	7:              {layout{name: "ConsumerGroupTargetAssignmentMemberKey", flexible: -1, fields: ofMember}, nil},
	8:              {layout{name: "ConsumerGroupCurrentMemberAssignmentKey", flexible: -1, fields: ofMember}, nil},
	9:              {layout{name: "ShareGroupPartitionMetadataKey", flexible: -1, fields: ofGroup}, nil},
	shareMember: {layout{name: "ShareGroupMemberMetadataKey", flexible: -1, fields: ofMember}, &layout{name: "ShareGroupMemberMetadataValue", fields: []field{
		{name: "RackId", kind: texts, to: rack}, {name: "ClientId", kind: texts, to: clientID}, {name: "ClientHost", kind: texts, to: host}, {name: "SubscribedTopicNames", kind: textSet}}}},
	shareGroup:    {layout{name: "ShareGroupMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "ShareGroupMetadataValue", fields: []field{{name: "Epoch", kind: int32s, to: epoch}, {name: "MetadataHash", kind: int64s}}}},
	shareTarget:   {layout{name: "ShareGroupTargetAssignmentMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "ShareGroupTargetAssignmentMetadataValue", fields: theTarget}},
	13:            {layout{name: "ShareGroupTargetAssignmentMemberKey", flexible: -1, fields: ofMember}, nil},
	14:            {layout{name: "ShareGroupCurrentMemberAssignmentKey", flexible: -1, fields: ofMember}, nil},
	15:            {layout{name: "ShareGroupStatePartitionMetadataKey", flexible: -1, fields: ofGroup}, nil},
	16:            {layout{name: "ConsumerGroupRegularExpressionKey", flexible: -1, fields: ofPattern}, nil},
	streamsGroup:  {layout{name: "StreamsGroupMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "StreamsGroupMetadataValue", fields: []field{{name: "Epoch", kind: int32s, to: epoch}, {name: "MetadataHash", kind: int64s}}}},
	18:            {layout{name: "StreamsGroupPartitionMetadataKey", flexible: -1, fields: ofGroup}, nil},
	streamsMember: {layout{name: "StreamsGroupMemberMetadataKey", flexible: -1, fields: ofMember}, &layout{name: "StreamsGroupMemberMetadataValue", fields: streamsValue}},
	streamsTarget: {layout{name: "StreamsGroupTargetAssignmentMetadataKey", flexible: -1, fields: ofGroup}, &layout{name: "StreamsGroupTargetAssignmentMetadataValue", fields: theTarget}},
	21:            {layout{name: "StreamsGroupTargetAssignmentMemberKey", flexible: -1, fields: ofMember}, nil},
	22:            {layout{name: "StreamsGroupCurrentMemberAssignmentKey", flexible: -1, fields: ofMember}, nil},
	23:            {layout{name: "StreamsGroupTopologyKey", flexible: -1, fields: ofGroup}, nil},
}

// transactionRecords is the same of __transaction_state, which has one type.
var transactionRecords = map[int]*keyed{
	0: {layout{name: "TransactionLogKey", flexible: -1, fields: []field{{name: "TransactionalId", kind: texts, to: name}}},
		&layout{name: "TransactionLogValue", newest: 1, flexible: 1, fields: []field{
			{name: "ProducerId", kind: int64s, to: number},
			{name: "PreviousProducerId", kind: int64s, to: previous, since: 1, tagged: true},
			{name: "ProducerEpoch", kind: int16s, to: epoch},
			{name: "TransactionTimeoutMs", kind: int32s, to: timeout},
			{name: "TransactionStatus", kind: int8s, to: status},
			{name: "TransactionPartitions", kind: rows, to: partitions, of: []field{{name: "Topic", kind: texts, to: name}, {name: "PartitionIds", kind: ids, to: replicas}}},
			{name: "TransactionLastUpdateTimestampMs", kind: int64s, to: stamp},
			{name: "TransactionStartTimestampMs", kind: int64s, to: started},
		}}},
}

var errNoKey = errors.New("a coordinator's record has no key")

// decodeKey reads the key of a record of a coordinator: its type, then what the
// record is of. The fields of unknown types are not read.
func decodeKey(of map[int]*keyed, v *values, raw []byte) (typ int, what verdict, err error) {
	if raw == nil {
		return -1, decoded, errNoKey
	}
	in := &input{rest: raw, field: "type"}
	typ = int(in.number(2))
	if in.err != nil {
		return -1, decoded, fmt.Errorf("key of a coordinator's record: %w", in.err)
	}
	k := of[typ]
	if k == nil {
		return typ, unknownType, nil
	}
	return typ, decoded, k.key.decode(v, 0, in.rest)
}

// decodeValue reads the value that follows a key of a type: its version, then
// its fields.
func decodeValue(of map[int]*keyed, typ int, v *values, raw []byte) (what verdict, err error) {
	k := of[typ]
	if k == nil {
		return unknownType, nil
	}
	if k.value == nil {
		return ignored, nil
	}
	in := &input{rest: raw, field: "version"}
	version := in.number(2)
	if in.err != nil || version < 0 {
		return decoded, fmt.Errorf("%s: version %d, expected a number of 16 bits from 0 on", k.value.name, version)
	}
	if version > int64(k.value.newest) {
		return newerVersion, nil
	}
	return decoded, k.value.decode(v, int16(version), in.rest)
}

// CoordinatorPartition is the partition of __consumer_offsets, or of
// __transaction_state, that a group or transactional id belongs to, of so many
// that there are: Kafka takes Java's hash of the name. -1 where there are none.
func CoordinatorPartition(name string, partitions int) int32 {
	if partitions <= 0 {
		return -1
	}
	var hash int32
	for _, r := range name {
		if r >= 0x10000 { // Java hashes halves of such letters
			r -= 0x10000
			hash = 31*hash + (0xd800 + r>>10)
			r = 0xdc00 + r&0x3ff
		}
		hash = 31*hash + r
	}
	if hash < 0 {
		hash = -hash
	}
	return max(hash, 0) % int32(partitions) // the least number has no opposite: 0
}
