package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// numbers is a list of keys, short.
type numbers = []fact.Of[float64]

var cpuTimes = numbers{fact.CPUUser, fact.CPUSystem, fact.CPUIdle, fact.CPUIOWait, fact.CPUSteal}

// hostMeasures are of the host as a whole.
var hostMeasures = []measure{
	{title: "CPU used or stolen", of: numbers{fact.CPUUser, fact.CPUSystem, fact.CPUSteal}, rate: true, per: cpuTimes, unit: fact.Ratio, sign: "cpu-busy"},
	{title: "CPU in the kernel", of: numbers{fact.CPUSystem}, rate: true, per: cpuTimes, unit: fact.Ratio},
	{title: "CPU idle, I/O outstanding", of: numbers{fact.CPUIOWait}, rate: true, per: cpuTimes, unit: fact.Ratio},
	{title: "CPU stolen", of: numbers{fact.CPUSteal}, rate: true, per: cpuTimes, unit: fact.Ratio},
	{title: "load of 1 min", of: numbers{fact.Load1}, unit: fact.Count},
	{title: "threads that want to run", of: numbers{fact.ThreadsRunnable}, unit: fact.Count},
	{title: "threads waiting for I/O", of: numbers{fact.ThreadsBlocked}, unit: fact.Count},
	{title: "context switches", of: numbers{fact.ContextSwitches}, rate: true, unit: fact.Count},
	{title: "interrupts", of: numbers{fact.Interrupts}, rate: true, unit: fact.Count},
	{title: "memory not available", of: numbers{fact.MemAvailable}, per: numbers{fact.MemTotal}, rest: true, unit: fact.Ratio, sign: "memory-short"},
	{title: "memory available", of: numbers{fact.MemAvailable}, unit: fact.Bytes},
	{title: "page cache", of: numbers{fact.MemCached}, unit: fact.Bytes},
	{title: "dirty pages", of: numbers{fact.MemDirty}, unit: fact.Bytes},
	{title: "swap free", of: numbers{fact.SwapFree}, unit: fact.Bytes},
	{title: "read back from swap", of: numbers{fact.SwapIn}, rate: true, unit: fact.Bytes},
	{title: "major page faults", of: numbers{fact.HostMajorFaults}, rate: true, unit: fact.Count},
	{title: "OOM kills since boot", of: numbers{fact.HostOOMKills}, unit: fact.Count},
	{title: "pressure: CPU", of: numbers{fact.PressureCPU}, rate: true, unit: fact.Ratio},
	{title: "pressure: I/O", of: numbers{fact.PressureIO}, rate: true, unit: fact.Ratio},
	{title: "pressure: I/O, all threads", of: numbers{fact.PressureIOFull}, rate: true, unit: fact.Ratio},
	{title: "pressure: memory", of: numbers{fact.PressureMem}, rate: true, unit: fact.Ratio},
	{title: "open files of the host", of: numbers{fact.FilesOpen}, per: numbers{fact.FilesMax}, unit: fact.Ratio},
	{title: "tracked connections", of: numbers{fact.ConntrackEntries}, per: numbers{fact.ConntrackMax}, unit: fact.Ratio},
}

// deviceMeasures are of a block device or of a network interface: each has some.
var deviceMeasures = []measure{
	{title: "time an I/O takes", of: numbers{fact.DeviceReadSeconds, fact.DeviceWriteSeconds}, rate: true, per: numbers{fact.DeviceReads, fact.DeviceWrites}, unit: fact.Seconds, sign: "disk-slow"},
	{title: "busy", of: numbers{fact.DeviceBusySeconds}, rate: true, unit: fact.Ratio},
	{title: "I/Os in queue", of: numbers{fact.DeviceQueueSeconds}, rate: true},
	{title: "reads", of: numbers{fact.DeviceReads}, rate: true, unit: fact.Count},
	{title: "writes", of: numbers{fact.DeviceWrites}, rate: true, unit: fact.Count},
	{title: "bytes read", of: numbers{fact.DeviceReadBytes}, rate: true, unit: fact.Bytes},
	{title: "bytes written", of: numbers{fact.DeviceWriteBytes}, rate: true, unit: fact.Bytes},
	{title: "time a flush takes", of: numbers{fact.DeviceFlushSeconds}, rate: true, per: numbers{fact.DeviceFlushes}, unit: fact.Seconds},
}

var netMeasures = []measure{
	{title: "received", of: numbers{fact.NetRxBytes}, rate: true, unit: fact.Bytes},
	{title: "received, of the link", of: numbers{fact.NetRxBytes}, rate: true, per: numbers{fact.NetSpeed}, unit: fact.Ratio},
	{title: "sent", of: numbers{fact.NetTxBytes}, rate: true, unit: fact.Bytes},
	{title: "sent, of the link", of: numbers{fact.NetTxBytes}, rate: true, per: numbers{fact.NetSpeed}, unit: fact.Ratio},
	{title: "errors", of: numbers{fact.NetRxErrors, fact.NetTxErrors}, rate: true, unit: fact.Count},
	{title: "drops", of: numbers{fact.NetRxDrops, fact.NetTxDrops}, rate: true, unit: fact.Count},
	{title: "waiting to be sent", of: numbers{fact.NetBacklog}, unit: fact.Bytes},
}

// processMeasures are of a broker's process, its cgroup and its network.
var processMeasures = []measure{
	{title: "CPUs used", of: numbers{fact.ProcessCPU}, rate: true},
	{title: "threads waiting for a CPU", of: numbers{fact.ProcessRunQueue}, rate: true, unit: fact.Seconds, sign: "cpu-waits"},
	{title: "stopped by its CPU quota", of: numbers{fact.CgroupThrottledPeriods}, rate: true, per: numbers{fact.CgroupCPUPeriods}, unit: fact.Ratio, sign: "cpu-throttled"},
	{title: "threads waiting for a disk", of: numbers{fact.ProcessBlocked}, unit: fact.Count, sign: "threads-wait-for-disk"},
	{title: "memory resident", of: numbers{fact.ProcessRSS}, unit: fact.Bytes},
	{title: "memory in swap", of: numbers{fact.ProcessSwap}, unit: fact.Bytes},
	{title: "cgroup memory of its limit", of: numbers{fact.CgroupMemUsed}, per: numbers{fact.CgroupMemLimit}, unit: fact.Ratio},
	{title: "OOM kills in its cgroup", of: numbers{fact.CgroupOOMKills}, unit: fact.Count},
	{title: "open files of its limit", of: numbers{fact.ProcessFDs}, per: numbers{fact.ProcessFDLimit}, unit: fact.Ratio, sign: "fds-near-limit"},
	{title: "open files", of: numbers{fact.ProcessFDs}, unit: fact.Count},
	{title: "memory maps", of: numbers{fact.ProcessMaps}, unit: fact.Count},
	{title: "threads", of: numbers{fact.ProcessThreads}, unit: fact.Count},
	{title: "read in all", of: numbers{fact.ProcessReadChars}, rate: true, unit: fact.Bytes},
	{title: "read from disks", of: numbers{fact.ProcessReadBytes}, rate: true, unit: fact.Bytes},
	{title: "of its reads from disks", of: numbers{fact.ProcessReadBytes}, rate: true, per: numbers{fact.ProcessReadChars}, unit: fact.Ratio, sign: "reads-cold-data"},
	{title: "written", of: numbers{fact.ProcessWriteBytes}, rate: true, unit: fact.Bytes},
	{title: "major page faults", of: numbers{fact.ProcessMajorFaults}, rate: true, unit: fact.Count},
	{title: "connections", of: numbers{fact.SocketsEstablished}, unit: fact.Count},
	{title: "connections half closed", of: numbers{fact.SocketsCloseWait}, unit: fact.Count},
	{title: "accept queue of its limit", of: numbers{fact.SocketsAcceptQueue}, per: numbers{fact.SocketsAcceptLimit}, unit: fact.Ratio},
	{title: "unsent", of: numbers{fact.SocketsUnsent}, unit: fact.Bytes},
	{title: "unread", of: numbers{fact.SocketsUnread}, unit: fact.Bytes},
	{title: "segments sent again", of: numbers{fact.TCPRetransmits}, rate: true, per: numbers{fact.TCPSegmentsOut}, unit: fact.Ratio},
	{title: "restarts seen", of: numbers{fact.ProcessRestarts}, unit: fact.Count},
	{title: "TCP timeouts", of: numbers{fact.TCPTimeouts}, rate: true, unit: fact.Count},
	{title: "listen queue overflows", of: numbers{fact.TCPListenOverflows}, rate: true, unit: fact.Count},
}

// hostSheet is the host: itself, its processes, its disks, its network.
func hostSheet(s *material) sheet {
	var entries []entry
	hosts := fact.CPUs.Subjects(s.facts)
	entries = append(entries, s.entries(hostMeasures, func(fact.Subject) string { return "host" })...)
	if len(entries) == 0 {
		entries = append(entries, s.nobody("host", fact.CPUs))
	}
	entries = append(entries, s.entries(processMeasures, processName)...)
	under := s.dirsOn()
	entries = append(entries, s.entries(deviceMeasures, func(on fact.Subject) string { return on.Name })...)
	for i := range entries {
		if on := entries[i].curve; on != nil && on.on.Scope == fact.Device {
			entries[i].say = append(entries[i].say, s.deviceSays(on.on, under))
		}
	}
	entries = append(entries, s.entries(netMeasures, func(on fact.Subject) string { return on.Name })...)
	var names []string
	for _, h := range hosts {
		text := h.Name
		if n, ok := fact.CPUs.Latest(s.facts, h); ok {
			text += fmt.Sprintf(", %.0f CPUs", n)
		}
		if n, ok := fact.MemTotal.Latest(s.facts, h); ok {
			text += ", " + number(n, fact.Bytes)
		}
		names = append(names, text)
	}
	return listed("HOST", strings.Join(names, "; "), "nothing has looked at a host yet", measured, entries, measuredOrders(entries)...)
}

// processName is a broker's process in a word.
func processName(on fact.Subject) string {
	if strings.HasPrefix(on.Name, "pid ") {
		return on.Name
	}
	return "broker " + on.Name
}

// dirsOn is the log dirs on each device.
func (s *material) dirsOn() map[string][]string {
	under := map[string][]string{}
	for _, dir := range fact.DirMount.Subjects(s.facts) {
		if m, ok := fact.DirMount.Latest(s.facts, dir); ok && !slices.Contains(under[m.Device], dir.Name) {
			under[m.Device] = append(under[m.Device], dir.Name)
		}
	}
	return under
}

// deviceSays is what a device is, and which log dirs lie on it.
func (s *material) deviceSays(on fact.Subject, under map[string][]string) string {
	text := on.Name
	if d, ok := fact.BlockDevice.Latest(s.facts, on); ok {
		text += ": " + strings.Join(strings.Fields(strings.Join([]string{d.Kind, d.Name, d.Level, d.Scheduler, d.State}, " ")), " ")
		if len(d.On) > 0 {
			text += ", on " + strings.Join(d.On, " ")
		}
		if d.Degraded > 0 {
			text += ", " + plural(d.Degraded, "member") + " missing"
		}
	}
	if dirs := under[on.Name]; len(dirs) > 0 {
		return text + "; log dirs on it: " + strings.Join(dirs, ", ")
	}
	return text + "; no log dir lies on it directly"
}

// logDirMeasures are of a log dir and of the file system under it.
var logDirMeasures = []measure{
	{title: "used", of: numbers{fact.DirUsed}, per: numbers{fact.DirUsed, fact.DirAvailable}, unit: fact.Ratio, sign: "dir-nearly-full"},
	{title: "available", of: numbers{fact.DirAvailable}, unit: fact.Bytes},
	{title: "usable, says the broker", of: numbers{fact.LogDirUsable}, unit: fact.Bytes},
	{title: "inodes used", of: numbers{fact.DirInodesUsed}, per: numbers{fact.DirInodesTotal}, unit: fact.Ratio, sign: "inodes-short"},
	{title: "replicas in it", of: numbers{fact.LogDirSize}, unit: fact.Bytes},
	{title: "records behind", of: numbers{fact.LogDirLag}, unit: fact.Count},
	{title: "replicas moving in", of: numbers{fact.LogDirFutures}, unit: fact.Count},
	{title: "records these still lack", of: numbers{fact.LogDirFutureLag}, unit: fact.Count},
}

// logDirsSheet is the log dirs of all brokers that tell of them.
func logDirsSheet(s *material) sheet {
	entries := s.entries(logDirMeasures, func(on fact.Subject) string { return on.Name })
	dirs := map[fact.Subject]bool{}
	for i := range entries {
		on := entries[i].curve.on
		dirs[on] = true
		entries[i].say = append(entries[i].say, s.dirSays(on)...)
	}
	if len(entries) == 0 {
		entries = append(entries, s.nobody("log dirs", fact.LogDirSize))
	}
	columns := slices.Clone(measured)
	columns[0].head, columns[0].wide = "log dir", 24
	columns[4].least = 96
	return listed("LOG DIRS", plural(len(dirs), "log dir"), "nothing has looked at a log dir yet", columns, entries, measuredOrders(entries)...)
}

// dirSays is what else is known of a log dir.
func (s *material) dirSays(on fact.Subject) []string {
	var all []string
	if text, ok := fact.LogDirError.Latest(s.facts, on); ok && text != "" {
		all = append(all, "its broker reports: "+text)
	}
	if m, ok := fact.DirMount.Latest(s.facts, on); ok {
		device := m.Device
		if device == "" {
			device = "no device"
		}
		all = append(all, fmt.Sprintf("on %s (%s, %s), mounted at %s: %s", m.Source, m.Type, device, m.Point, m.Options))
	}
	for id := range s.signs {
		if st := s.signOn(id, on); st != nil && st.Outcome == diagnose.Yes {
			all = append(all, st.Sign.Title+": "+st.Text)
		}
	}
	slices.Sort(all)
	return all
}
