package fact

// Known lines of the brokers' logs (probes/logs). A key of scope Broker is
// about the broker that the line speaks of, whichever node's log it stands in.
// Lines count from the last start of the broker that wrote them, as far back as
// was looked; a count of 0 means none was seen there.

var (
	LogSigterm            = State[LogLines]("log.sigterm", Broker, "the broker's own log: Terminating process due to signal SIGTERM")
	LogControlledShutdown = State[LogLines]("log.controlled-shutdown", Broker, "any node's controller.log: inControlledShutdown=1 for this broker; its own log: Beginning controlled shutdown")
	LogStarted            = State[LogLines]("log.started", Broker, "the broker's own log: Kafka Server started, transition to RUNNING")
	LogFenced             = State[LogLines]("log.fenced", Broker, "any node's controller.log: fenced for a missed session, or fenced=1 in its registration")
	LogUnfenced           = State[LogLines]("log.unfenced", Broker, "any node's controller.log: unfenced")
	LogOutOfMemory        = State[LogLines]("log.out-of-memory", Broker, "java.lang.OutOfMemoryError, but Map failed")
	LogAllDirsFailed      = State[LogLines]("log.all-dirs-failed", Broker, "Shutdown broker because all log dirs … have failed")
	LogFatal              = State[LogLines]("log.fatal", Broker, "fatal fault or Exiting Kafka due to fatal exception")
	LogNotEnoughReplicas  = State[LogLines]("log.not-enough-replicas", Broker, "NotEnoughReplicasException at this leader")

	LogController = State[LogLines]("log.controller", Cluster, "the log of a controller on this host was read: its lines on registrations. Only then does silence about a broker mean anything")

	LogDirFailed = State[LogLines]("log.dir.failed", LogDir, "Stopping serving logs or replicas in dir …")
	LogNoSpace   = State[LogLines]("log.dir.no-space", LogDir, "No space left on device, Disk quota exceeded")
	LogIOError   = State[LogLines]("log.dir.io-error", LogDir, "Input/output error, or the directory is gone")
	LogOtherErr  = State[LogLines]("log.dir.other-error", LogDir, "Too many open files, Map failed or Read-only file system as the first exception")
)
