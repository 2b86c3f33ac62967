package diagnose

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
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
	Uses:  []fact.Key{fact.Metadata},
	Test: func(v *View) Reading {
		r := damaged(v, func(d fact.DamagedFile) bool { return !slices.Contains(besideLogs, d.Kind) })
		all, _ := fact.SegmentsDamage.Latest(v, v.Subject)
		for _, d := range all {
			if r.Outcome == Yes && d.Partition != "" && !slices.Contains(besideLogs, d.Kind) {
				r.Text += whoHasIt(v, d.Partition)
				break
			}
		}
		return r
	},
}

// whoHasIt says of a partition that is damaged in the sign's log dir who else
// should have it whole, and who will come to the damage. Empty: nobody knows.
func whoHasIt(v *View, partition string) string {
	view, ok := clusterView(v)
	broker, _, _ := strings.Cut(v.Subject.Name, ":")
	id, err := strconv.Atoi(broker)
	i := strings.LastIndexByte(partition, '-')
	if !ok || err != nil || i < 0 {
		return ""
	}
	topic, found := slices.BinarySearch(view.Topics, partition[:i])
	for p := range view.Partition {
		if !found || int(view.Topic[p]) != topic || fmt.Sprint(view.Partition[p]) != partition[i+1:] {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(view.ISR.At(p)), func(b int32) bool { return b == int32(id) })
		text := "; no other replica of it is in sync"
		if len(others) > 0 {
			text = fmt.Sprintf("; replicas in sync elsewhere: %s", ids(others))
		}
		if view.Leader[p] == int32(id) {
			return text + "; led from here, so consumers and followers meet it"
		}
		return text + "; not led from here, so nobody meets it yet"
	}
	return ""
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
	return yes("%s", text)
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
