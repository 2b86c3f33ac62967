package diagnose

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of what lies in the log dirs.

// besideLogs are the kinds of damage that leave every message readable.
var besideLogs = []string{"checkpoint-invalid", "epoch-checkpoint-invalid", "snapshot-corrupt", "stray-file"}

var segmentDamaged = &Sign{
	ID: "segment-damaged", Title: "a segment or an index in it is damaged", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "A checksum, the structure of batches, the order of offsets or an index is wrong in a file of the log dir, and the broker does not mend it by itself. No answers for what was verified only; --scan says how much that is.",
	Needs: []fact.Key{fact.SegmentsDamage, fact.SegmentsVerified},
	Test: func(v *View) Reading {
		return damaged(v, func(d fact.DamagedFile) bool { return !slices.Contains(besideLogs, d.Kind) })
	},
}

var checkpointDamaged = &Sign{
	ID: "checkpoint-damaged", Title: "a checkpoint in it is damaged", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "A checkpoint or a file that tells whose the log dir is does not parse or contradicts the segments, or something lies there with which no broker starts.",
	Needs: []fact.Key{fact.SegmentsDamage, fact.SegmentsVerified},
	Test: func(v *View) Reading {
		return damaged(v, func(d fact.DamagedFile) bool {
			return slices.Contains(besideLogs, d.Kind) && d.Severity != string(Minor)
		})
	},
}

// damaged is yes where a damage of the kinds in question was found.
func damaged(v *View, ask func(fact.DamagedFile) bool) Reading {
	all, _ := fact.SegmentsDamage.Latest(v, v.Subject)
	seen, _ := fact.SegmentsVerified.Latest(v, v.Subject)
	all = slices.DeleteFunc(slices.Clone(all), func(d fact.DamagedFile) bool { return !ask(d) })
	if len(all) == 0 {
		return no("%s of %d verified, %s of %s, nothing found", plural(seen.Segments, "segment"), seen.AllSegments, size(float64(seen.Bytes)), size(float64(seen.AllBytes)))
	}
	text := damageText(all[0])
	if len(all) > 1 {
		text += fmt.Sprintf(", and %d more", len(all)-1)
	}
	r := yes("%s", text)
	for _, d := range all {
		if i := strings.LastIndexByte(d.Partition, '-'); i > 0 {
			r.Affected.add(Affected{Topics: []string{d.Partition[:i]}, Named: []string{d.Partition}})
		}
	}
	r.Affected.Partitions = partitionsOf(all)
	return r
}

// partitionsOf is how many partitions have damage.
func partitionsOf(all []fact.DamagedFile) int {
	met := map[string]bool{}
	for _, d := range all {
		if d.Partition != "" {
			met[d.Partition] = true
		}
	}
	return len(met)
}

// damageText is one damage in a sentence.
func damageText(d fact.DamagedFile) string {
	text := d.Kind + " in " + path.Join(d.Partition, path.Base(d.File))
	if d.Position >= 0 {
		text += fmt.Sprintf(" at %d", d.Position)
	}
	switch {
	case d.BaseOffset >= 0 && d.LastOffset > d.BaseOffset:
		text += fmt.Sprintf(" (offsets %d to %d)", d.BaseOffset, d.LastOffset)
	case d.BaseOffset >= 0:
		text += fmt.Sprintf(" (offset %d)", d.BaseOffset)
	}
	return text + ": " + d.Text
}

var corruptRecordLogged = &Sign{
	ID: "corrupt-record-logged", Title: "it met a corrupt record", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "\"Record is corrupt\", or invalid messages during fetch, in the broker's log since its last start: it read damage, its own or a leader's.",
	Needs: []fact.Key{fact.LogCorruptRecord},
	Test:  func(v *View) Reading { return logged(v, fact.LogCorruptRecord, "corrupt record") },
}

var batchesRepeated = &Sign{
	ID: "batches-repeated", Title: "batches are there twice", On: fact.LogDir, Leak: 0.01,
	Doc:   "Batches without a producer id stand twice in a partition, byte for byte, times included: a producer sent them again because an answer was late. Among the segments that were verified.",
	Needs: []fact.Key{fact.SegmentsTopics},
	Test: func(v *View) Reading {
		t, _ := fact.SegmentsTopics.Latest(v, v.Subject)
		worst, total, unproduced := -1, int64(0), int64(0)
		for i, n := range t.Repeated {
			total += n
			unproduced += t.Unproduced[i]
			if n > 0 && (worst < 0 || cmp.Compare(n, t.Repeated[worst]) > 0) {
				worst = i
			}
		}
		if worst < 0 {
			return no("none of %d batches without a producer id", unproduced)
		}
		return yes("%s without a producer id twice, most in topic %s: %s", plural(int(total), "record"), t.Topic[worst], t.Example[worst])
	},
}
