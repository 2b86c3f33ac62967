package fact

// What the JVM's garbage collection log tells (probes/jvm), from as far back as it
// was read.
var (
	GCLogged = State[GCLog]("jvm.gclog", Process, "what the GC log tells in all: pauses, causes, heap after collections").keeping(2)
	GCRecent = State[RecentGC]("jvm.gclog.recent", Process, "the newest 64 stop-the-world pauses, with when, how long and why").keeping(8)

	GCPauseCount         = Counter("jvm.gclog.pause.count", Process, Count, "stop-the-world pauses of every kind")
	GCPauseSeconds       = Counter("jvm.gclog.pause.seconds", Process, Seconds, "time in stop-the-world pauses")
	GCLoggedFull         = Counter("jvm.gclog.full.count", Process, Count, "full collections")
	GCHumongousCount     = Counter("jvm.gclog.humongous.count", Process, Count, "young pauses because of a humongous allocation (G1)")
	GCHumongousSeconds   = Counter("jvm.gclog.humongous.seconds", Process, Seconds, "time in young pauses because of a humongous allocation (G1)")
	GCYoungLogged        = Counter("jvm.gclog.young.count", Process, Count, "young and mixed pauses, of which the humongous ones are a part")
	GCExplicitCount      = Counter("jvm.gclog.explicit.count", Process, Count, "pauses that somebody asked for: System.gc()")
	GCMetadataCount      = Counter("jvm.gclog.metadata.count", Process, Count, "pauses because the space for classes grew")
	GCEvacuationFailures = Counter("jvm.gclog.evacuation-failure.count", Process, Count, "collections that found no room to move objects to: to-space exhausted, promotion failed")
	GCStallCount         = Counter("jvm.gclog.stall.count", Process, Count, "waits of single threads for memory (ZGC)")
	GCStallSeconds       = Counter("jvm.gclog.stall.seconds", Process, Seconds, "time that threads waited for memory, summed (ZGC)")
	GCAllocated          = Counter("jvm.gclog.allocated", Process, Bytes, "growth of the heap between collections, summed")
	GCPromoted           = Counter("jvm.gclog.promoted", Process, Bytes, "growth of the old generation by young collections, summed")
	GCHeapAfter          = Gauge("jvm.gclog.heap.after", Process, Bytes, "heap in use after the last collection")
	GCOldAfter           = Gauge("jvm.gclog.old.after", Process, Bytes, "old generation after the last collection that told it: what is in use; of G1 whole regions, without humongous ones")
	GCHeapAfterFull      = Gauge("jvm.gclog.heap.after-full", Process, Bytes, "heap in use after the last full collection")
)
