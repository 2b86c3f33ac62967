package fact

import "time"

// What Kafka's own protocol tells (probes/kafka).
var (
	BrokerReach    = State[Reach]("kafka.broker.reach", Broker, "how far a new connection to the broker came")
	BrokerSoftware = State[string]("kafka.broker.software", Broker, "Kafka version guessed from the API ranges, \"4.3\"")
	BrokerAPIs     = State[APIRanges]("kafka.broker.apis", Broker, "requests that the broker answers, and in which versions").keeping(2)
	BrokerFeatures = State[Features]("kafka.broker.features", Broker, "finalized and supported features, metadata.version among them").keeping(4)
	BrokerConfigs  = State[[]NamedSetting]("kafka.broker.configs", Broker, "settings of the broker that matter to a diagnosis, as it tells them itself").keeping(4)
	Metadata       = State[MetadataView]("kafka.metadata", Broker, "what this broker says of brokers, topics and partitions").keeping(2)

	Registered          = State[[]Registration]("kafka.registered", Cluster, "brokers as registered with the controller, fenced ones included (DescribeCluster v2, Kafka 4.0 on)")
	QuorumState         = State[Quorum]("kafka.quorum", Cluster, "the KRaft controller quorum, as its leader sees it")
	ZooKeeperController = Gauge("kafka.controller.zookeeper", Cluster, None, "node id of the controller of a cluster with ZooKeeper, -1: none; with KRaft there is no such thing")
	Configs             = State[TopicConfigs]("kafka.topic.configs", Cluster, "settings of topics").keeping(2)
	Eligible            = State[EligibleLeaders]("kafka.eligible-leaders", Cluster, "eligible and last known leaders of the partitions whose ISR is short")

	Reassigned  = State[Reassignments]("kafka.reassignments", Cluster, "partitions whose replicas are being moved between brokers").keeping(4)
	Quotas      = State[[]ClientQuota]("kafka.quotas", Cluster, "quotas of clients, by user, client id and address").keeping(4).lasting(5 * time.Minute)
	ACLs        = Gauge("kafka.acls", Cluster, Count, "access control entries that the authorizer holds").lasting(5 * time.Minute)
	SCRAMUsers  = State[UserNames]("kafka.scram-users", Cluster, "names of users with SCRAM credentials, sorted").keeping(4).lasting(5 * time.Minute)
	Permissions = State[Rights]("kafka.permissions", Cluster, "what this console's own user may do").keeping(4).lasting(5 * time.Minute)

	Transactions  = State[OpenTransactions]("kafka.transactions", Cluster, "transactions that are neither committed nor aborted, as their coordinators tell them")
	OpenProducers = State[Producers]("kafka.producers", Cluster, "producers that hold back the last stable offset of a partition, as its leader tells them")

	LogDirError  = State[string]("kafka.logdir.error", LogDir, "Kafka's name of the error of a log dir, empty when it is online")
	LogDirSize   = Gauge("kafka.logdir.size", LogDir, Bytes, "bytes of replicas in the log dir, as the broker counts them")
	LogDirTotal  = Gauge("kafka.logdir.total", LogDir, Bytes, "size of the log dir's file system, as the broker sees it")
	LogDirUsable = Gauge("kafka.logdir.usable", LogDir, Bytes, "bytes the broker may still use in the log dir's file system")
	LogDirLag    = Gauge("kafka.logdir.lag", LogDir, Count, "records by which the replicas in the log dir are behind the high watermarks their broker knows, summed, without future replicas; a follower that catches up shows 0, as it knows no high watermark beyond its own end")

	LogDirFutures   = Gauge("kafka.logdir.futures", LogDir, Count, "replicas that are being moved into the log dir from another one of the same broker")
	LogDirFutureLag = Gauge("kafka.logdir.future.lag", LogDir, Count, "records that future replicas in the log dir still lack, summed")

	Groups           = State[[]string]("kafka.groups", Cluster, "ids of all groups, sorted")
	GroupState       = State[string]("kafka.group.state", Group, "Stable, Empty, PreparingRebalance, … as Kafka writes it")
	GroupType        = State[string]("kafka.group.type", Group, "classic, consumer, share or streams")
	GroupGeneration  = Gauge("kafka.group.generation", Group, Count, "generation or epoch")
	GroupMembers     = Gauge("kafka.group.members", Group, Count, "members")
	GroupRoster      = State[Roster]("kafka.group.roster", Group, "protocol and epochs of the group; its members with what they subscribe to and are assigned").keeping(2)
	GroupCoordinator = Gauge("kafka.group.coordinator", Group, None, "node id of the coordinator")
	Offsets          = State[GroupOffsets]("kafka.group.offsets", Group, "committed offsets beside both log ends")
)
