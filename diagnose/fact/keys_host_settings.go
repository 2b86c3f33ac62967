package fact

// How a host is set up, and what its kernel had to say.
var (
	Sysctls        = State[map[string]string]("host.sysctl", Host, "kernel settings that matter to Kafka, by name (\"vm.swappiness\"), those of the network of ktriage's own namespace; those that this kernel does not have are left out")
	HugePages      = State[TransparentHugePages]("host.huge-pages", Host, "transparent huge pages")
	ClockState     = State[Clock]("host.clock", Host, "whether the clock is disciplined, as the kernel knows it")
	BlockDevice    = State[DeviceInfo]("host.device", Device, "what a device under a log dir is")
	KernelOOMKills = State[[]OOMKill]("host.kernel.oom-kills", Host, "processes killed for want of memory that the kernel's log still names, the last 20")
	KernelIOErrors = State[[]KernelLine]("host.kernel.io-errors", Host, "what the kernel's log still says of failing disks and file systems and of threads hung on them, the last 20")

	DeviceDiscards       = Counter("host.device.discards", Device, Count, "discards completed; kernels from 4.18")
	DeviceDiscardSeconds = Counter("host.device.discard.seconds", Device, Seconds, "time that discards took, summed; iostat counts them in await")
	DeviceFlushes        = Counter("host.device.flushes", Device, Count, "flushes completed: fsync asks for them; kernels from 5.5")
	DeviceFlushSeconds   = Counter("host.device.flush.seconds", Device, Seconds, "time that flushes took, summed")
	DeviceInFlight       = Gauge("host.device.in-flight", Device, Count, "I/Os in flight at this moment")
)
