package fact

import "time"

// What the JVM's own perf data tells (probes/jvm): the numbers jstat prints.
var (
	JVMVersion   = State[string]("jvm.version", Process, "java.version")
	JVMCollector = State[string]("jvm.collector", Process, "G1, Parallel, Serial, ZGC, Shenandoah, CMS")
	JVMStarted   = State[time.Time]("jvm.started", Process, "when the JVM was created")
	JVMGCCause   = State[string]("jvm.gc.last-cause", Process, "cause of the last collection")

	GCYoungCount        = Counter("jvm.gc.young.count", Process, Count, "young (minor) collection pauses")
	GCYoungSeconds      = Counter("jvm.gc.young.seconds", Process, Seconds, "time in young collection pauses")
	GCFullCount         = Counter("jvm.gc.full.count", Process, Count, "full collections; not observed where the collector has none")
	GCFullSeconds       = Counter("jvm.gc.full.seconds", Process, Seconds, "time in full collections")
	GCConcurrentCount   = Counter("jvm.gc.concurrent.count", Process, Count, "pauses of concurrent cycles")
	GCConcurrentSeconds = Counter("jvm.gc.concurrent.seconds", Process, Seconds, "time in pauses of concurrent cycles")
	SafepointSeconds    = Counter("jvm.safepoint.seconds", Process, Seconds, "time that application threads stood still, for any reason")

	HeapUsed = Gauge("jvm.heap.used", Process, Bytes, "heap in use")
	HeapMax  = Gauge("jvm.heap.max", Process, Bytes, "largest size the heap may have")
	OldUsed  = Gauge("jvm.old.used", Process, Bytes, "old generation in use")
	OldMax   = Gauge("jvm.old.max", Process, Bytes, "largest size the old generation may have")
	HeapLow  = Gauge("jvm.heap.low", Process, Bytes, "least heap in use over the quick readings of one observation: what survives collections, when collections happened between them")
)
