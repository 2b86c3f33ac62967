package fact

// Keys is every key there is, by name. A key that is not here cannot be read
// back from a recording; a test compares the list with the declarations.
var Keys = []Key{
	BrokerReach, BrokerSoftware, BrokerAPIs, BrokerFeatures, BrokerConfigs, Metadata, Registered, QuorumState, ZooKeeperController, Configs, Reassigned, Quotas, ACLs, SCRAMUsers, Permissions, Transactions, OpenProducers, Eligible, LogDirError, LogDirSize, LogDirTotal, LogDirUsable, LogDirLag, LogDirFutures, LogDirFutureLag, Groups, GroupState, GroupType, GroupGeneration, GroupMembers, GroupRoster, GroupCoordinator, Offsets,

	PartitionEnds, ShareOffsets, QuorumVoters, LeaderEpochs, ReplicaLogs, Batches,

	Certificates,

	LocalBrokers, CPUs, CPUUser, CPUSystem, CPUIdle, CPUIOWait, CPUSteal, MemTotal, MemAvailable, BrokerProcess, ProcessCPU, ProcessRSS, ProcessThreads, ProcessFDs, ProcessFDLimit, DirMount, DirUsed, DirAvailable, DirTotal, DirInodesUsed, DirInodesTotal, DeviceReads, DeviceWrites, DeviceReadBytes, DeviceWriteBytes, DeviceReadSeconds, DeviceWriteSeconds, DeviceBusySeconds, DeviceQueueSeconds,

	Load1, Load5, Load15, ThreadsRunnable, ThreadsBlocked, ContextSwitches, Interrupts, RunQueueSeconds, MemFree, MemCached, MemDirty, MemWriteback, SwapTotal, SwapFree, SwapIn, SwapOut, HostMajorFaults, HostOOMKills, PressureCPU, PressureIO, PressureIOFull, PressureMem, PressureMemFull, FilesOpen, FilesMax, ConntrackEntries, ConntrackMax,
	ProcessSwap, ProcessVM, ProcessVMLimit, ProcessMaps, MapsLimit, ProcessMajorFaults, ProcessThreadLimit, ProcessBlocked, ProcessRunQueue, ProcessReadChars, ProcessWriteChars, ProcessReadBytes, ProcessWriteBytes, ProcessRestarts, ProcessCrash, CgroupCPULimit, CgroupCPUPeriods, CgroupThrottledPeriods, CgroupThrottledSeconds, CgroupMemLimit, CgroupMemUsed, CgroupMemCache, CgroupOOMKills, CgroupMemFailures, CgroupThreads, CgroupThreadLimit, CgroupPressureCPU, CgroupPressureIO, CgroupPressureMem, CgroupFrozen, CgroupIOLimits,
	TCPSegmentsOut, TCPRetransmits, TCPDSACKs, TCPLossProbes, TCPFastRetransmits, TCPTimeouts, TCPLostRetransmits, TCPListenOverflows, TCPListenDrops, TCPSYNCookies, TCPZeroWindows, TCPMemoryAborts, TCPBacklogDrops, TCPFailedConnects, TCPResets, Sockets, SocketsEstablished, SocketsCloseWait, SocketsUnsent, SocketsUnread, SocketsAcceptQueue, SocketsAcceptLimit, SocketsRetransmitting, NetSpeed, NetUp, NetRxBytes, NetTxBytes, NetRxPackets, NetTxPackets, NetRxErrors, NetTxErrors, NetRxDrops, NetTxDrops, NetBacklog, NetOverlimits, NetQueueDrops,
	Sysctls, HugePages, ClockState, BlockDevice, KernelOOMKills, KernelIOErrors, DeviceDiscards, DeviceDiscardSeconds, DeviceFlushes, DeviceFlushSeconds, DeviceInFlight,

	JVMVersion, JVMCollector, JVMStarted, JVMGCCause, GCYoungCount, GCYoungSeconds, GCFullCount, GCFullSeconds, GCConcurrentCount, GCConcurrentSeconds, SafepointSeconds, HeapUsed, HeapMax, OldUsed, OldMax, HeapLow,

	EdenUsed, EdenSize, OldSize, OldAfterGC, HeapAfterGC, MetaspaceUsed, MetaspaceSize, SafepointCount, SafepointSync, GCThreadSeconds, JavaThreads, JVMFlagsSet, JVMThreadRoles, OldUsedCommitted,
	GCLogged, GCRecent, GCPauseCount, GCPauseSeconds, GCLoggedFull, GCHumongousCount, GCHumongousSeconds, GCYoungLogged, GCExplicitCount, GCMetadataCount, GCEvacuationFailures, GCStallCount, GCStallSeconds, GCAllocated, GCPromoted, GCHeapAfter, GCOldAfter, GCHeapAfterFull,

	LogSigterm, LogControlledShutdown, LogStarted, LogFenced, LogUnfenced, LogOutOfMemory, LogAllDirsFailed, LogFatal, LogNotEnoughReplicas, LogController, LogDirFailed, LogNoSpace, LogIOError, LogOtherErr,

	LogStartRefused, LogMetadataFault, LogTooManyFiles, LogMapFailed, LogReadOnly, LogThreadDied, LogHeartbeatFailed, LogRegistrationFailed, LogRequestError, LogProcessorError, LogRecovery, LogRecoveryTruncated, LogIndexRebuilt, LogTimeIndexZero, LogRetentionDeleted, LogStray, LogCleanerFailed, LogShutdownTimedOut, LogZooKeeperExpired, LogUnsupportedVersion, LogRecordTooLarge, LogTransactionTimedOut, LogISRShrunk, LogISRLeft, LogISRShrinks, LogISRUpdated, LogISRUpdateFailed, LogTruncated, LogTruncatedBelowHW, LogOutOfRange, LogMarkedFailed, LogOlderEpoch, LogFetcherError, LogFetchFailed, LogFetchNotStarted, LogCorruptRecord, LogPeerUnreachable, LogPeerTimedOut, LogLeadershipChanged, LogUncleanElection, LogUncleanReplayed, LogDirsOffline, LogBecameActive, LogRenounced, LogControllerSlow, LogAuthenticationFailed, LogTLSFailed, LogDenied, LogInvalidReceive, LogConnectionRejected, LogRebalances, LogRebalanceReasons, LogRebalanceTimes, LogPollExpired, LogMemberFailed,

	MetricsSource, MetricStarted, MetricRequests, MetricRequestCount, MetricErrors, MetricQueue, MetricHandlerIdle, MetricHandlerIdleSeconds, MetricNetworkIdle, MetricNetworkLeastIdle, MetricUnderReplicated, MetricUnderMinISR, MetricAtMinISR, MetricOfflineReplicas, MetricISRShrinks, MetricISRExpands, MetricISRUpdatesFailed, MetricMaxLag, MetricFailedPartitions, MetricDeadFetchers, MetricActiveController, MetricOfflinePartitions, MetricUncleanElections, MetricLogFlush, MetricOfflineLogDirs, MetricUncleanable, MetricDeadCleaners, MetricDelayedProduce, MetricDelayedFetch, MetricProduceRequests, MetricFetchRequests, MetricFailedProduce, MetricFailedFetch, MetricMessagesIn, MetricBytesIn, MetricBytesOut, MetricBytesRejected, MetricReplicationIn, MetricReplicationOut, MetricProduceConversions, MetricFetchConversions, MetricInvalidCRC, MetricThrottled, MetricConnections, MetricConnectionsMade, MetricFailedAuthentication, MetricBrokerState,

	SegmentsVerified, SegmentsRest, SegmentsDamage, SegmentsTopics,

	SegmentsLogs,

	LastSeen, Changed, LeaderChanges, ISRShrinks,
	GroupsChanged, GroupOnDisk, TransactionsOnDisk, Standing,
}
