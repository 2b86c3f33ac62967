package fact

// What this host's copy of the cluster's metadata log says: the past, as far as
// the copy has come, also with every broker dead.
var (
	LastSeen      = State[LastCluster]("disk.cluster", Cluster, "brokers and partitions as the metadata log on this host has them, and how far that copy has come").keeping(2)
	Changed       = State[ChangeList]("disk.changes", Cluster, "what changed in the last 6 h of this host's metadata log, oldest first").keeping(2)
	LeaderChanges = State[LeadersMoved]("disk.leader.changes", Cluster, "partitions that changed leader three times or more within the last hour of this host's metadata log, most often first, 100 at most").keeping(2)
	ISRShrinks    = State[ShrinkTimes]("disk.isr.shrinks", Broker, "when the broker, as leader, put followers out of ISRs, from this host's metadata log; what the controller took out with a fenced broker is not among them").keeping(2)
)
