package diagnose

// The leaves of the source's tree that causes belong to.
var (
	highLatency          = &Fault{"high-latency", "high latency", Performance}
	memoryPressure       = &Fault{"memory-pressure", "memory pressure", Performance}
	brokerDown           = &Fault{"broker-down", "a broker is down", Availability}
	partitionUnavailable = &Fault{"partition-unavailable", "partitions are unavailable", Availability}
	diskFailure          = &Fault{"disk-failure", "a disk failed", Availability}
	consumerLag          = &Fault{"consumer-lag", "consumers lag", Data}
	unexplained          = &Fault{"none-of-these", "nothing in the catalogue", Availability}
)
