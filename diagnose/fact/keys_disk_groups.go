package fact

// What the copies of __consumer_offsets and __transaction_state on this host say,
// from before anyone looked.
var (
	GroupsChanged      = State[ChangeList]("disk.groups.changes", Cluster, "what befell the groups and transactions whose coordinators' logs are on this host in the last 6 h of these logs, oldest first: generations, offsets that went back, expired or were deleted, transactions open long").keeping(2)
	GroupOnDisk        = State[GroupPast]("disk.group", Group, "the group's last 6 h, as the copy of its partition of __consumer_offsets on this host has them; 1000 groups at most").keeping(2)
	TransactionsOnDisk = State[LastTransactions]("disk.transactions", Cluster, "the transactions that are open, as the copies of partitions of __transaction_state on this host have it").keeping(2)
)

// Standing is how the cluster stood at the moments when that changed, by the
// metadata log on this host: also before anyone looked.
var Standing = State[StandingTimes]("disk.standing", Cluster, "how many brokers were live and fenced, and how many partitions without a leader or under-replicated, at each change of that in the last 6 h of this host's metadata log, 2000 at most").keeping(2)
