package fact

import "time"

// GCLog is what a garbage collection log tells, from its beginning or from
// where reading began. What the log does not tell is null.
type GCLog struct {
	Collector string    `json:"collector"`     // G1, Parallel, Serial, CMS, ZGC, Shenandoah, Epsilon; "" not told
	JDK       string    `json:"jdk"`           // 17.0.15+6-Debian-1deb12u1; "" not told
	Format    string    `json:"format"`        // unified, legacy
	From      time.Time `json:"from,omitzero"` // first and last time stamp with a date
	To        time.Time `json:"to,omitzero"`
	Span      *float64  `json:"span_seconds"`    // between stamps, time between two runs of the JVM left out; null without stamps
	Runs      int       `json:"runs"`            // JVMs that began in it
	Pauses    GCPauses  `json:"pauses"`          // stop-the-world pauses
	Stops     *GCPauses `json:"safepoint_stops"` // all stops of the application, where safepoints are logged
	Stalls    GCPauses  `json:"stalls"`          // waits of single threads for memory (ZGC)
	Kinds     []GCShare `json:"kinds"`           // of pauses: young, mixed, full, concurrent, degenerated, other
	Causes    []GCShare `json:"causes"`          // of pauses, most time first
	Full      int       `json:"full_gcs"`
	Evac      int       `json:"evacuation_failures"`
	Humongous *int      `json:"humongous_regions_peak"` // null where regions are not logged
	Heap      GCHeap    `json:"heap"`
	Longest   []GCPause `json:"longest"` // at most 10, longest first
	Lines     int64     `json:"lines"`
	Bytes     int64     `json:"bytes"`
	Broken    int       `json:"broken_records"` // begun and not ended, or not to be understood
}

// GCPauses is the lengths of pauses, by nearest rank.
type GCPauses struct {
	Count int      `json:"count"`
	P50   *float64 `json:"p50_seconds"` // null without pauses
	P95   *float64 `json:"p95_seconds"`
	P99   *float64 `json:"p99_seconds"`
	Max   *float64 `json:"max_seconds"`
	Total float64  `json:"total_seconds"`
	Exact bool     `json:"exact"` // false: percentiles are up to 1% above the exact ones
}

// GCShare is the pauses that have a name in common.
type GCShare struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	Total float64 `json:"total_seconds"`
}

// GCHeap is sizes of the heap in bytes; null where they are not told.
type GCHeap struct {
	After     *float64 `json:"after_bytes"`      // after the last collection
	AfterFull *float64 `json:"after_full_bytes"` // after the last full collection
	AfterPeak *float64 `json:"after_peak_bytes"` // the most after any collection
	OldAfter  *float64 `json:"old_after_bytes"`  // old generation after the last collection that told it; of G1 whole regions, without humongous ones
	Capacity  *float64 `json:"capacity_bytes"`   // size at the last collection
	Max       *float64 `json:"max_bytes"`        // largest size allowed
	Allocated float64  `json:"allocated_bytes"`  // growth between collections, summed
	Promoted  float64  `json:"promoted_bytes"`   // growth of the old generation by young collections, summed
}

// GCPause is one stop-the-world pause.
type GCPause struct {
	At      time.Time `json:"at,omitzero"` // when it began; zero where only uptimes are logged
	Uptime  *float64  `json:"uptime_seconds,omitempty"`
	Seconds float64   `json:"seconds"`
	Kind    string    `json:"kind"`
	Cause   string    `json:"cause"`
}

// MaxRecentGC is how many pauses are recent.
const MaxRecentGC = 64

// RecentGC is the newest pauses of a JVM, oldest first, at most MaxRecentGC.
type RecentGC struct {
	File   string    `json:"file"`
	Since  time.Time `json:"since,omitzero"` // how far back the log was read
	Pauses []GCPause `json:"pauses"`
}
