package diagnose

import (
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of a broker's process and what its host gives it.

// Limits of what a host may take from a broker.
const (
	throttledShare = 0.25 // of the periods of a CPU quota
	stolenShare    = 0.10 // of all CPU time, by the hypervisor
	blockedThreads = 0.8  // threads of the broker in state D, on average
	ioPressure     = 0.3  // share of time with a thread waiting for I/O
	lossShare      = 0.01 // the source's 1% of segments, needless retransmits taken off
	swapShare      = 0.01 // of the process's memory
	mapsShare      = 0.90 // of the limit
	missShare      = 0.2  // of what is read: the source wants hits above 95%, sockets count as hits
)

// rate is how much a counter grew a second over the last minute at most.
func rate(k fact.Of[float64], v *View, s fact.Subject) (perSecond, over float64, ok bool) {
	by, seconds, ok := fact.Growth(k, v, s, hostWindow)
	if !ok || seconds <= 0 {
		return 0, 0, false
	}
	return by / seconds, seconds, true
}

// theHost is the one host that facts of hosts are of.
func theHost(v *View, k fact.Of[float64]) (fact.Subject, bool) {
	all := k.Subjects(v)
	return append(all, fact.Subject{})[0], len(all) == 1
}

var oomKillRecorded = &Sign{
	ID: "oom-kill-recorded", Title: "the kernel killed it for want of memory", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "The kernel's log names the broker's process among those it killed for want of memory, or the counter of its cgroup rose when the process went. Of the host, or of a cgroup with a limit: that memory is limited is no fault by itself.",
	Needs: []fact.Key{fact.BrokerProcess},
	Uses:  []fact.Key{fact.KernelOOMKills, fact.CgroupOOMKills},
	Test: func(v *View) Reading {
		p, _ := fact.BrokerProcess.Latest(v, v.Subject)
		known := false
		for _, host := range fact.KernelOOMKills.Subjects(v) {
			kills, ok := fact.KernelOOMKills.Latest(v, host)
			known = known || ok
			for _, k := range kills {
				if p.PID == 0 || k.PID != p.PID || p.Exists && p.Started.After(k.At) {
					continue
				}
				where := "the host"
				if k.Cgroup {
					where = "its cgroup"
				}
				return since(k.At, yes("%s (pid %d) killed at %s: %s was out of memory, it had %s", k.Name, k.PID, clock(k.At), where, size(k.RSS)))
			}
		}
		if by, over, ok := fact.Growth(fact.CgroupOOMKills, v, v.Subject, 10*time.Minute); ok {
			known = true
			if by > 0 && !p.Exists {
				return yes("%.0f processes of its cgroup killed for want of memory in %s, and it is gone", by, duration(over))
			}
		}
		if p.Exists {
			return no("pid %d runs", p.PID)
		}
		if known {
			return no("the kernel did not kill it for want of memory, as far as is remembered")
		}
		if because := v.why(fact.KernelOOMKills); because != nil {
			return cannotTell(because)
		}
		return cannotTell(v.Why(fact.CgroupOOMKills, v.Subject))
	},
}

// crashMemory is how old a fatal error report may be where nothing says which
// process it is that is gone.
const crashMemory = 24 * time.Hour

var jvmCrashReported = &Sign{
	ID: "jvm-crash-reported", Title: "its JVM left a fatal error report", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "The process is gone, and a fatal error report (hs_err_pid*.log) of that very process tells why: a signal in the JVM or in native code, or memory that the system refused it.",
	Needs: []fact.Key{fact.BrokerProcess, fact.ProcessCrash},
	Test: func(v *View) Reading {
		p, _ := fact.BrokerProcess.Latest(v, v.Subject)
		if p.Exists {
			return no("pid %d runs", p.PID)
		}
		crash, _ := fact.ProcessCrash.Latest(v, v.Subject)
		if crash.File == "" || p.PID != 0 && crash.PID != p.PID {
			return no("its JVM left no fatal error report where it would be")
		}
		if p.PID == 0 && v.Now().Sub(crash.At) > crashMemory {
			return no("its JVM's newest fatal error report is of %s", crash.At.Format(time.DateOnly))
		}
		text := crash.Error
		if crash.Frame != "" {
			text += " in " + crash.Frame
		}
		return since(crash.At, yes("JVM's fatal error at %s: %s (%s)", clock(crash.At), text, crash.File))
	},
}

var mapsShort = &Sign{
	ID: "maps-near-limit", Title: "it runs out of memory maps", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:  "90% of vm.max_map_count are in use, or of the bound of its address space (Max address space), or \"Map failed\" is in its log within ten minutes: the next index that is to be mapped fails.",
	Uses: []fact.Key{fact.ProcessMaps, fact.MapsLimit, fact.ProcessVM, fact.ProcessVMLimit, fact.LogMapFailed},
	Test: func(v *View) Reading {
		if lines, ok := brokerLines(fact.LogMapFailed, v); ok && lines.Count > 0 && v.Now().Sub(lines.Last) <= 10*time.Minute {
			return between(lines.First, lines.Last, yes("Map failed at %s: %s", clock(lines.First), lines.Text))
		}
		maps, ok := fact.ProcessMaps.Latest(v, v.Subject)
		if !ok {
			return cannotTell(whyHeld(v, fact.ProcessMaps, fact.LogMapFailed))
		}
		if host, ok := theHost(v, fact.MapsLimit); ok {
			if limit, known := fact.MapsLimit.Latest(v, host); known && limit > 0 && maps/limit >= mapsShare {
				return atLeast(maps/limit, mapsShare, fact.Ratio, "%.0f of %.0f memory maps in use (vm.max_map_count)", maps, limit)
			}
		}
		vm, ok1 := fact.ProcessVM.Latest(v, v.Subject)
		limit, ok2 := fact.ProcessVMLimit.Latest(v, v.Subject)
		if ok1 && ok2 && limit > 0 && vm/limit >= mapsShare {
			return atLeast(vm/limit, mapsShare, fact.Ratio, "%s of %s address space in use (Max address space)", size(vm), size(limit))
		}
		return no("%.0f memory maps, no limit near", maps)
	},
}

// brokerLines is what a kind of line is known of the broker that a process runs.
func brokerLines(k fact.Of[fact.LogLines], v *View) (fact.LogLines, bool) {
	broker, ok := v.Subject.Owner()
	if !ok {
		return fact.LogLines{}, false
	}
	return k.Latest(v, broker)
}

// whyHeld is why it is not known what a process held. Of one that has ended only
// its broker's log would tell.
func whyHeld(v *View, held fact.Key, logged fact.Of[fact.LogLines]) *fact.Unknown {
	because := v.Why(held, v.Subject)
	if broker, ok := v.Subject.Owner(); ok && because.Reason == fact.Absent {
		if unread := v.Why(logged, broker); unread != nil {
			return unread
		}
	}
	return because
}

var cpuThrottled = &Sign{
	ID: "cpu-throttled", Title: "a CPU quota stops it", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "In a quarter or more of the periods of the last minute the cgroup of the broker had used up its CPU quota and stood still until the next.",
	Needs: []fact.Key{fact.CgroupCPULimit, fact.CgroupCPUPeriods, fact.CgroupThrottledPeriods},
	Uses:  []fact.Key{fact.CgroupThrottledSeconds},
	Test: func(v *View) Reading {
		limit, _ := fact.CgroupCPULimit.Latest(v, v.Subject)
		if limit == 0 {
			return no("no quota")
		}
		all, over, ok1 := fact.Growth(fact.CgroupCPUPeriods, v, v.Subject, hostWindow)
		throttled, _, ok2 := fact.Growth(fact.CgroupThrottledPeriods, v, v.Subject, hostWindow)
		if !ok1 || !ok2 {
			return notYet("wants two samples")
		}
		stood, _, _ := fact.Growth(fact.CgroupThrottledSeconds, v, v.Subject, hostWindow)
		if all == 0 {
			return no("its cgroup had nothing to run")
		}
		return atLeast(throttled/all, throttledShare, fact.Ratio, "stopped by its quota of %.2f CPUs in %s of the periods of %s, %s in sum", limit, percent(throttled/all), duration(over), duration(stood))
	},
}

var cpuStolen = &Sign{
	ID: "cpu-stolen", Title: "the hypervisor takes its CPU", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:  "10% or more of the host's CPU time of the last minute were stolen: the hypervisor gave them to other machines.",
	Uses: []fact.Key{fact.CPUSteal, fact.CPUUser, fact.CPUSystem, fact.CPUIdle, fact.CPUIOWait, fact.BrokerProcess},
	Subjects: func(v *View) []fact.Subject {
		return fact.BrokerProcess.Subjects(v)
	},
	Test: func(v *View) Reading {
		host, ok := theHost(v, fact.CPUSteal)
		if !ok {
			return cannotTell(v.why(fact.CPUSteal))
		}
		sum, stolen := 0.0, 0.0
		for _, k := range []fact.Of[float64]{fact.CPUSteal, fact.CPUUser, fact.CPUSystem, fact.CPUIdle, fact.CPUIOWait} {
			by, _, ok := rate(k, v, host)
			if !ok {
				return notYet("wants two samples")
			}
			if sum += by; k == fact.CPUSteal {
				stolen = by
			}
		}
		if sum == 0 {
			return notYet("wants two samples further apart")
		}
		return atLeast(stolen/sum, stolenShare, fact.Ratio, "%s of the CPU time stolen by the hypervisor", percent(stolen/sum))
	},
}

var cpuWaits = &Sign{
	ID: "cpu-waits", Title: "its threads wait for a processor", On: fact.Process, Leak: 0.1,
	Doc:   "Over the last minute the broker's threads waited for a processor longer than they ran, and for half a second each second or more, in sum. A crowded host does that to healthy brokers too.",
	Needs: []fact.Key{fact.ProcessRunQueue, fact.ProcessCPU},
	Test: func(v *View) Reading {
		waited, over, ok1 := rate(fact.ProcessRunQueue, v, v.Subject)
		ran, _, ok2 := rate(fact.ProcessCPU, v, v.Subject)
		if !ok1 || !ok2 {
			return notYet("wants two samples")
		}
		r := atLeast(waited, 0.5, fact.Seconds, "its threads ran %.2f s and waited %.2f s each second, over %s", ran, waited, duration(over))
		if waited < ran {
			r.Outcome = No
		}
		return r
	},
}

var swapsIn = &Sign{
	ID: "swaps-in", Title: "its memory comes back from swap", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "1% or more of the process's memory is in swap, and the host reads pages back from swap: each touch of such a page waits for a disk, and a collection touches all. Pages that lie in swap and stay there hurt nobody.",
	Needs: []fact.Key{fact.ProcessSwap, fact.ProcessRSS},
	Uses:  []fact.Key{fact.SwapIn},
	Test: func(v *View) Reading {
		swapped, _ := fact.ProcessSwap.Latest(v, v.Subject)
		rss, _ := fact.ProcessRSS.Latest(v, v.Subject)
		if swapped == 0 {
			return no("nothing of it is in swap")
		}
		share := swapped / (swapped + rss)
		host, ok := theHost(v, fact.SwapIn)
		if !ok {
			return cannotTell(v.why(fact.SwapIn))
		}
		in, over, ok := rate(fact.SwapIn, v, host)
		if !ok {
			return notYet("wants two samples")
		}
		r := atLeast(share, swapShare, fact.Ratio, "%s of it (%s) in swap, %s/s read back over %s", size(swapped), percent(share), size(in), duration(over))
		if in == 0 {
			r.Outcome = No
		}
		return r
	},
}

var packetsLost = &Sign{
	ID: "packets-lost", Title: "its packets are lost", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "1% or more of the TCP segments of the last minute were sent again, and of its last quarter too, without those that the peer says it got twice, and timeouts or lost retransmits grew: packets are lost. Needless retransmits alone are a crowded host.",
	Needs: []fact.Key{fact.TCPSegmentsOut, fact.TCPRetransmits, fact.TCPDSACKs},
	Uses:  []fact.Key{fact.TCPTimeouts, fact.TCPLostRetransmits, fact.TCPFastRetransmits},
	Test: func(v *View) Reading {
		const few = 500 // segments: fewer tell nothing
		in, ok := resentIn(v, hostWindow)
		switch {
		case !ok:
			return notYet("wants two samples")
		case in.sent < few:
			return no("%.0f segments in %s: too few to tell", in.sent, duration(in.over))
		}
		hard := 0.0
		for _, k := range []fact.Of[float64]{fact.TCPTimeouts, fact.TCPLostRetransmits, fact.TCPFastRetransmits} {
			grew, _, _ := fact.Growth(k, v, v.Subject, hostWindow)
			hard += grew
		}
		r := atLeast(in.share(), lossShare, fact.Ratio, "%.0f of %.0f segments sent again (%s), %.0f of them needlessly; %.0f timeouts and losses in %s", in.again, in.sent, percent(in.share()), in.needless, hard, duration(in.over))
		if hard < 3 {
			r.Outcome = No
		}
		// A link that was down for a while, and is mended, loses nothing any more.
		if lately, ok := resentIn(v, hostWindow/4); ok && r.Outcome == Yes && lately.share() < lossShare {
			r.Outcome, r.Value = No, lately.share()
			r.Text += fmt.Sprintf("; of the last %s %s", duration(lately.over), percent(lately.share()))
		}
		return r
	},
}

// resent is what TCP of a process sent, and sent again, within some seconds.
type resent struct{ sent, again, needless, over float64 }

// share is the part of the segments that was sent again and not needlessly.
func (r resent) share() float64 {
	if r.sent <= 0 {
		return 0
	}
	return max(0, r.again-r.needless) / r.sent
}

// resentIn counts over a window; ok is false where two samples are wanted.
func resentIn(v *View, window time.Duration) (r resent, ok bool) {
	for _, one := range []struct {
		key fact.Of[float64]
		to  *float64
	}{{fact.TCPSegmentsOut, &r.sent}, {fact.TCPRetransmits, &r.again}, {fact.TCPDSACKs, &r.needless}} {
		if *one.to, r.over, ok = fact.Growth(one.key, v, v.Subject, window); !ok {
			return r, false
		}
	}
	return r, true
}

var heapBadlySet = &Sign{
	ID: "heap-badly-set", Title: "its heap is set badly", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:   "-Xms and -Xmx differ, the heap may take more than half of the host's memory (the rest is page cache, which Kafka lives on), or it is between 32 and 40 GiB, where pointers double and less fits than in 31.",
	Needs: []fact.Key{fact.JVMFlagsSet},
	Uses:  []fact.Key{fact.MemTotal},
	Test: func(v *View) Reading {
		flags, _ := fact.JVMFlagsSet.Latest(v, v.Subject)
		most := float64(flags.MaxHeap)
		var wrong []string
		if flags.InitialHeap > 0 && most > 0 && float64(flags.InitialHeap) != most {
			wrong = append(wrong, fmt.Sprintf("-Xms %s and -Xmx %s differ", size(float64(flags.InitialHeap)), size(most)))
		}
		if host, ok := theHost(v, fact.MemTotal); ok {
			if total, known := fact.MemTotal.Latest(v, host); known && most > total/2 {
				wrong = append(wrong, fmt.Sprintf("a heap of %s on a host of %s", size(most), size(total)))
			}
		}
		if most >= 32<<30 && most < 40<<30 {
			wrong = append(wrong, fmt.Sprintf("a heap of %s loses compressed pointers", size(most)))
		}
		if len(wrong) == 0 {
			return no("heap %s", size(most))
		}
		return yes("%s", listed(wrong))
	},
}

var limitsTight = &Sign{
	ID: "limits-tight", Title: "its limits are half used up", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:  "Half or more of the limit of open files, memory maps or threads is in use: a restart after growth, or a wave of connections, meets it.",
	Uses: []fact.Key{fact.ProcessFDs, fact.ProcessFDLimit, fact.ProcessMaps, fact.MapsLimit, fact.ProcessThreads, fact.CgroupThreadLimit, fact.BrokerProcess},
	Subjects: func(v *View) []fact.Subject {
		return fact.BrokerProcess.Subjects(v)
	},
	Test: func(v *View) Reading {
		const half = 0.5
		worst, text, seen := 0.0, "", false
		look := func(name string, used, limit float64, ok bool) {
			if !ok || limit <= 0 {
				return
			}
			if seen = true; used/limit > worst {
				worst, text = used/limit, fmt.Sprintf("%.0f of %.0f %s in use", used, limit, name)
			}
		}
		fds, ok1 := fact.ProcessFDs.Latest(v, v.Subject)
		limit, ok2 := fact.ProcessFDLimit.Latest(v, v.Subject)
		look("file descriptors", fds, limit, ok1 && ok2)
		maps, ok1 := fact.ProcessMaps.Latest(v, v.Subject)
		if host, ok := theHost(v, fact.MapsLimit); ok {
			limit, ok2 = fact.MapsLimit.Latest(v, host)
			look("memory maps", maps, limit, ok1 && ok2)
		}
		threads, ok1 := fact.ProcessThreads.Latest(v, v.Subject)
		limit, ok2 = fact.CgroupThreadLimit.Latest(v, v.Subject)
		look("threads", threads, limit, ok1 && ok2)
		if !seen {
			return cannotTell(v.Why(fact.ProcessFDs, v.Subject))
		}
		return atLeast(worst, half, fact.Ratio, "%s", text)
	},
}
