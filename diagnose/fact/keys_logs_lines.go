package fact

// More known lines of the brokers' logs. Names says what the lines speak of.

// Lines of one node about itself.
var (
	LogStartRefused        = State[LogLines]("log.start-refused", Broker, "why the node ended at its start; names: cluster-id, node-id, foreign-directory, unformatted, port-in-use, locked, java-version, metadata-version, bad-setting, duplicate-directory, no-directory")
	LogMetadataFault       = State[LogLines]("log.metadata-fault", Broker, "Encountered metadata publishing or loading fault, with its exception")
	LogTooManyFiles        = State[LogLines]("log.too-many-files", Broker, "Too many open files, wherever; names: accept, logdir, other")
	LogMapFailed           = State[LogLines]("log.map-failed", Broker, "Map failed")
	LogReadOnly            = State[LogLines]("log.read-only", Broker, "Read-only file system")
	LogThreadDied          = State[LogLines]("log.thread-died", Broker, "[thread]: Error due to, Uncaught exception; names: thread")
	LogHeartbeatFailed     = State[LogLines]("log.heartbeat-failed", Broker, "a heartbeat to the controller was refused or could not be sent; names: the error")
	LogRegistrationFailed  = State[LogLines]("log.registration-failed", Broker, "the controller refuses to register the broker; names: the error")
	LogRequestError        = State[LogLines]("log.request-error", Broker, "an unexpected error while a request was handled")
	LogProcessorError      = State[LogLines]("log.processor-error", Broker, "an unexpected error in a network thread")
	LogRecovery            = State[LogLines]("log.recovery", Broker, "logs or segments recovered after an unclean stop: heals itself; names: log dir or partition")
	LogRecoveryTruncated   = State[LogLines]("log.recovery-truncated", Broker, "recovery cut a torn or damaged tail; names: partition")
	LogIndexRebuilt        = State[LogLines]("log.index-rebuilt", Broker, "an index file was missing, broken or left over: rebuilt by recovery")
	LogTimeIndexZero       = State[LogLines]("log.time-index-zero", Broker, "retention deleted a segment whose largestRecordTimestamp is 0: a time index of zeros; names: partition")
	LogRetentionDeleted    = State[LogLines]("log.retention-deleted", Broker, "segments deleted by retention; names: partition")
	LogStray               = State[LogLines]("log.stray", Broker, "a replica that the metadata does not know was put aside")
	LogCleanerFailed       = State[LogLines]("log.cleaner-failed", Broker, "compaction of a partition stopped: marked as uncleanable; names: partition")
	LogShutdownTimedOut    = State[LogLines]("log.shutdown-timed-out", Broker, "Timed out waiting for the controller to approve controlled shutdown")
	LogZooKeeperExpired    = State[LogLines]("log.zookeeper-expired", Broker, "the session with ZooKeeper expired")
	LogUnsupportedVersion  = State[LogLines]("log.unsupported-version", Broker, "UnsupportedVersionException, or a request of a version that the broker does not speak")
	LogRecordTooLarge      = State[LogLines]("log.record-too-large", Broker, "RecordTooLargeException, RecordBatchTooLargeException; names: partition")
	LogTransactionTimedOut = State[LogLines]("log.transaction-timed-out", Broker, "a transaction was rolled back due to timeout; names: transactional id")
)

// Lines about replication, by the leader or the follower that wrote them.
var (
	LogISRShrunk         = State[LogLines]("log.isr-shrunk", Broker, "this leader put followers out of ISRs; names: partition")
	LogISRLeft           = State[LogLines]("log.isr-left", Broker, "the same lines; names: id of the follower")
	LogISRShrinks        = State[[]ISRShrink]("log.isr-shrinks", Broker, "the newest 50 of them, taken apart")
	LogISRUpdated        = State[LogLines]("log.isr-updated", Broker, "ISR updated to …, shrunk or expanded; names: partition")
	LogISRUpdateFailed   = State[LogLines]("log.isr-update-failed", Broker, "the controller did not take a new ISR; names: partition")
	LogTruncated         = State[LogLines]("log.truncated", Broker, "this follower truncated to what a leader of a later epoch has; to 0 not counted: new replicas do it; names: partition")
	LogTruncatedBelowHW  = State[LogLines]("log.truncated-below-high-watermark", Broker, "truncated below its high watermark: records that were acknowledged; names: partition")
	LogOutOfRange        = State[LogLines]("log.out-of-range", Broker, "this follower's offset is out of the leader's range; names: partition")
	LogMarkedFailed      = State[LogLines]("log.marked-failed", Broker, "Partition … marked as failed: this follower stopped fetching it. Follows every dir failure and leader change too; names: partition")
	LogOlderEpoch        = State[LogLines]("log.older-epoch", Broker, "… has an older epoch: the harmless reason of most marked as failed; names: partition")
	LogFetcherError      = State[LogLines]("log.fetcher-error", Broker, "an error while fetched data of a partition was processed, with its exception; names: partition")
	LogFetchFailed       = State[LogLines]("log.fetch-failed", Broker, "this follower got no answer from a leader; names: id of the leader")
	LogFetchNotStarted   = State[LogLines]("log.fetch-not-started", Broker, "state-change.log: Unable to start fetching …; names: partition")
	LogCorruptRecord     = State[LogLines]("log.corrupt-record", Broker, "Record is corrupt, CorruptRecordException, invalid messages during fetch; names: partition")
	LogPeerUnreachable   = State[LogLines]("log.peer-unreachable", Broker, "Connection to node … could not be established; names: id of the node")
	LogPeerTimedOut      = State[LogLines]("log.peer-timed-out", Broker, "disconnecting from a node due to request timeout; names: id of the node")
	LogLeadershipChanged = State[LogLines]("log.quorum-transition", Broker, "this node's part in the metadata quorum changed; names: state")
)

// Lines of controllers.
var (
	LogUncleanElection = State[LogLines]("log.unclean-election", Broker, "this controller logged UNCLEAN partition change; names: partition")
	LogUncleanReplayed = State[LogLines]("log.unclean-replayed", Broker, "the same while it started: mostly of the past; names: partition")
	LogDirsOffline     = State[LogLines]("log.directories-offline", Broker, "this controller was told of an offline log dir; names: id of the broker")
	LogBecameActive    = State[LogLines]("log.became-active", Broker, "this node became the active controller")
	LogRenounced       = State[LogLines]("log.renounced", Broker, "this node gave up being the active controller")
	LogControllerSlow  = State[LogLines]("log.controller-slow", Broker, "slow controller event, or its queue overloaded: starved hosts do this")
)

// Lines about clients.
var (
	LogAuthenticationFailed = State[LogLines]("log.authentication-failed", Broker, "Failed authentication, TLS apart; names: address of the client")
	LogTLSFailed            = State[LogLines]("log.tls-failed", Broker, "SSL handshake failed; names: address of the client")
	LogDenied               = State[LogLines]("log.denied", Broker, "kafka-authorizer.log: denials; names: principal, operation, resource and host")
	LogInvalidReceive       = State[LogLines]("log.invalid-receive", Broker, "Invalid receive: what was sent is no Kafka request; names: http, tls, tls-alert, ssh, oversized")
	LogConnectionRejected   = State[LogLines]("log.connection-rejected", Broker, "more connections than max.connections.per.ip or max.connections allow; names: address")
	LogRebalances           = State[LogLines]("log.rebalances", Broker, "this coordinator prepares to rebalance a group; names: group")
	LogRebalanceReasons     = State[LogLines]("log.rebalance-reasons", Broker, "the same lines; names: the reason, without member ids")
	LogRebalanceTimes       = State[[]Rebalance]("log.rebalance-times", Broker, "the newest 64 of them, taken apart, oldest first")
	LogPollExpired          = State[LogLines]("log.poll-expired", Broker, "a member left because its application did not poll within max.poll.interval.ms; names: group")
	LogMemberFailed         = State[LogLines]("log.member-failed", Broker, "a member of a group missed its session or was fenced; names: group")
)
