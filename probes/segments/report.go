package segments

import (
	"fmt"
	"time"
)

// Summary is how much was looked at.
type Summary struct {
	Partitions      int     `json:"partitions"`
	Files           int     `json:"files"` // segments, each with its indexes
	Bytes           int64   `json:"bytes"`
	Batches         int64   `json:"batches"`
	Records         int64   `json:"records"`
	DurationSeconds float64 `json:"duration_seconds"`
	Skipped         int     `json:"skipped"` // segments that were not looked at: too old for --since, already done, or out of budget
	NotUnpacked     int64   `json:"not_unpacked,omitempty"`
}

// Topic is what the batches of a topic look like, those that were read.
type Topic struct {
	Batches, Records, Bytes int64
	Codecs                  [8]int64 // batches by codec
	Unproduced              int64    // batches without a producer id
	Repeated                int64    // records in batches that are there twice, byte for byte
	Example                 Repeat
	Sizes                   [4]int64 // batches of 1, 2 to 9, 10 to 99, 100 records and more
	Magic                   [3]int64 // batches by magic
	Unpacked                int64    // records without a producer id whose key and payload were looked at
	Alike                   int64    // of those, in rows that stand twice
	AlikeExample            Repeat
}

// Repeat is where a batch is there twice.
type Repeat struct {
	Partition    string
	First, Again int64 // offsets
}

// text is "orders-3 at 100 and 139"; empty for none.
func (r Repeat) text() string {
	if r.Partition == "" {
		return ""
	}
	return fmt.Sprintf("%s at %d and %d", r.Partition, r.First, r.Again)
}

// Report is what a scan found.
type Report struct {
	Summary Summary
	Damage  []Damage
	More    int               // damages beyond those listed
	Topics  map[string]*Topic // by name
	Done    bool              // it came to its end
}

// mostDamage is how many damages a report lists.
const mostDamage = 10000

// mostTopicsTold is how many topics a report has numbers of.
const mostTopicsTold = 10000

// Progress is how far a scan is.
type Progress struct {
	Partitions, AllPartitions int
	Bytes, AllBytes           int64 // of segments, read and to be read
	Rate                      float64
	Left                      time.Duration // 0: not known yet
	Paused                    bool          // for I/O pressure
	Damage                    int
}

// Incomplete says whether something could not be seen.
func (r *Report) Incomplete() bool {
	if !r.Done {
		return true
	}
	for i := range r.Damage {
		if r.Damage[i].Kind == Unreadable {
			return true
		}
	}
	return false
}

// Found says whether something is wrong that does not heal by itself and is more
// than untidy.
func (r *Report) Found() bool {
	for i := range r.Damage {
		if d := &r.Damage[i]; d.Kind != Unreadable && !d.SelfHealing && d.Severity != Info {
			return true
		}
	}
	return false
}

func (r *Report) add(damage []Damage) {
	for _, d := range damage {
		if len(r.Damage) >= mostDamage {
			r.More++
			continue
		}
		r.Damage = append(r.Damage, d)
	}
}

// count adds a segment.
func (r *Report) count(partition, topic string, c *content) {
	r.Summary.Files++
	r.Summary.Bytes += c.bytes
	r.Summary.Batches += c.batches
	r.Summary.Records += c.records
	r.Summary.NotUnpacked += c.tooLarge
	t := r.Topics[topic]
	if t == nil {
		if c.batches == 0 || len(r.Topics) >= mostTopicsTold {
			return
		}
		t = &Topic{}
		r.Topics[topic] = t
	}
	t.Batches += c.batches
	t.Records += c.records
	t.Bytes += c.bytes
	for i, n := range c.sizes {
		t.Sizes[i] += n
	}
	for i, n := range c.magics {
		t.Magic[i] += n
	}
	if c.alike > 0 && t.Alike == 0 {
		t.AlikeExample = Repeat{partition, c.alikeAt.First, c.alikeAt.Again}
	}
	t.Unpacked += c.compared
	t.Alike += c.alike
	t.Unproduced += c.unproduced
	for i, n := range c.codecs {
		t.Codecs[i] += n
	}
	for _, again := range c.repeats {
		if t.Repeated == 0 {
			t.Example = Repeat{partition, again.first, again.again}
		}
		t.Repeated += again.records
	}
}
