package fact

import "fmt"

// What the log dirs of this host hold, read from their files.
var (
	SegmentsVerified = State[Verified]("segments.verified", LogDir, "how much of a log dir's segments was verified, and how much there is")
	SegmentsDamage   = State[[]DamagedFile]("segments.damage", LogDir, "what is wrong with segments, indexes and checkpoints, the gravest first, 50 at most; empty: nothing in what was verified")
	SegmentsTopics   = State[TopicBatches]("segments.topics", LogDir, "batches in the segments that were verified, by topic: records each, formats, codecs, and what is there twice")
	SegmentsLogs     = State[LocalLogs]("segments.logs", LogDir, "where each log on this host's disks begins and ends, and what its checkpoints say of it")
)

// Verified is how much of a log dir was looked at, in all looks together. Every
// count is of what is there now.
type Verified struct {
	Segments    int   `json:"segments"` // whose batches and indexes were verified
	Bytes       int64 `json:"bytes"`
	AllSegments int   `json:"all_segments"`
	AllBytes    int64 `json:"all_bytes"`
	Partitions  int   `json:"partitions"` // whose small files were
	Unreadable  int   `json:"unreadable"` // files that could not be read
	Healing     int   `json:"healing"`    // damages that the broker mends by itself
}

// DamagedFile is a damage of a kind that docs/segments.schema.json names.
type DamagedFile struct {
	Kind       string `json:"kind"`
	Severity   string `json:"severity"`  // minor, major, critical
	Partition  string `json:"partition"` // "orders-3"; empty for a file of the log dir
	File       string `json:"file"`
	Position   int64  `json:"position"`    // bytes; -1: the file as a whole
	BaseOffset int64  `json:"base_offset"` // the first offset concerned; -1: none
	LastOffset int64  `json:"last_offset"` // -1: not known
	Text       string `json:"text"`
}

// TopicBatches is what batches look like, in columns by topic.
type TopicBatches struct {
	Topic      []string         `json:"topic"`
	Batches    []int64          `json:"batches"`
	Records    []int64          `json:"records"`
	Bytes      []int64          `json:"bytes"`
	Single     []int64          `json:"single"`     // batches of one record
	Codecs     []map[string]int `json:"codecs"`     // batches by compression.type
	Unproduced []int64          `json:"unproduced"` // batches without a producer id
	Repeated   []int64          `json:"repeated"`   // records in batches, without a producer id, that are there twice byte for byte
	Example    []string         `json:"example"`    // where: "orders-3 at 100 and 139"; empty: none

	// Columns that older recordings lack: as long as the others, or empty.

	Sizes        [][4]int64 `json:"sizes,omitempty"`         // batches of 1, of 2 to 9, of 10 to 99, of 100 records and more
	Magic        [][3]int64 `json:"magic,omitempty"`         // batches with magic 0, 1 and 2
	Unpacked     []int64    `json:"unpacked,omitempty"`      // records without a producer id whose key and payload were compared; with --deep, or where the broker stamps them
	Alike        []int64    `json:"alike,omitempty"`         // of those: in rows of two and more that stand twice among the last 65536 of a partition, batched and stamped alike or not
	AlikeExample []string   `json:"alike_example,omitempty"` // as Example
}

// Valid says which column does not fit.
func (b TopicBatches) Valid() error {
	n := len(b.Topic)
	for _, c := range []int{len(b.Batches), len(b.Records), len(b.Bytes), len(b.Single), len(b.Codecs), len(b.Unproduced), len(b.Repeated), len(b.Example)} {
		if c != n {
			return fmt.Errorf("a column of %d entries for %d topics", c, n)
		}
	}
	for _, c := range []int{len(b.Sizes), len(b.Magic), len(b.Unpacked), len(b.Alike), len(b.AlikeExample)} {
		if c != n && c != 0 {
			return fmt.Errorf("a column of %d entries for %d topics, expected as many or none", c, n)
		}
	}
	return nil
}
