package diagnose

// All is everything that can be concluded. Lists by hand: a sign, cause or box
// that is not here does not exist, and a test says so.
var All = &Catalogue{
	Signs: []*Sign{
		// brokers
		brokerNotLive, portRefuses, acceptsSilently, connectTimesOut, answersKafka, processGone, jvmCrashReported, processStopped, shutdownLogged, recoversLogs, fatalLogged, leftISR,
		fencedButAnswers, viewDisagrees, isrUpdatesFail, liveButUnreachable, wrongProtocol, wrongProtocolLogged, credentialsRejected,
		startRefusedLogged, followsPartly, fetcherFailedLogged, slowToFollow, authenticationsFailLogged, unsupportedLogged, denialsLogged,
		// partitions
		quorumWithoutLeader, underReplicated, partitionsUnderMinISR, notEnoughReplicasLogged, partitionsWithoutLeader, inSyncReplicasLost, mustReturn, leadersFlap,
		leadersNotPreferred, reassignmentRunning, throttleSet, throttledBehind, pairsCut, lossAllowed, lossAnyway, replicasAhead, replicasStandStill,
		// settings
		minISRAboveRF, minISRAboveRFBites, singleReplica, uncleanAllowed, messageAboveFetch, softwareDiffers, metadataVersionBehind, recordsTooLargeLogged, heapBadlySet, limitsTight, kernelNotTuned, certificateExpired, certificateEnds,
		// log dirs
		dirNearlyFull, dirFull, inodesShort, readOnlyMount, noSpaceLogged, dirIOErrorLogged, dirOtherErrorLogged, readOnlyLogged, dirFailedLogged, allDirsFailed, dirReportedOffline, mountShutDown, dirDeviceSlow, mountRisksData,
		segmentDamaged, checkpointDamaged, damageAhead, damageWithoutCopy, corruptRecordLogged, batchesRepeated, payloadsRepeated, singlesOnDisk, oldFormatOnDisk, diskAhead, readBeyondEpoch, copiesBeyondUnclean,
		// JVM
		gcTimeShare, gcPausesLong, heapFullAfterGC, fullGCsRepeat, outOfMemoryLogged, humongousPauses, youngPausesPile,
		// groups
		groupWithoutMembers, groupStable, lagNotShrinking, lagGrows, groupRefused, commitsBehind,
		commitsBelowStart, commitsAboveEnd, commitsWentBack, commitsVanished, ownedWithoutCommit,
		lagOnHotPartitions, partitionsFrozen, productionSurged, rebalancesRepeat, commitsNowhere, lastStableFrozen, transactionOverdue, retentionClock,
		// host
		cpuBusy, memoryShort, diskSlow, processBusy, fdsShort,
		// what alert rules ask
		produceLatencyHigh, isrShrinksOften,
		oomKillRecorded, mapsShort, cpuThrottled, cpuStolen, cpuWaits, swapsIn, packetsLost, threadsWaitForDisk, readsColdData, bytesHeldBack, interfacesErr, linkNearlyFull,
		// metrics
		handlersBusy, requestsQueue, handlersBurn, networkThreadBusy, responsesWait, networkThreadsBurn, connectionsMade, clientsThrottled, messagesConverted, batchesSmall, logFlushSlow,
		// which phase
		handlersAtCores, networkThreadAtCore, followersWaitedFor,
	},
	Causes: []*Cause{
		brokerCrashed, brokerHung, plannedShutdown, brokerFenced, fdExhaustion, mmapExhaustion, oomKilled,
		noLeader, underMinISR, controllerQuorumLost, replicaFetcherDead, leaderImbalance,
		brokerLinkCut, brokerIsolated,
		segmentCorruption, producerRetries,
		diskFull, inodeExhaustion, logDirOffline, readOnlyFileSystem,
		heapExhaustion, gcPause, humongousAllocation, allocationStorm, swapping,
		slowDisk, handlerSaturation, networkSaturation, slowFollower, packetLoss, quotaThrottle, coldRead,
		requestOverload, messageConversion, tlsHandshakes, cpuStarved, smallBatches, bandwidthCap,
		reassignmentLoad, throttleLeft,
		uncleanElection, truncationAfterFailover, retentionOverrun,
		groupStopped, slowConsumer, rebalanceStorm, hangingTransaction, hotPartition, producerSurge, stalledPartition,
		offsetBelowStart, offsetAboveEnd, offsetRewind, offsetsExpired,
		startRefused, jvmFlags, osLimitsLow, osTuning, minISRExceedsReplication, messageSizeMismatch, riskyReplication, mixedVersions, unsupportedAPI,
		authenticationFailed, authorizationDenied, certificateExpiredCause, advertisedUnreachable, protocolMismatch,
	},
	None:   noneOfThese,
	Boxes:  boxes,
	Alerts: alertRules,
}

// boxes is the flowchart, in the source's order.
var boxes = []*Box{
	{ID: "report", Title: "report", State: reportState, Doc: "what the operator says, or nothing: just look"},
	{ID: "collect-symptoms", Title: "symptoms", State: collectState, Doc: "every cheap probe runs once"},
	{ID: "check-metrics", Title: "metrics", State: metricsState, Doc: "two samples at least: rates and alert rules"},
	{ID: "classify", Title: "classify", State: classifyState, Doc: "the branch, and why"},

	{ID: "resource-analysis", Title: "resources", Branch: PerformanceBranch, Doc: "CPU, memory and disks of this host", Signs: []*Sign{cpuBusy, memoryShort, diskSlow, processBusy, fdsShort, mapsShort, cpuThrottled, cpuStolen, cpuWaits, swapsIn, threadsWaitForDisk, dirDeviceSlow, readsColdData, logFlushSlow, handlersBurn, networkThreadsBurn, handlersAtCores, networkThreadAtCore, produceLatencyHigh}},
	{ID: "gc-analysis", Title: "GC", Branch: PerformanceBranch, Doc: "collections of the brokers' JVMs", Signs: []*Sign{gcTimeShare, gcPausesLong, heapFullAfterGC, fullGCsRepeat, outOfMemoryLogged, humongousPauses, youngPausesPile}},
	{ID: "config-check", Title: "settings", Branch: PerformanceBranch, Doc: "broker, topic, system and JVM settings", Signs: []*Sign{minISRAboveRF, minISRAboveRFBites, singleReplica, uncleanAllowed, messageAboveFetch, softwareDiffers, metadataVersionBehind, heapBadlySet, limitsTight, kernelNotTuned, mountRisksData, handlersBusy, requestsQueue, networkThreadBusy, responsesWait, connectionsMade, clientsThrottled, messagesConverted, batchesSmall, singlesOnDisk, oldFormatOnDisk}},
	{ID: "optimisation-plan", Title: "plan", Branch: PerformanceBranch, State: planState(PerformanceBranch), Doc: "the playbook"},

	{ID: "cluster-state", Title: "cluster state", Branch: AvailabilityBranch, Doc: "brokers, controller quorum, partitions", Signs: []*Sign{brokerNotLive, fencedButAnswers, processGone, oomKillRecorded, jvmCrashReported, processStopped, quorumWithoutLeader, leadersNotPreferred, partitionsWithoutLeader, inSyncReplicasLost, mustReturn, leadersFlap, partitionsUnderMinISR}},
	{ID: "network-test", Title: "network", Branch: AvailabilityBranch, Doc: "from this host to every listener", Signs: []*Sign{portRefuses, acceptsSilently, connectTimesOut, answersKafka, viewDisagrees, isrUpdatesFail, pairsCut, liveButUnreachable, wrongProtocol, credentialsRejected, certificateExpired, certificateEnds, packetsLost, interfacesErr, bytesHeldBack, linkNearlyFull}},
	{ID: "log-errors", Title: "log errors", Branch: AvailabilityBranch, Doc: "the brokers' logs and log dirs", Signs: []*Sign{shutdownLogged, recoversLogs, startRefusedLogged, fatalLogged, authenticationsFailLogged, wrongProtocolLogged, denialsLogged, unsupportedLogged, recordsTooLargeLogged, notEnoughReplicasLogged, noSpaceLogged, dirIOErrorLogged, dirOtherErrorLogged, readOnlyLogged, dirFailedLogged, allDirsFailed, dirReportedOffline, dirNearlyFull, dirFull, inodesShort, readOnlyMount, mountShutDown}},
	{ID: "recovery-plan", Title: "plan", Branch: AvailabilityBranch, State: planState(AvailabilityBranch), Doc: "the playbook"},

	{ID: "message-integrity", Title: "messages", Branch: DataBranch, Doc: "log segments on disk", Signs: []*Sign{segmentDamaged, checkpointDamaged, damageAhead, damageWithoutCopy, corruptRecordLogged, batchesRepeated, payloadsRepeated}},
	{ID: "offset-consistency", Title: "offsets", Branch: DataBranch, Doc: "committed offsets against both log ends", Signs: []*Sign{groupWithoutMembers, groupStable, lagNotShrinking, lagGrows, groupRefused, commitsBehind, commitsBelowStart, commitsAboveEnd, commitsWentBack, commitsVanished, ownedWithoutCommit, lagOnHotPartitions, partitionsFrozen, productionSurged, rebalancesRepeat, commitsNowhere, lastStableFrozen, transactionOverdue, retentionClock}},
	{ID: "replica-sync", Title: "replicas", Branch: DataBranch, Doc: "ISR and followers", Signs: []*Sign{underReplicated, leftISR, followsPartly, fetcherFailedLogged, slowToFollow, followersWaitedFor, reassignmentRunning, throttleSet, throttledBehind, lossAllowed, lossAnyway, replicasAhead, replicasStandStill, diskAhead, readBeyondEpoch, copiesBeyondUnclean, isrShrinksOften}},
	{ID: "repair-plan", Title: "plan", Branch: DataBranch, State: planState(DataBranch), Doc: "the playbook"},

	{ID: "apply-fix", Title: "apply", State: applyState, Doc: "done by the operator, outside; a marks the time"},
	{ID: "verify-fix", Title: "verify", State: verifyState, Doc: "the same signs, before and after"},
	{ID: "document", Title: "document", State: documentState, Doc: "report, prevention, the alert rule to add"},
}
