package diagnose

// The leaves of the source's tree that causes belong to.
var (
	highLatency          = &Fault{"high-latency", "high latency", Performance}
	lowThroughput        = &Fault{"low-throughput", "low throughput", Performance}
	highCPU              = &Fault{"high-cpu", "high CPU", Performance}
	memoryPressure       = &Fault{"memory-pressure", "memory pressure", Performance}
	brokerDown           = &Fault{"broker-down", "a broker is down", Availability}
	partitionUnavailable = &Fault{"partition-unavailable", "partitions are unavailable", Availability}
	networkPartition     = &Fault{"network-partition", "the network is parted", Availability}
	diskFailure          = &Fault{"disk-failure", "a disk failed", Availability}
	messageLoss          = &Fault{"message-loss", "messages are lost", Data}
	messageDuplication   = &Fault{"message-duplication", "messages are there twice", Data}
	consumerLag          = &Fault{"consumer-lag", "consumers lag", Data}
	offsetError          = &Fault{"offset-error", "offsets are wrong", Data}
	badParameter         = &Fault{"bad-parameter", "a setting is wrong", Configuration}
	incompatible         = &Fault{"version-incompatibility", "versions do not fit", Configuration}
	permissionDenied     = &Fault{"permission-denied", "access is denied", Configuration}
	networkListener      = &Fault{"network-listener", "a listener is wrong", Configuration}
	unexplained          = &Fault{"none-of-these", "nothing in the catalogue", Availability}
)
