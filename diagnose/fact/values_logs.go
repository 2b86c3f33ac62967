package fact

import "time"

// LogLines is what was found of one kind of line in a broker's logs.
type LogLines struct {
	Count  int       `json:"count"`
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Text   string    `json:"text,omitempty"`   // the first line, with the exception under it where there is one; cut to 300 characters
	Latest string    `json:"latest,omitempty"` // the last line, likewise
	File   string    `json:"file,omitempty"`   // where the first line stands
	Since  time.Time `json:"since,omitzero"`   // how far back was looked

	Minutes []MinuteCount `json:"minutes,omitempty"` // oldest first: the newest 60 minutes that have such lines
	Names   []NameCount   `json:"names,omitempty"`   // what the lines speak of, first seen first, at most 32
	Others  int           `json:"others,omitempty"`  // lines that speak of something else yet
}

// MinuteCount is how many lines stand in one minute of a log.
type MinuteCount struct {
	At    time.Time `json:"at"` // its beginning
	Count int       `json:"count"`
}

// NameCount is how many lines speak of one thing, and when they last did.
type NameCount struct {
	Name  string    `json:"name"`
	Count int       `json:"count"`
	Last  time.Time `json:"last"`
}

// Within is how many of the lines stand in the time from window before now,
// rounded to whole minutes: the first one counts whole. Lines of minutes that
// were dropped are not counted.
func (l LogLines) Within(now time.Time, window time.Duration) int {
	from, n := now.Add(-window).Truncate(time.Minute), 0
	for _, m := range l.Minutes {
		if !m.At.Before(from) && !m.At.After(now) {
			n += m.Count
		}
	}
	return n
}

// ISRShrink is one line of a leader that puts a follower out of the ISR. A
// follower whose end stands at the high watermark has stopped; one beyond it
// and moving is slow.
type ISRShrink struct {
	At            time.Time `json:"at"`
	Partition     string    `json:"partition"` // orders-0
	HighWatermark int64     `json:"high_watermark"`
	LeaderEnd     int64     `json:"leader_end"`
	Follower      int32     `json:"follower"`
	FollowerEnd   int64     `json:"follower_end"`            // -1: it never fetched
	CaughtUp      time.Time `json:"last_caught_up,omitzero"` // zero: not told
}

// Rebalance is one line of a coordinator that prepares to rebalance a group.
type Rebalance struct {
	At    time.Time `json:"at"`
	Group string    `json:"group"`
}
