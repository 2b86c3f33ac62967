package logs

import (
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// replicaPatterns is what leaders and followers tell of each other.
var replicaPatterns = []pattern{
	{text: "Shrinking ISR from ", key: fact.LogISRShrunk.Def(), names: partition, note: (*scan).shrink},
	{text: "Shrinking ISR from ", key: fact.LogISRLeft.Def(), names: followers},
	{text: "ISR updated to ", key: fact.LogISRUpdated.Def(), names: partition},
	{text: "skip updating ISR", key: fact.LogISRUpdateFailed.Def(), names: partition}, // with ZooKeeper, up to 3.9
	{text: "Failed to update ISR to ", key: fact.LogISRUpdateFailed.Def(), names: partition},
	{text: "due to leader epoch and offset EpochEndOffset(", not: "TruncationState(offset=0,", key: fact.LogTruncated.Def(), names: partition},
	{text: " below high watermark ", key: fact.LogTruncatedBelowHW.Def(), names: partition},
	{text: "is out of range, which typically implies a leader change", key: fact.LogOutOfRange.Def(), names: partition},
	{text: "marked as failed", key: fact.LogMarkedFailed.Def(), names: partition},
	{text: "has an older epoch", key: fact.LogOlderEpoch.Def(), names: partition},
	{text: "rror occurred while processing data for partition", key: fact.LogFetcherError.Def(), names: partition, trace: true},
	{text: "Error while processing data for partition", key: fact.LogFetcherError.Def(), names: partition, trace: true},
	{text: "Error in response for fetch request", key: fact.LogFetchFailed.Def(), names: after("leaderId="), trace: true},
	{text: "Error sending fetch request", key: fact.LogFetchFailed.Def(), names: after("leaderId=", "to node "), trace: true},
	{text: "Unable to start fetching ", key: fact.LogFetchNotStarted.Def(), names: after("start fetching ")},
	// Below a line of recovery, corruption has just been cut off.
	{text: "Record is corrupt (stored crc", under: "Found invalid messages in log segment", key: fact.LogCorruptRecord.Def(), names: partition},
	{text: "smaller than minimum record overhead", key: fact.LogCorruptRecord.Def(), names: partition},
	{text: "Found invalid messages during fetch", key: fact.LogCorruptRecord.Def(), names: partition},
	{text: "could not be established. Node may not be available", key: fact.LogPeerUnreachable.Def(), names: after("onnection to node ")},
	{text: "due to request timeout", key: fact.LogPeerTimedOut.Def(), names: after("from node ")},
	{text: "Completed transition to ", key: fact.LogLeadershipChanged.Def(), names: quorumState},
}

// quorumState is the new state of a quorum's node, without its particulars.
func quorumState(h hit) []string {
	state, _, _ := strings.Cut(wordAfter(h.line, "Completed transition to "), "(")
	return []string{strings.TrimSuffix(state, "State")}
}

// maxShrinks is how many lines of ISRs that shrank are kept apart.
const maxShrinks = 50

// shrink takes a line apart that puts followers out of an ISR.
func (s *scan) shrink(h hit) {
	number := func(text []byte) int64 {
		n, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			return -1
		}
		return n
	}
	one := fact.ISRShrink{At: h.at}
	if name := partition(h); len(name) > 0 {
		one.Partition = name[0]
	}
	one.HighWatermark = number([]byte(wordAfter(h.line, "highWatermark: ")))
	one.LeaderEnd = number([]byte(wordAfter(h.line, ", endOffset: ")))
	for _, m := range outOfSync.FindAllSubmatch(h.line, 100) {
		id := number(m[1])
		if id != int64(int32(id)) {
			continue
		}
		one.Follower, one.FollowerEnd, one.CaughtUp = int32(id), number(m[2]), time.Time{}
		if ms := number(m[3]); ms > 0 && ms < 1<<52 {
			one.CaughtUp = time.UnixMilli(ms).UTC()
		}
		if len(s.shrinks) == maxShrinks {
			s.shrinks = append(s.shrinks[:0], s.shrinks[1:]...)
		}
		s.shrinks = append(s.shrinks, one)
	}
}
