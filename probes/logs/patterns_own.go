package logs

import "github.com/ktriage/ktriage/diagnose/fact"

// ownPatterns is what a node's log tells of itself: why it did not start, what
// it recovers from, what it lacks.
var ownPatterns = []pattern{
	refused("Invalid cluster.id in:", "cluster-id"),
	refused("doesn't match stored clusterId", "cluster-id"),
	refused("Stored node id ", "node-id"),
	refused("doesn't match stored broker.id", "node-id"),
	refused("is not in the form of topic-partition or topic-partition.uniqueId-delete", "foreign-directory"),
	refused("No readable meta.properties files found", "unformatted"),
	refused("Failed to acquire lock on file .lock in", "locked"),
	refused("Duplicate log directories for", "duplicate-directory"),
	refused("specified log dirs from", "no-directory"),
	refused("Address already in use", "port-in-use"),
	refused("UnsupportedClassVersionError", "java-version"),
	refused("org.apache.kafka.common.config.ConfigException", "bad-setting"),
	refused("java.lang.IllegalArgumentException: requirement failed:", "bad-setting"),
	refused("does not support metadata.version", "metadata-version"),
	refused("No MetadataVersion with", "metadata-version"),

	{text: "Encountered metadata publishing fault", key: fact.LogMetadataFault.Def(), trace: true},
	{text: "Encountered metadata loading fault", key: fact.LogMetadataFault.Def(), trace: true},
	{text: "Encountered initial broker metadata loading fault", key: fact.LogMetadataFault.Def(), trace: true},
	{text: "Too many open files", key: fact.LogTooManyFiles.Def(), names: opening},
	{text: "Map failed", key: fact.LogMapFailed.Def()},
	{text: "Read-only file system", key: fact.LogReadOnly.Def()},
	{text: "Error due to", key: fact.LogThreadDied.Def(), names: thread, trace: true},
	{text: "Uncaught exception in", key: fact.LogThreadDied.Def(), names: thread, trace: true},
	{text: "sent a heartbeat request but received error", key: fact.LogHeartbeatFailed.Def(), names: after("received error ")},
	{text: "Unable to send a heartbeat because", key: fact.LogHeartbeatFailed.Def(), names: always("not sent")},
	{text: "because the controller returned error", key: fact.LogRegistrationFailed.Def(), names: after("returned error ")},
	{text: "we were unable to register with the controller quorum", key: fact.LogRegistrationFailed.Def(), names: always("gave up")},
	{text: "Exception when handling request", key: fact.LogRequestError.Def(), trace: true},
	{text: "Error when handling request", key: fact.LogRequestError.Def(), trace: true},
	{text: "Unexpected error handling request", key: fact.LogRequestError.Def(), trace: true},
	{text: "Processor got uncaught exception", key: fact.LogProcessorError.Def(), trace: true},
	{text: "Exception while processing request from", key: fact.LogProcessorError.Def(), trace: true},
	{text: "Timed out waiting for the controller to approve controlled shutdown", key: fact.LogShutdownTimedOut.Def()},
	{text: "Session expired.", key: fact.LogZooKeeperExpired.Def()},
	{text: "UnsupportedVersionException", key: fact.LogUnsupportedVersion.Def()},
	{text: "UNSUPPORTED_VERSION", key: fact.LogUnsupportedVersion.Def()},

	{text: "since no clean shutdown file was found", key: fact.LogRecovery.Def(), names: after(" logs from ", "all logs in ")},
	{text: "Recovering unflushed segment", key: fact.LogRecovery.Def(), names: partition},
	{text: "Corruption found in segment", key: fact.LogRecoveryTruncated.Def(), names: partition},
	{text: "Found invalid messages in log segment", key: fact.LogRecoveryTruncated.Def(), names: partition},
	{text: "Found invalid offset during recovery", key: fact.LogRecoveryTruncated.Def(), names: partition},
	{text: "Deleting all segments because logEndOffset", key: fact.LogRecoveryTruncated.Def(), names: partition},
	{text: "Found a corrupted index file", key: fact.LogIndexRebuilt.Def(), names: partition},
	{text: "Could not find offset index file", key: fact.LogIndexRebuilt.Def(), names: partition},
	{text: "Found an orphaned index file", key: fact.LogIndexRebuilt.Def(), names: partition},
	{text: "largestRecordTimestamp=0)", key: fact.LogTimeIndexZero.Def(), names: partition},
	{text: "log retention time", key: fact.LogRetentionDeleted.Def(), names: partition},
	{text: "log retention size", key: fact.LogRetentionDeleted.Def(), names: partition},
	{text: "due to log start offset", key: fact.LogRetentionDeleted.Def(), names: partition},
	{text: "due to local log start offset", key: fact.LogRetentionDeleted.Def(), names: partition},
	{text: "marked stray and renamed", key: fact.LogStray.Def()},
	{text: "treat it as a stray log", key: fact.LogStray.Def()},
	{text: "as uncleanable", key: fact.LogCleanerFailed.Def(), names: partition, trace: true},
	{text: "Failed to clean up log for", key: fact.LogCleanerFailed.Def(), names: after("clean up log for "), trace: true},
	{text: "RecordTooLargeException", key: fact.LogRecordTooLarge.Def(), names: partition},
	{text: "RecordBatchTooLargeException", key: fact.LogRecordTooLarge.Def(), names: partition},
	{text: "Completed rollback of ongoing transaction", key: fact.LogTransactionTimedOut.Def(), names: after("transactionalId ")},
}

// refused is a line that says why a node did not start.
func refused(text, why string) pattern {
	return pattern{text: text, key: fact.LogStartRefused.Def(), names: always(why)}
}

// opening is what the descriptor that was not to be had was for.
func opening(h hit) []string {
	switch head := string(h.head); {
	case contains(head, "accepting connection"):
		return []string{"accept"}
	case contains(head, "LogDirFailureChannel"):
		return []string{"logdir"}
	}
	return []string{"other"}
}
