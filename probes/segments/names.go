// Package segments verifies what a broker keeps in its log dirs: segments, their
// indexes, snapshots and checkpoints. It knows what is normal while a broker
// writes, and which damage a broker mends by itself.
package segments

import (
	"regexp"
	"strconv"
	"strings"
)

// Suffixes of the files of a partition.
const (
	suffixLog       = ".log"
	suffixIndex     = ".index"
	suffixTimeIndex = ".timeindex"
	suffixTxnIndex  = ".txnindex"
	suffixSnapshot  = ".snapshot"
)

// fileName is what the name of a file of a partition says.
type fileName struct {
	base      int64
	suffix    string // one of the above; "" for others
	transient string // ".deleted", ".cleaned", ".swap"
}

// parseFileName reads a name like 00000000000000000042.timeindex.deleted.
func parseFileName(name string) (n fileName, ok bool) {
	if len(name) < 22 || name[20] != '.' {
		return n, false
	}
	for i := range 20 {
		if name[i] < '0' || name[i] > '9' {
			return n, false
		}
	}
	base, err := strconv.ParseInt(name[:20], 10, 64)
	if err != nil {
		return n, false
	}
	n.base, n.suffix = base, name[20:]
	for _, t := range []string{".deleted", ".cleaned", ".swap"} {
		if rest, found := strings.CutSuffix(n.suffix, t); found {
			n.suffix, n.transient = rest, t
		}
	}
	switch n.suffix {
	case suffixLog, suffixIndex, suffixTimeIndex, suffixTxnIndex, suffixSnapshot:
		return n, true
	}
	return n, false
}

// dirKind is what a directory in a log dir is.
type dirKind int

const (
	partitionDir dirKind = iota
	futureDir            // being moved here from another log dir
	deletedDir           // being deleted
	strayDir             // set aside by the broker: the cluster says that it belongs elsewhere
	metadataDir          // of the quorum's own log
	remoteDir            // cache of indexes from tiered storage
	foreignDir           // with which no broker starts
)

var (
	partitionName = regexp.MustCompile(`^([a-zA-Z0-9._-]{1,249})-(\d{1,10})$`)
	uniqueName    = regexp.MustCompile(`^([a-zA-Z0-9._-]+-\d{1,10})\.[0-9a-f]{32}-(delete|future|stray)$`)
	checkpointOf  = regexp.MustCompile(`^\d{20}-\d{10}\.checkpoint(\.part|\.deleted)?$`)
)

const metadataTopic = "__cluster_metadata"

// parseDirName reads the name of a directory in a log dir: "orders-3",
// "orders-3.0f…-future". A name that was cut to fit has no partition.
func parseDirName(name string) (partition string, kind dirKind) {
	if name == "remote-log-index-cache" {
		return "", remoteDir
	}
	if m := uniqueName.FindStringSubmatch(name); m != nil {
		return m[1], map[string]dirKind{"delete": deletedDir, "future": futureDir, "stray": strayDir}[m[2]]
	}
	for suffix, kind := range map[string]dirKind{"-delete": deletedDir, "-stray": strayDir} {
		if strings.HasSuffix(name, suffix) && strings.Contains(name, ".") {
			return "", kind
		}
	}
	switch m := partitionName.FindStringSubmatch(name); {
	case m == nil:
		return "", foreignDir
	case m[1] == metadataTopic:
		return name, metadataDir
	}
	return name, partitionDir
}
