package fact

// Unknown says why a value could not be had, and what would make it visible.
type Unknown struct {
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"` // the error, without secrets
	How    string `json:"how,omitempty"`    // what the operator can do to see it
}

// Reason is why a value is unknown. An unknown value is never a healthy one.
type Reason string

const (
	NotAskedFor  Reason = "not-asked"
	NotAllowed   Reason = "not-allowed"
	NotSupported Reason = "not-supported"
	Absent       Reason = "not-applicable" // no such thing here: a collector without full collections, a disk without a device
	Unreachable  Reason = "unreachable"
	TimedOut     Reason = "timed-out"
	NotYet       Reason = "not-yet"      // wants another sample, or the probe has not answered
	Stale        Reason = "stale"        // the last value is too old to speak of now
	Unreadable   Reason = "unreadable"   // bytes that do not parse
	NotObserved  Reason = "not-observed" // no probe looked here: another host, say
)

// String is "not-allowed: open /proc/4711/io: permission denied".
func (u *Unknown) String() string {
	if u == nil {
		return ""
	}
	if u.Detail == "" {
		return string(u.Reason)
	}
	return string(u.Reason) + ": " + u.Detail
}
