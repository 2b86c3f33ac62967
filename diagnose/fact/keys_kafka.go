package fact

// What Kafka's own protocol tells (probes/kafka).
var (
	BrokerReach    = State[Reach]("kafka.broker.reach", Broker, "how far a new connection to the broker came")
	BrokerSoftware = State[string]("kafka.broker.software", Broker, "Kafka version guessed from the API ranges, \"4.3\"")
	Metadata       = State[MetadataView]("kafka.metadata", Broker, "what this broker says of brokers, topics and partitions").keeping(2)

	Registered  = State[[]Registration]("kafka.registered", Cluster, "brokers as registered with the controller, fenced ones included (DescribeCluster v2, Kafka 4.0 on)")
	QuorumState = State[Quorum]("kafka.quorum", Cluster, "the KRaft controller quorum, as its leader sees it")
	Configs     = State[TopicConfigs]("kafka.topic.configs", Cluster, "settings of topics").keeping(2)
	Eligible    = State[EligibleLeaders]("kafka.eligible-leaders", Cluster, "eligible and last known leaders of the partitions whose ISR is short")

	LogDirError  = State[string]("kafka.logdir.error", LogDir, "Kafka's name of the error of a log dir, empty when it is online")
	LogDirSize   = Gauge("kafka.logdir.size", LogDir, Bytes, "bytes of replicas in the log dir, as the broker counts them")
	LogDirTotal  = Gauge("kafka.logdir.total", LogDir, Bytes, "size of the log dir's file system, as the broker sees it")
	LogDirUsable = Gauge("kafka.logdir.usable", LogDir, Bytes, "bytes the broker may still use in the log dir's file system")

	Groups           = State[[]string]("kafka.groups", Cluster, "ids of all groups, sorted")
	GroupState       = State[string]("kafka.group.state", Group, "Stable, Empty, PreparingRebalance, … as Kafka writes it")
	GroupType        = State[string]("kafka.group.type", Group, "classic, consumer, share or streams")
	GroupGeneration  = Gauge("kafka.group.generation", Group, Count, "generation or epoch")
	GroupMembers     = Gauge("kafka.group.members", Group, Count, "members")
	GroupCoordinator = Gauge("kafka.group.coordinator", Group, None, "node id of the coordinator")
	Offsets          = State[GroupOffsets]("kafka.group.offsets", Group, "committed offsets beside both log ends")
)
