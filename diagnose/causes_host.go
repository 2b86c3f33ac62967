package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Causes that lie in what the host gives a broker.

var oomKilled = &Cause{
	ID: "oom-killed", Title: "killed for want of memory", Fault: brokerDown, Severity: Critical, On: fact.Process, Prior: 0.004,
	Doc: "The kernel killed the broker's process because the host, or its cgroup, was out of memory. Heap, direct memory and page cache that could not be given back share one limit.",
	Signs: []Link{
		{Sign: oomKillRecorded, Strength: Always, Decisive: true, Must: true},
	},
	Leads: []*Cause{brokerCrashed},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s was killed for want of memory: %s", s.Name, gist(yes, oomKillRecorded))
	},
}

var mmapExhaustion = &Cause{
	ID: "mmap-exhaustion", Title: "out of memory maps", Fault: brokerDown, Severity: Critical, On: fact.Process, Prior: 0.002,
	Doc: "Each segment has two indexes that are mapped into memory: with many segments vm.max_map_count is reached, or the bound of the address space. Map failed then takes the log dir offline at the next roll, or leaves new replicas out.",
	Signs: []Link{
		{Sign: mapsShort, Strength: Always, Decisive: true, Must: true},
	},
	Leads: []*Cause{logDirOffline, brokerCrashed},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s runs out of memory maps: %s", s.Name, gist(yes, mapsShort))
	},
}

var cpuStarved = &Cause{
	ID: "cpu-starved", Title: "starved of CPU", Fault: highCPU, Severity: Major, On: fact.Process, Prior: 0.008,
	Doc: "The broker wants to run and may not: a quota of its cgroup stops it, the hypervisor takes the time, or another process has it. Its own CPU time is low, and everything it does is late.",
	Signs: []Link{
		{Sign: cpuThrottled, Strength: Often, Decisive: true},
		{Sign: cpuStolen, Strength: Sometimes, Decisive: true},
		{Sign: cpuWaits, Strength: Always, Follows: true},
		{Sign: gcTimeShare, Strength: Sometimes, Follows: true},
	},
	Leads: []*Cause{gcPause, brokerFenced, handlerSaturation},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s gets too little CPU: %s", s.Name, gist(yes, cpuThrottled, cpuStolen, cpuWaits))
	},
}

var swapping = &Cause{
	ID: "swapping", Title: "swapping", Fault: memoryPressure, Severity: Major, On: fact.Process, Prior: 0.003,
	Doc: "Part of the broker's heap is in swap and is read back: a collection that takes milliseconds in memory takes seconds from a disk.",
	Signs: []Link{
		{Sign: swapsIn, Strength: Always, Decisive: true, Must: true},
		{Sign: gcTimeShare, Strength: Sometimes, Follows: true},
	},
	Leads: []*Cause{gcPause},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s swaps: %s", s.Name, gist(yes, swapsIn))
	},
}

var packetLoss = &Cause{
	ID: "packet-loss", Title: "packets are lost", Fault: highLatency, Severity: Major, On: fact.Process, Prior: 0.003,
	Doc: "Packets between the broker and its clients or peers are lost: each loss holds a connection up for 200 ms or more, and throughput falls far below the link's.",
	Signs: []Link{
		{Sign: packetsLost, Strength: Always, Decisive: true},
		{Sign: interfacesErr, Strength: Sometimes, Decisive: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s loses packets: %s", s.Name, gist(yes, packetsLost, interfacesErr))
	},
}

var slowDisk = &Cause{
	ID: "slow-disk", Title: "slow disk", Fault: highLatency, Severity: Major, On: fact.LogDir, Prior: 0.006,
	Doc: "The disk under a log dir, or a limit that a cgroup sets on it, makes writes wait: request handlers stand in the kernel, and requests queue behind them.",
	Signs: []Link{
		{Sign: threadsWaitForDisk, Strength: Often, Decisive: true},
		{Sign: logFlushSlow, Strength: Often, Decisive: true},
		{Sign: dirDeviceSlow, Strength: Often, Follows: true}, // throttled cgroups and network storage leave the device idle
	},
	RulesOut: []*Sign{readsColdData},
	Leads:    []*Cause{handlerSaturation, slowFollower, slowConsumer}, // commits wait for each copy of them
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("the disk of log dir %s is slow: %s", s.Name, gist(yes, threadsWaitForDisk, logFlushSlow, dirDeviceSlow))
	},
}

var coldRead = &Cause{
	ID: "cold-read", Title: "cold reads", Fault: highLatency, Severity: Major, On: fact.Process, Prior: 0.005,
	Doc: "A consumer reads data that is no longer in the page cache. Records are read in the network thread while the answer is sent: other requests on the same thread wait, and the disk is busy with it.",
	Signs: []Link{
		{Sign: readsColdData, Strength: Always, Decisive: true, Must: true},
		{Sign: threadsWaitForDisk, Strength: Often, Follows: true},
	},
	Leads: []*Cause{handlerSaturation},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s reads old data from disk: %s", s.Name, gist(yes, readsColdData, threadsWaitForDisk))
	},
}

var jvmFlags = &Cause{
	ID: "jvm-flags", Title: "JVM settings", Fault: badParameter, Branch: PerformanceBranch, Severity: Minor, On: fact.Process, Prior: 0.01,
	Doc: "The heap is not fixed, too large for the host, or of a size that wastes memory. Advice.",
	Signs: []Link{
		{Sign: heapBadlySet, Strength: Always, Decisive: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("JVM settings of broker %s: %s", s.Name, gist(yes, heapBadlySet))
	},
}

var osLimitsLow = &Cause{
	ID: "os-limits-low", Title: "limits of the system are low", Fault: badParameter, Branch: PerformanceBranch, Severity: Minor, On: fact.Process, Prior: 0.01,
	Doc: "A limit of open files, memory maps or threads is half used up: it will be met at the worst of times. Advice.",
	Signs: []Link{
		{Sign: limitsTight, Strength: Always, Decisive: true},
	},
	RulesOut: []*Sign{fdsShort, mapsShort}, // it is met already
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("limits of broker %s are low: %s", s.Name, gist(yes, limitsTight))
	},
}
