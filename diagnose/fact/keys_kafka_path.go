package fact

// What Kafka's own protocol tells of partitions' offsets, of controllers and of
// the message path (probes/kafka).
var (
	PartitionEnds = State[PartitionOffsets]("kafka.partition.offsets", Cluster, "log start, high watermark and last stable offset of every partition, as its leader tells them").keeping(2)
	ShareOffsets  = State[ShareGroupOffsets]("kafka.group.share-offsets", Group, "start offset and lag of each partition of a share group").keeping(4)
	QuorumVoters  = State[[]VoterSaid]("kafka.quorum.voters", Cluster, "what each controller says itself, asked at its own listener")
	LeaderEpochs  = State[EpochEnds]("kafka.epoch-ends", Cluster, "where leader epochs of suspect partitions end, as their leaders tell it").keeping(4)
	Batches       = State[[]BatchSeen]("kafka.batches", Cluster, "headers of a few record batches where the groups that lag most are, and of the last batches there").keeping(4)
)
