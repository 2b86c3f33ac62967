package fact

// What the host tells (probes/host).
var (
	LocalBrokers = State[[]LocalBroker]("host.brokers", Host, "brokers found on this host")

	CPUs         = Gauge("host.cpus", Host, Count, "logical processors")
	CPUUser      = Counter("host.cpu.user", Host, Seconds, "CPU time in user mode, nice included, all processors")
	CPUSystem    = Counter("host.cpu.system", Host, Seconds, "CPU time in the kernel, interrupts included")
	CPUIdle      = Counter("host.cpu.idle", Host, Seconds, "CPU time idle")
	CPUIOWait    = Counter("host.cpu.iowait", Host, Seconds, "CPU time idle while I/O was outstanding")
	CPUSteal     = Counter("host.cpu.steal", Host, Seconds, "CPU time taken by the hypervisor")
	MemTotal     = Gauge("host.memory.total", Host, Bytes, "memory")
	MemAvailable = Gauge("host.memory.available", Host, Bytes, "memory that can be had without swapping: page cache counts as available")

	BrokerProcess  = State[ProcessState]("host.process", Process, "the broker's process")
	ProcessCPU     = Counter("host.process.cpu", Process, Seconds, "CPU time of the process, user and system")
	ProcessRSS     = Gauge("host.process.rss", Process, Bytes, "resident memory")
	ProcessThreads = Gauge("host.process.threads", Process, Count, "threads")
	ProcessFDs     = Gauge("host.process.fds", Process, Count, "open file descriptors")
	ProcessFDLimit = Gauge("host.process.fds.limit", Process, Count, "soft limit of open files of this process")

	DirMount       = State[Mount]("host.dir.mount", LogDir, "the file system under a log dir")
	DirUsed        = Gauge("host.dir.used", LogDir, Bytes, "bytes in use on the file system of a log dir")
	DirAvailable   = Gauge("host.dir.available", LogDir, Bytes, "bytes that an unprivileged process can still write there")
	DirTotal       = Gauge("host.dir.total", LogDir, Bytes, "size of the file system of a log dir, reserved blocks included")
	DirInodesUsed  = Gauge("host.dir.inodes.used", LogDir, Count, "inodes in use on the file system of a log dir")
	DirInodesTotal = Gauge("host.dir.inodes.total", LogDir, Count, "inodes of the file system of a log dir; 0: it has no fixed number")

	DeviceReads        = Counter("host.device.reads", Device, Count, "reads completed")
	DeviceWrites       = Counter("host.device.writes", Device, Count, "writes completed")
	DeviceReadBytes    = Counter("host.device.read.bytes", Device, Bytes, "bytes read")
	DeviceWriteBytes   = Counter("host.device.write.bytes", Device, Bytes, "bytes written")
	DeviceReadSeconds  = Counter("host.device.read.seconds", Device, Seconds, "time that reads took, summed")
	DeviceWriteSeconds = Counter("host.device.write.seconds", Device, Seconds, "time that writes took, summed")
	DeviceBusySeconds  = Counter("host.device.busy.seconds", Device, Seconds, "time with any I/O in flight")
	DeviceQueueSeconds = Counter("host.device.queue.seconds", Device, Seconds, "time weighted by I/Os in flight")
)
