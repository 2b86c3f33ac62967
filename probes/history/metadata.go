package history

import "fmt"

// The types of records in the metadata log that tell something here.
const (
	registerBroker     = 0
	unregisterBroker   = 1
	topicRecord        = 2
	partitionRecord    = 3
	configRecord       = 4
	partitionChange    = 5
	fenceBroker        = 7
	unfenceBroker      = 8
	removeTopic        = 9
	scramCredential    = 11
	featureLevel       = 12
	clientQuota        = 14
	registrationChange = 17
	aclAdded           = 18
	aclRemoved         = 19
	noOp               = 20
	scramRemoved       = 22
	beginTransaction   = 23
	endTransaction     = 24
	abortTransaction   = 25
	clearELR           = 28
)

var listeners = []field{{name: "Name", kind: texts, to: name}, {name: "Host", kind: texts, to: host}, {name: "Port", kind: int16s, to: number}, {name: "SecurityProtocol", kind: int16s, to: protocol}}

// metadataLayouts is what is read of each type, by its number. All are flexible
// from version 0 on. Later versions of a type add tagged fields, or fields that
// cannot be skipped: those are counted, not guessed at.
var metadataLayouts = map[int]*layout{
	registerBroker: {name: "RegisterBrokerRecord", newest: 4, fields: []field{
		{name: "BrokerId", kind: int32s, to: brokerID},
		{name: "IsMigratingZkBroker", kind: int8s, since: 2},
		{name: "IncarnationId", kind: uuids, to: incarnation},
		{name: "BrokerEpoch", kind: int64s, to: epoch},
		{name: "EndPoints", kind: rows, to: endpoints, of: listeners},
		{name: "Features", kind: rows, of: []field{{name: "Name", kind: texts}, {name: "MinSupportedVersion", kind: int16s}, {name: "MaxSupportedVersion", kind: int16s}}},
		{name: "Rack", kind: texts, to: rack},
		{name: "Fenced", kind: int8s, to: fenced},
		{name: "InControlledShutdown", kind: int8s, to: controlled, since: 1},
		{name: "LogDirs", kind: uuidSet, to: logDirs, since: 3, tagged: true, tag: 0},
	}},
	unregisterBroker: {name: "UnregisterBrokerRecord", fields: []field{{name: "BrokerId", kind: int32s, to: brokerID}, {name: "BrokerEpoch", kind: int64s, to: epoch}}},
	topicRecord:      {name: "TopicRecord", fields: []field{{name: "Name", kind: texts, to: name}, {name: "TopicId", kind: uuids, to: topicID}}},
	partitionRecord: {name: "PartitionRecord", newest: 2, fields: []field{
		{name: "PartitionId", kind: int32s, to: partitionID},
		{name: "TopicId", kind: uuids, to: topicID},
		{name: "Replicas", kind: ids, to: replicas},
		{name: "Isr", kind: ids, to: isr},
		{name: "RemovingReplicas", kind: ids, to: removing},
		{name: "AddingReplicas", kind: ids, to: adding},
		{name: "Leader", kind: int32s, to: leader},
		{name: "LeaderEpoch", kind: int32s, to: leaderEpoch},
		{name: "PartitionEpoch", kind: int32s, to: partitionEpoch},
		{name: "Directories", kind: uuidSet, since: 1},
		{name: "LeaderRecoveryState", kind: int8s, to: recovery, tagged: true, tag: 0},
		{name: "EligibleLeaderReplicas", kind: ids, to: elr, since: 2, tagged: true, tag: 1},
		{name: "LastKnownElr", kind: ids, to: lastELR, since: 2, tagged: true, tag: 2},
	}},
	configRecord: {name: "ConfigRecord", fields: []field{
		{name: "ResourceType", kind: int8s, to: resourceType}, {name: "ResourceName", kind: texts, to: host}, {name: "Name", kind: texts, to: name}, {name: "Value", kind: texts, to: value}}},
	partitionChange: {name: "PartitionChangeRecord", newest: 2, fields: []field{
		{name: "PartitionId", kind: int32s, to: partitionID},
		{name: "TopicId", kind: uuids, to: topicID},
		{name: "Isr", kind: ids, to: isr, tagged: true, tag: 0},
		{name: "Leader", kind: int32s, to: leader, tagged: true, tag: 1},
		{name: "Replicas", kind: ids, to: replicas, tagged: true, tag: 2},
		{name: "RemovingReplicas", kind: ids, to: removing, tagged: true, tag: 3},
		{name: "AddingReplicas", kind: ids, to: adding, tagged: true, tag: 4},
		{name: "LeaderRecoveryState", kind: int8s, to: recovery, tagged: true, tag: 5},
		{name: "EligibleLeaderReplicas", kind: ids, to: elr, since: 2, tagged: true, tag: 6},
		{name: "LastKnownElr", kind: ids, to: lastELR, since: 2, tagged: true, tag: 7},
	}},
	fenceBroker:   {name: "FenceBrokerRecord", fields: []field{{name: "Id", kind: int32s, to: brokerID}, {name: "Epoch", kind: int64s, to: epoch}}},
	unfenceBroker: {name: "UnfenceBrokerRecord", fields: []field{{name: "Id", kind: int32s, to: brokerID}, {name: "Epoch", kind: int64s, to: epoch}}},
	removeTopic:   {name: "RemoveTopicRecord", fields: []field{{name: "TopicId", kind: uuids, to: topicID}}},
	scramCredential: {name: "UserScramCredentialRecord", fields: []field{ // salts and keys stay where they are
		{name: "Name", kind: texts, to: name}, {name: "Mechanism", kind: int8s, to: mechanism}, {name: "Salt", kind: blobs}, {name: "StoredKey", kind: blobs}, {name: "ServerKey", kind: blobs}, {name: "Iterations", kind: int32s}}},
	scramRemoved: {name: "RemoveUserScramCredentialRecord", fields: []field{{name: "Name", kind: texts, to: name}, {name: "Mechanism", kind: int8s, to: mechanism}}},
	featureLevel: {name: "FeatureLevelRecord", fields: []field{{name: "Name", kind: texts, to: name}, {name: "FeatureLevel", kind: int16s, to: level}}},
	clientQuota: {name: "ClientQuotaRecord", fields: []field{
		{name: "Entity", kind: rows, to: entity, of: []field{{name: "EntityType", kind: texts, to: name}, {name: "EntityName", kind: texts, to: value}}},
		{name: "Key", kind: texts, to: name}, {name: "Value", kind: floats, to: number}, {name: "Remove", kind: int8s, to: remove}}},
	registrationChange: {name: "BrokerRegistrationChangeRecord", newest: 3, fields: []field{
		{name: "BrokerId", kind: int32s, to: brokerID}, {name: "BrokerEpoch", kind: int64s, to: epoch},
		{name: "Fenced", kind: int8s, to: fenced, tagged: true, tag: 0},
		{name: "InControlledShutdown", kind: int8s, to: controlled, since: 1, tagged: true, tag: 1},
		{name: "LogDirs", kind: uuidSet, to: logDirs, since: 2, tagged: true, tag: 2},
	}},
	aclAdded: {name: "AccessControlEntryRecord", fields: []field{
		{name: "Id", kind: uuids, to: aclID}, {name: "ResourceType", kind: int8s, to: resourceType}, {name: "ResourceName", kind: texts, to: name}, {name: "PatternType", kind: int8s, to: patternType},
		{name: "Principal", kind: texts, to: principal}, {name: "Host", kind: texts, to: host}, {name: "Operation", kind: int8s, to: operation}, {name: "PermissionType", kind: int8s, to: permission}}},
	aclRemoved:       {name: "RemoveAccessControlEntryRecord", fields: []field{{name: "Id", kind: uuids, to: aclID}}},
	noOp:             {name: "NoOpRecord"},
	beginTransaction: {name: "BeginTransactionRecord"},
	endTransaction:   {name: "EndTransactionRecord"},
	abortTransaction: {name: "AbortTransactionRecord"},
	clearELR:         {name: "ClearElrRecord", fields: []field{{name: "TopicName", kind: texts, to: name}}},
}

// passed are types that are known and tell nothing here: delegation tokens,
// producer ids, the migration from ZooKeeper, controllers' registrations.
var passed = map[int]bool{10: true, 15: true, 21: true, 26: true, 27: true}

// verdict is what became of a record.
type verdict uint8

const (
	decoded verdict = iota
	ignored         // known, and of no use here
	unknownType
	newerVersion
)

// decodeMetadata reads the value of a record of the metadata log: a frame
// version, the type and its version as variable-length numbers, then the fields.
func decodeMetadata(v *values, raw []byte) (typ int, what verdict, err error) {
	in := &input{rest: raw, field: "frame"}
	frame := in.uvarint()
	typ = int(in.uvarint())
	version := in.uvarint()
	switch {
	case in.err != nil:
		return typ, decoded, fmt.Errorf("metadata record: %w", in.err)
	case frame > 1:
		return typ, newerVersion, nil
	case passed[typ]:
		return typ, ignored, nil
	}
	l := metadataLayouts[typ]
	switch {
	case l == nil:
		return typ, unknownType, nil
	case version > uint64(l.newest):
		return typ, newerVersion, nil
	}
	return typ, decoded, l.decode(v, int16(version), in.rest)
}
