package diagnose

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of log dirs and the disks under them.

// Limits of a file system under a log dir (CATALOGUE section 4): warn, major,
// critical. Shares of what files can use, as df counts: used/(used+available).
const (
	dirWarn     = 0.85
	dirMajor    = 0.90
	dirCritical = 0.95
)

var dirNearlyFull = &Sign{
	ID: "dir-nearly-full", Title: "its file system fills up", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:  "The file system of the log dir is 85% full or more, as df counts.",
	Uses: []fact.Key{fact.DirUsed, fact.DirAvailable, fact.LogDirTotal, fact.LogDirUsable},
	Test: func(v *View) Reading { return fullness(v, dirWarn) },
}

var dirFull = &Sign{
	ID: "dir-full", Title: "its file system is full", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:  "The file system of the log dir is 95% full or more, as df counts.",
	Uses: []fact.Key{fact.DirUsed, fact.DirAvailable, fact.LogDirTotal, fact.LogDirUsable},
	Test: func(v *View) Reading { return fullness(v, dirCritical) },
}

// fullness compares with a limit how full a log dir's file system is: as this
// host counts, or else as the broker does.
func fullness(v *View, limit float64) Reading {
	used, ok1 := fact.DirUsed.Latest(v, v.Subject)
	free, ok2 := fact.DirAvailable.Latest(v, v.Subject)
	if !ok1 || !ok2 {
		total, ok3 := fact.LogDirTotal.Latest(v, v.Subject)
		usable, ok4 := fact.LogDirUsable.Latest(v, v.Subject)
		if !ok3 || !ok4 {
			because := v.Why(fact.DirUsed, v.Subject)
			if because == nil {
				because = v.Why(fact.DirAvailable, v.Subject)
			}
			return cannotTell(because)
		}
		used, free = total-usable, usable
	}
	if used+free <= 0 {
		return notApplicable("a file system without a size")
	}
	share := used / (used + free)
	return atLeast(share, limit, fact.Ratio, "%s used, %s free", percent(share), size(free))
}

var noSpaceLogged = &Sign{
	ID: "no-space-logged", Title: "its broker met a full disk", On: fact.LogDir, Trouble: true,
	Doc:   "\"No space left on device\" or \"Disk quota exceeded\" in the broker's log since its last start: within ten minutes, or the dir was given up and is offline until the next start.",
	Needs: []fact.Key{fact.LogNoSpace},
	Uses:  []fact.Key{fact.LogDirFailed},
	Test: func(v *View) Reading {
		const recent = 10 * time.Minute
		lines, _ := fact.LogNoSpace.Latest(v, v.Subject)
		failed, _ := fact.LogDirFailed.Latest(v, v.Subject)
		if lines.Count > 0 && failed.Count == 0 && v.Now().Sub(lines.Last) > recent {
			return no("no space left on device at %s, and not since", clock(lines.Last))
		}
		r := logged(v, fact.LogNoSpace, "no space left on device")
		if r.Outcome == Yes && failed.Count == 0 {
			r.Last = lines.Last // it serves on
		}
		return r
	},
}

var dirIOErrorLogged = &Sign{
	ID: "dir-io-error-logged", Title: "its broker met an I/O error", On: fact.LogDir, Trouble: true,
	Doc:   "\"Input/output error\" on the dir, or the dir is gone, in the broker's log since its last start.",
	Needs: []fact.Key{fact.LogIOError},
	Test:  func(v *View) Reading { return logged(v, fact.LogIOError, "I/O error") },
}

var dirOtherErrorLogged = &Sign{
	ID: "dir-other-error-logged", Title: "it failed for want of something else", On: fact.LogDir, Trouble: true,
	Doc:   "The first exception was \"Too many open files\", \"Map failed\" or \"Read-only file system\": that is the cause, not the dir.",
	Needs: []fact.Key{fact.LogOtherErr},
	Test:  func(v *View) Reading { return logged(v, fact.LogOtherErr, "other error") },
}

var readOnlyLogged = &Sign{
	ID: "read-only-logged", Title: "its broker met a read-only file system", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "The first exception on the log dir since the last start of its broker was \"Read-only file system\" (EROFS).",
	Needs: []fact.Key{fact.LogOtherErr},
	Test: func(v *View) Reading {
		r := logged(v, fact.LogOtherErr, "EROFS")
		if lines, _ := fact.LogOtherErr.Latest(v, v.Subject); lines.Count > 0 && !strings.Contains(lines.Text, "Read-only file system") {
			return no("the first error was another: %s", lines.Text)
		}
		return r
	},
}

var dirFailedLogged = &Sign{
	ID: "dir-failed-logged", Title: "its broker gave it up", On: fact.LogDir, Trouble: true,
	Doc:   "\"Stopping serving logs in dir\" in the broker's log since its last start: offline until it restarts.",
	Needs: []fact.Key{fact.LogDirFailed},
	Test:  func(v *View) Reading { return logged(v, fact.LogDirFailed, "stopped serving") },
}

// logged is yes where lines of a kind were seen on the sign's subject.
func logged(v *View, k fact.Of[fact.LogLines], name string) Reading {
	lines, _ := k.Latest(v, v.Subject)
	if lines.Count == 0 {
		return no("no such line (%s) since the last start", name)
	}
	return since(lines.First, yes("%s at %s: %s", name, clock(lines.First), lines.Text))
}

var dirReportedOffline = &Sign{
	ID: "dir-reported-offline", Title: "its broker reports it offline", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "DescribeLogDirs of the broker gives an error for the dir.",
	Needs: []fact.Key{fact.LogDirError},
	Test: func(v *View) Reading {
		name, _ := fact.LogDirError.Latest(v, v.Subject)
		if name == "" {
			return no("online")
		}
		return yes("offline: %s", name)
	},
}

var allDirsFailed = &Sign{
	ID: "all-dirs-failed-logged", Title: "it halted because all its log dirs failed", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "\"Shutdown broker because all log dirs have failed\": the process ends with exit status 1.",
	Needs: []fact.Key{fact.LogAllDirsFailed},
	Test:  func(v *View) Reading { return logged(v, fact.LogAllDirsFailed, "halted") },
}

var fatalLogged = &Sign{
	ID: "fatal-logged", Title: "it ended with a fatal fault", On: fact.Broker, Trouble: true,
	Doc:   "A fatal fault, or \"Exiting Kafka due to fatal exception\", in the broker's log since its last start.",
	Needs: []fact.Key{fact.LogFatal},
	Test:  func(v *View) Reading { return logged(v, fact.LogFatal, "fatal") },
}

// slowAwait is the time one I/O may take on a device under a log dir. The source
// gives a queue length; a time tells more on devices that work in parallel.
const slowAwait = 0.05

var diskSlow = &Sign{
	ID: "disk-slow", Title: "its device is slow", On: fact.Device,
	Doc:   "Reads and writes of a device under a log dir take 50 ms or more on average over the last minute.",
	Needs: []fact.Key{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadSeconds, fact.DeviceWriteSeconds},
	Uses:  []fact.Key{fact.DeviceBusySeconds, fact.DeviceQueueSeconds, fact.DeviceReadBytes, fact.DeviceWriteBytes},
	Test: func(v *View) Reading {
		const window = 60 // seconds
		var total [4]float64
		var over float64
		for i, k := range []fact.Of[float64]{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadSeconds, fact.DeviceWriteSeconds} {
			by, seconds, ok := fact.Growth(k, v, v.Subject, window*1e9)
			if !ok {
				return notYet("wants two samples")
			}
			total[i], over = by, seconds
		}
		text := ""
		for _, part := range []struct {
			k    fact.Of[float64]
			show func(perSecond float64) string
		}{
			{fact.DeviceReadBytes, func(x float64) string { return ", reads " + size(x) + "/s" }},
			{fact.DeviceWriteBytes, func(x float64) string { return ", writes " + size(x) + "/s" }},
			{fact.DeviceBusySeconds, func(x float64) string { return ", busy " + percent(x) }},
			{fact.DeviceQueueSeconds, func(x float64) string { return ", queue " + strconv.FormatFloat(x, 'f', 1, 64) }},
		} {
			if by, seconds, ok := fact.Growth(part.k, v, v.Subject, window*1e9); ok && seconds > 0 {
				text += part.show(by / seconds)
			}
		}
		ios := total[0] + total[1]
		if ios == 0 {
			r := atLeast(0, slowAwait, fact.Seconds, "no I/O in %s", duration(over))
			return r
		}
		await := (total[2] + total[3]) / ios
		return atLeast(await, slowAwait, fact.Seconds, "await %s over %s%s", duration(await), duration(over), text)
	},
}

var readOnlyMount = &Sign{
	ID: "dir-read-only", Title: "its file system refuses writes", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "The mount of the log dir is read-only, or its super options say that ext4 gave up after an error (emergency_ro, abort).",
	Needs: []fact.Key{fact.DirMount},
	Test: func(v *View) Reading {
		m, _ := fact.DirMount.Latest(v, v.Subject)
		if option, any := mountedWith(m, "ro", "emergency_ro", "abort"); any {
			return yes("%s on %s is mounted %s", m.Type, m.Point, option)
		}
		return no("%s on %s is writable", m.Type, m.Point)
	},
}

var mountShutDown = &Sign{
	ID: "dir-shut-down", Title: "its file system was shut down", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "The super options of the log dir's file system say shutdown: the kernel refuses every access after an error of the device, though the mount and df look as ever.",
	Needs: []fact.Key{fact.DirMount},
	Test: func(v *View) Reading {
		m, _ := fact.DirMount.Latest(v, v.Subject)
		if _, any := mountedWith(m, "shutdown"); any {
			return yes("%s on %s is shut down", m.Type, m.Point)
		}
		return no("%s on %s is not shut down", m.Type, m.Point)
	},
}

// mountedWith is the first of some options that either list of a mount has.
func mountedWith(m fact.Mount, any ...string) (option string, found bool) {
	for _, option := range strings.Split(m.Options+","+m.SuperOptions, ",") {
		if slices.Contains(any, option) {
			return option, true
		}
	}
	return "", false
}

var inodesShort = &Sign{
	ID: "inodes-short", Title: "its file system runs out of inodes", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "95% of the inodes of the log dir's file system are in use, and its bytes are not: XFS and others make inodes as they need them, and have none left on a full disk.",
	Needs: []fact.Key{fact.DirInodesUsed, fact.DirInodesTotal},
	Uses:  []fact.Key{fact.DirUsed, fact.DirAvailable},
	Test: func(v *View) Reading {
		used, _ := fact.DirInodesUsed.Latest(v, v.Subject)
		total, _ := fact.DirInodesTotal.Latest(v, v.Subject)
		if total <= 0 {
			return notApplicable("a file system without a fixed number of inodes")
		}
		r := atLeast(used/total, dirCritical, fact.Ratio, "%s of %.0f inodes used", percent(used/total), total)
		bytes, ok1 := fact.DirUsed.Latest(v, v.Subject)
		free, ok2 := fact.DirAvailable.Latest(v, v.Subject)
		if r.Outcome == Yes && ok1 && ok2 && bytes >= dirCritical*(bytes+free) {
			r.Outcome = No
			r.Text += ", and no bytes are left to make more of"
		}
		return r
	},
}
