package fact

import "time"

// SegmentsRest is there from when the operator first asked for it.
var SegmentsRest = State[RestOfScan]("segments.rest", LogDir, "how far the verification of all segments is that the operator started").keeping(2).lasting(time.Hour)

// RestState says whether the verification of all segments runs.
type RestState string

// The states, in their order; the last three end it.
const (
	RestWaits   RestState = "waiting" // for the log dir before it
	RestRuns    RestState = "running"
	RestDone    RestState = "done"
	RestStopped RestState = "stopped" // by the operator
	RestFailed  RestState = "failed"
)

// RestOfScan is how far the verification of all segments of a log dir is.
type RestOfScan struct {
	State         RestState `json:"state"`
	Partitions    int       `json:"partitions"`
	AllPartitions int       `json:"all_partitions"`
	Bytes         int64     `json:"bytes"` // verified, by earlier looks too
	AllBytes      int64     `json:"all_bytes"`
	Rate          float64   `json:"rate"`             // bytes a second
	Left          float64   `json:"left"`             // seconds; -1: not known yet
	Paused        bool      `json:"paused,omitempty"` // the host waits for I/O
	Began         time.Time `json:"began,omitzero"`
	Ended         time.Time `json:"ended,omitzero"`
	Error         string    `json:"error,omitempty"`
}
