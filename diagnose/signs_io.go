package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of a broker that waits for disks.

var threadsWaitForDisk = &Sign{
	ID: "threads-wait-for-disk", Title: "its threads wait for a disk", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Over the last half minute a thread of the broker, or nearly one, was in state D at each look, and for 30% of the time something on the host (or in its cgroup) waited for I/O. This shows a throttled cgroup too, where the device looks idle.",
	Needs: []fact.Key{fact.ProcessBlocked},
	Uses:  []fact.Key{fact.PressureIO, fact.CgroupPressureIO, fact.JVMThreadRoles},
	Test: func(v *View) Reading {
		const window, looks = 30 * time.Second, 4
		sum, n := 0.0, 0
		var began time.Time // since when there was one at each look; zero: since the first
		none := false
		for _, s := range v.Past(fact.ProcessBlocked.Def(), v.Subject) {
			if b, ok := s.Value.(float64); ok && v.Now().Sub(s.At) <= window {
				sum, n = sum+b, n+1
				switch {
				case b == 0:
					none, began = true, time.Time{}
				case none && began.IsZero():
					began = s.At
				}
			}
		}
		if now, known := fact.ProcessBlocked.Latest(v, v.Subject); known && now == 0 && n < looks {
			return no("no thread is in state D") // none now is not one at each look
		}
		if n < looks {
			return notYet("wants some looks more")
		}
		share, known := pressure(v)
		if !known {
			return cannotTell(v.why(fact.PressureIO))
		}
		r := atLeast(sum/float64(n), blockedThreads, fact.Count, "%.1f threads in state D on average, I/O waited for in %s of the time", sum/float64(n), percent(share))
		if who := blockedRoles(v); who != "" {
			r.Text += ": " + who
		}
		if share < ioPressure {
			r.Outcome = No
		}
		if r.Outcome == Yes && !began.IsZero() {
			return since(began, r)
		}
		return r
	},
}

// pressure is the share of time that something waited for I/O, on the host or in
// the broker's own cgroup, whichever is more.
func pressure(v *View) (share float64, known bool) {
	if host, ok := theHost(v, fact.PressureIO); ok {
		share, _, known = rate(fact.PressureIO, v, host)
	}
	if own, _, ok := rate(fact.CgroupPressureIO, v, v.Subject); ok {
		share, known = max(share, own), true
	}
	return share, known
}

// blockedRoles is which threads were in state D lately, in words.
func blockedRoles(v *View) string {
	count := map[string]int{}
	for _, s := range v.Past(fact.JVMThreadRoles.Def(), v.Subject) {
		if all, ok := s.Value.([]fact.ThreadRole); ok && v.Now().Sub(s.At) <= 30*time.Second {
			for _, r := range all {
				if r.Blocked > 0 {
					count[r.Role]++
				}
			}
		}
	}
	var names []string
	for name := range count {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	if len(names) == 0 {
		return ""
	}
	return listed(names[:min(2, len(names))])
}

var readsColdData = &Sign{
	ID: "reads-cold-data", Title: "it reads from disk what is not in the page cache", On: fact.Process, Trouble: true, Leak: 0.003,
	Doc:   "Over the last minute 20% or more of what the broker read came from disks, 5 MiB/s or more: somebody reads old data. Consumers at the end of the log read from memory.",
	Needs: []fact.Key{fact.ProcessReadBytes, fact.ProcessReadChars},
	Test: func(v *View) Reading {
		const much = 5 << 20
		disk, over, ok1 := rate(fact.ProcessReadBytes, v, v.Subject)
		all, _, ok2 := rate(fact.ProcessReadChars, v, v.Subject)
		if !ok1 || !ok2 {
			return notYet("wants two samples")
		}
		share := 0.0
		if all > 0 {
			share = min(1, disk/all)
		}
		r := atLeast(share, missShare, fact.Ratio, "%s of its reads (%s/s) come from disk, over %s", percent(share), size(disk), duration(over))
		if disk < much {
			r.Outcome = No
		}
		return r
	},
}

var dirDeviceSlow = &Sign{
	ID: "dir-device-slow", Title: "the device under it is slow", On: fact.LogDir, Leak: 0.05,
	Doc:   "Reads and writes of the device under the log dir take 50 ms or more on average over the last minute, in ten I/Os or more. A busy disk does that as well, and nobody need suffer.",
	Needs: []fact.Key{fact.DirMount},
	Uses:  []fact.Key{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadSeconds, fact.DeviceWriteSeconds},
	Test: func(v *View) Reading {
		m, _ := fact.DirMount.Latest(v, v.Subject)
		if m.Device == "" {
			return notApplicable(m.Type + " has no block device")
		}
		device := fact.Subject{Scope: fact.Device, Name: m.Device}
		var by [4]float64
		for i, k := range []fact.Of[float64]{fact.DeviceReads, fact.DeviceWrites, fact.DeviceReadSeconds, fact.DeviceWriteSeconds} {
			grew, _, ok := fact.Growth(k, v, device, hostWindow)
			if !ok {
				if because := v.Why(k, device); because != nil {
					return cannotTell(because)
				}
				return notYet("wants two samples")
			}
			by[i] = grew
		}
		ios := by[0] + by[1]
		if ios < 10 {
			return no("%s: %.0f I/Os in the last minute", m.Device, ios)
		}
		return atLeast((by[2]+by[3])/ios, slowAwait, fact.Seconds, "%s takes %s for each I/O", m.Device, duration((by[2]+by[3])/ios))
	},
}
