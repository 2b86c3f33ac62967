package fact

// Metrics endpoints of brokers (probes/metrics): a jmx_exporter with any of the
// common rule files, Strimzi's reporter, Jolokia. The broker is "host:port" of
// the endpoint where nothing says whose it is. What an endpoint does not export
// is unknown, never 0.

var (
	MetricsSource      = State[MetricsEndpoint]("metrics.endpoint", Broker, "the endpoint that was read").keeping(4)
	MetricStarted      = Gauge("metrics.process.started", Broker, Seconds, "when the broker's process started, since 1970")
	MetricRequests     = State[[]RequestTimes]("metrics.requests.times", Broker, "phases of Produce, FetchConsumer, FetchFollower and Metadata requests")
	MetricRequestCount = State[[]NamedCount]("metrics.requests.counts", Broker, "requests since the start, by type")
	MetricErrors       = State[[]NamedCount]("metrics.requests.errors", Broker, "answers with an error since the start, by type and error: \"Produce NOT_ENOUGH_REPLICAS\"")
	MetricQueue        = Gauge("metrics.requests.queued", Broker, Count, "requests that wait for a request handler")

	MetricHandlerIdle        = Gauge("metrics.handlers.idle", Broker, Ratio, "share of time that request handlers are idle, over the last minute; before 4.2 up to 2 on combined nodes")
	MetricHandlerIdleSeconds = Counter("metrics.handlers.idle-seconds", Broker, Seconds, "idle time of request handlers, as the mean of all: growth over time is the idle share, on combined nodes before 4.2 up to 2")
	MetricNetworkIdle        = Gauge("metrics.network.idle", Broker, Ratio, "share of time that network threads are idle, mean of all; low for a minute after a start")
	MetricNetworkLeastIdle   = Gauge("metrics.network.least-idle", Broker, Ratio, "the same of the network thread that is idle least")

	MetricUnderReplicated   = Gauge("metrics.partitions.under-replicated", Broker, Count, "partitions that this broker leads with followers missing from the ISR")
	MetricUnderMinISR       = Gauge("metrics.partitions.under-min-isr", Broker, Count, "partitions that this broker leads with fewer in the ISR than min.insync.replicas")
	MetricAtMinISR          = Gauge("metrics.partitions.at-min-isr", Broker, Count, "partitions that this broker leads with just min.insync.replicas in the ISR")
	MetricOfflineReplicas   = Gauge("metrics.replicas.offline", Broker, Count, "replicas of this broker on failed log dirs")
	MetricISRShrinks        = Counter("metrics.isr.shrinks", Broker, Count, "ISRs that this broker shrank as leader")
	MetricISRExpands        = Counter("metrics.isr.expands", Broker, Count, "ISRs that this broker expanded as leader")
	MetricISRUpdatesFailed  = Counter("metrics.isr.updates-failed", Broker, Count, "changes of ISRs that the controller did not take")
	MetricMaxLag            = Gauge("metrics.follower.max-lag", Broker, Count, "messages that this follower is behind at most")
	MetricFailedPartitions  = Gauge("metrics.follower.failed-partitions", Broker, Count, "partitions that this follower has stopped fetching")
	MetricDeadFetchers      = Gauge("metrics.follower.dead-threads", Broker, Count, "fetcher threads that have died")
	MetricActiveController  = Gauge("metrics.controller.active", Broker, Count, "1 on the active controller, 0 on the others; controllers only")
	MetricOfflinePartitions = Gauge("metrics.controller.offline-partitions", Broker, Count, "partitions without a leader, as this controller sees it")
	MetricUncleanElections  = Counter("metrics.controller.unclean-elections", Broker, Count, "unclean leader elections of this controller")

	MetricLogFlush       = State[Timer]("metrics.log.flush", Broker, "fsync of log segments")
	MetricOfflineLogDirs = Gauge("metrics.log.offline-dirs", Broker, Count, "log dirs that have failed")
	MetricUncleanable    = Gauge("metrics.log.uncleanable", Broker, Count, "partitions whose compaction has stopped")
	MetricDeadCleaners   = Gauge("metrics.log.dead-cleaners", Broker, Count, "log cleaner threads that have died")

	MetricDelayedProduce     = Gauge("metrics.purgatory.produce", Broker, Count, "produce requests that wait for followers")
	MetricDelayedFetch       = Gauge("metrics.purgatory.fetch", Broker, Count, "fetch requests that wait for data")
	MetricProduceRequests    = Counter("metrics.topics.produce-requests", Broker, Count, "produce requests, by partition and request")
	MetricFetchRequests      = Counter("metrics.topics.fetch-requests", Broker, Count, "fetch requests, by partition and request")
	MetricFailedProduce      = Counter("metrics.topics.failed-produce", Broker, Count, "of them failed")
	MetricFailedFetch        = Counter("metrics.topics.failed-fetch", Broker, Count, "of them failed")
	MetricMessagesIn         = Counter("metrics.topics.messages-in", Broker, Count, "messages produced")
	MetricBytesIn            = Counter("metrics.topics.bytes-in", Broker, Bytes, "bytes produced")
	MetricBytesOut           = Counter("metrics.topics.bytes-out", Broker, Bytes, "bytes consumed")
	MetricBytesRejected      = Counter("metrics.topics.bytes-rejected", Broker, Bytes, "bytes of messages that were too large")
	MetricReplicationIn      = Counter("metrics.topics.replication-bytes-in", Broker, Bytes, "bytes fetched as follower")
	MetricReplicationOut     = Counter("metrics.topics.replication-bytes-out", Broker, Bytes, "bytes sent to followers")
	MetricProduceConversions = Counter("metrics.topics.produce-conversions", Broker, Count, "messages converted or compressed anew when produced")
	MetricFetchConversions   = Counter("metrics.topics.fetch-conversions", Broker, Count, "messages converted when fetched")
	MetricInvalidCRC         = Counter("metrics.topics.invalid-crc", Broker, Count, "messages with a wrong CRC")

	MetricThrottled            = State[Throttles]("metrics.throttled", Broker, "clients that quotas hold back")
	MetricConnections          = Gauge("metrics.connections.open", Broker, Count, "connections of all listeners")
	MetricConnectionsMade      = Counter("metrics.connections.made", Broker, Count, "connections that were made, of all listeners")
	MetricFailedAuthentication = Counter("metrics.connections.failed-authentication", Broker, Count, "connections that failed to authenticate")
	MetricBrokerState          = Gauge("metrics.broker.state", Broker, None, "1 starting, 2 recovery, 3 running, 6 asks for a controlled shutdown, 7 shutting down")
)
