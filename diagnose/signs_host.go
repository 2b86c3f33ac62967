package diagnose

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of the host. They show where to look and are evidence for causes; alone
// they are no trouble: a busy host is what one pays for.

// hostWindow is how far back rates of the host look.
const hostWindow = 60 * time.Second

var cpuBusy = &Sign{
	ID: "cpu-busy", Title: "it is short of CPU", On: fact.Host,
	Doc:   "80% or more of the host's CPU time is used, waiting for I/O apart.",
	Needs: []fact.Key{fact.CPUUser, fact.CPUSystem, fact.CPUIdle, fact.CPUIOWait, fact.CPUSteal},
	Uses:  []fact.Key{fact.CPUs},
	Test: func(v *View) Reading {
		var by [5]float64
		sum := 0.0
		for i, k := range []fact.Of[float64]{fact.CPUUser, fact.CPUSystem, fact.CPUSteal, fact.CPUIOWait, fact.CPUIdle} {
			grew, _, ok := fact.Growth(k, v, v.Subject, hostWindow)
			if !ok {
				return notYet("wants two samples")
			}
			by[i] = grew
			sum += grew
		}
		if sum <= 0 {
			return notYet("wants two samples further apart")
		}
		busy := (by[0] + by[1] + by[2]) / sum
		cpus, _ := fact.CPUs.Latest(v, v.Subject)
		return atLeast(busy, 0.8, fact.Ratio, "%s of %.0f CPUs used, %s waiting for I/O, %s stolen", percent(busy), cpus, percent(by[3]/sum), percent(by[2]/sum))
	},
}

var memoryShort = &Sign{
	ID: "memory-short", Title: "it is short of memory", On: fact.Host,
	Doc:   "85% or more of the memory cannot be had without swapping. Page cache counts as available.",
	Needs: []fact.Key{fact.MemTotal, fact.MemAvailable},
	Test: func(v *View) Reading {
		total, _ := fact.MemTotal.Latest(v, v.Subject)
		free, _ := fact.MemAvailable.Latest(v, v.Subject)
		if total <= 0 {
			return notApplicable("no memory size")
		}
		used := 1 - free/total
		return atLeast(used, 0.85, fact.Ratio, "%s used, %s of %s available", percent(used), size(free), size(total))
	},
}

var fdsShort = &Sign{
	ID: "fds-near-limit", Title: "it runs out of file descriptors", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:  "95% of the process's own soft limit of open files are in use, or \"Too many open files\" is in its log within ten minutes.",
	Uses: []fact.Key{fact.ProcessFDs, fact.ProcessFDLimit, fact.LogTooManyFiles},
	Test: func(v *View) Reading {
		if lines, ok := brokerLines(fact.LogTooManyFiles, v); ok && lines.Count > 0 && v.Now().Sub(lines.Last) <= 10*time.Minute {
			return between(lines.First, lines.Last, yes("Too many open files at %s: %s", clock(lines.First), lines.Text))
		}
		open, ok := fact.ProcessFDs.Latest(v, v.Subject)
		if !ok {
			return cannotTell(whyHeld(v, fact.ProcessFDs, fact.LogTooManyFiles))
		}
		limit, ok := fact.ProcessFDLimit.Latest(v, v.Subject)
		if !ok {
			return cannotTell(v.Why(fact.ProcessFDLimit, v.Subject))
		}
		if limit <= 0 {
			return notApplicable("no limit")
		}
		return atLeast(open/limit, 0.95, fact.Ratio, "%.0f of %.0f descriptors open", open, limit)
	},
}

var processBusy = &Sign{
	ID: "process-busy", Title: "it uses much CPU", On: fact.Process,
	Doc:   "The broker's process used 80% or more of the host's processors over the last minute.",
	Needs: []fact.Key{fact.ProcessCPU},
	Uses:  []fact.Key{fact.CPUs, fact.ProcessRSS, fact.ProcessThreads},
	Test: func(v *View) Reading {
		by, over, ok := fact.Growth(fact.ProcessCPU, v, v.Subject, hostWindow)
		if !ok || over <= 0 {
			return notYet("wants two samples")
		}
		cpus := 1.0
		for _, h := range fact.CPUs.Subjects(v) {
			if n, known := fact.CPUs.Latest(v, h); known && n > 0 {
				cpus = n
			}
		}
		text := ""
		if rss, known := fact.ProcessRSS.Latest(v, v.Subject); known {
			text += ", resident " + size(rss)
		}
		if threads, known := fact.ProcessThreads.Latest(v, v.Subject); known {
			text += fmt.Sprintf(", %.0f threads", threads)
		}
		return atLeast(by/over/cpus, 0.8, fact.Ratio, "%.2f CPUs over %s%s", by/over, duration(over), text)
	},
}
