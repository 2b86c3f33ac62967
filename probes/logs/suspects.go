package logs

import (
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// pointing is the kinds of lines that name a partition whose files deserve a look.
var pointing = []fact.Key{
	fact.LogRecoveryTruncated, fact.LogIndexRebuilt, fact.LogCleanerFailed, fact.LogTruncatedBelowHW, fact.LogMarkedFailed, fact.LogFetcherError,
	fact.LogTimeIndexZero, fact.LogCorruptRecord, // pointed at last, and so looked at first
}

// point hands the partitions that such lines name to whoever looks into files.
func point(s *probe.Suspects, seen []fact.Observation) {
	for _, k := range pointing {
		for _, o := range seen {
			lines, ok := o.Value.(fact.LogLines)
			if !ok || o.Key != k.Def() {
				continue
			}
			why := "log line: " + strings.ReplaceAll(strings.TrimPrefix(o.Key.Name, "log."), "-", " ")
			names := make([]string, 0, len(lines.Names))
			for _, n := range slices.Backward(lines.Names) {
				names = append(names, n.Name)
			}
			s.Add(why, names...)
		}
	}
}
