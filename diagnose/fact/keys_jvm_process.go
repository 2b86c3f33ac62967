package fact

// What the JVM's perf data tells beyond what jstat's usual columns show, and what
// its process shows from outside (probes/jvm).
var (
	EdenUsed         = Gauge("jvm.eden.used", Process, Bytes, "eden in use; until JDK 17 Serial and Parallel tell it twenty times a second, later after collections alone")
	EdenSize         = Gauge("jvm.eden.size", Process, Bytes, "size of eden now")
	OldSize          = Gauge("jvm.old.size", Process, Bytes, "size of the old generation now; with ZGC and Shenandoah the heap's, so that its use is no share")
	OldAfterGC       = Gauge("jvm.old.after-gc", Process, Bytes, "old generation in use at the first reading after a collection ended")
	HeapAfterGC      = Gauge("jvm.heap.after-gc", Process, Bytes, "heap in use at the first reading after a collection ended, 50 ms at most when readings are quick")
	MetaspaceUsed    = Gauge("jvm.metaspace.used", Process, Bytes, "space for classes in use")
	MetaspaceSize    = Gauge("jvm.metaspace.size", Process, Bytes, "space for classes that is committed")
	SafepointCount   = Counter("jvm.safepoint.count", Process, Count, "stops of all application threads, for any reason")
	SafepointSync    = Counter("jvm.safepoint.sync.seconds", Process, Seconds, "time until all threads had stopped, part of the stops")
	GCThreadSeconds  = Counter("jvm.gc.cpu.seconds", Process, Seconds, "CPU time of all collector threads, as JDK 20 and later tell")
	JavaThreads      = Gauge("jvm.threads.live", Process, Count, "live threads of Java")
	JVMFlagsSet      = State[JVMFlags]("jvm.flags", Process, "options of the JVM and where they come from")
	JVMThreadRoles   = State[[]ThreadRole]("jvm.threads.roles", Process, "threads by role: number, CPU time, waits, state").keeping(60)
	OldUsedCommitted = Gauge("jvm.old.committed-share", Process, Ratio, "old generation in use of what is committed: column O of jstat -gcutil; it says nothing of ZGC")
)
