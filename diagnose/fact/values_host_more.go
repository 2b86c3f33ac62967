package fact

import "time"

// CrashReport is a fatal error report of a JVM.
type CrashReport struct {
	File  string    `json:"file,omitempty"` // empty: none was found
	At    time.Time `json:"at,omitzero"`    // when it was written
	PID   int       `json:"pid,omitempty"`
	Error string    `json:"error,omitempty"` // "SIGSEGV (0xb) at pc=…", "There is insufficient memory …"
	Frame string    `json:"frame,omitempty"` // the problematic frame, where there is one
}

// IOLimit is what a cgroup allows of I/O on one device, per second; 0: no limit.
type IOLimit struct {
	Device     string  `json:"device"` // kernel name, or major:minor where it has none
	ReadBytes  float64 `json:"read_bytes,omitempty"`
	WriteBytes float64 `json:"write_bytes,omitempty"`
	Reads      float64 `json:"reads,omitempty"`
	Writes     float64 `json:"writes,omitempty"`
}

// TransparentHugePages is the choice between "always", "madvise" and "never"
// ("defer" and "defer+madvise" too for Defrag).
type TransparentHugePages struct {
	Enabled string `json:"enabled"`
	Defrag  string `json:"defrag,omitempty"`
}

// Clock is what the kernel's clock discipline says. Its errors are bounds that
// grow while nobody disciplines the clock; they are no comparison with another
// clock.
type Clock struct {
	Synchronised bool    `json:"synchronised"` // STA_UNSYNC is not set
	Offset       float64 `json:"offset"`       // seconds, as last told by the one who disciplines
	MaxError     float64 `json:"max_error"`    // seconds
	EstError     float64 `json:"est_error"`    // seconds
}

// DeviceInfo is what a block device is.
type DeviceInfo struct {
	Kind       string   `json:"kind"`                 // nvme, disk, partition, lvm, crypt, device-mapper, md, loop, virtio, zram, nbd, rbd, drbd, xen
	Name       string   `json:"name,omitempty"`       // of a mapped device: "vg-data"; of a loop device its file
	Level      string   `json:"level,omitempty"`      // of an md array: raid1 …
	Degraded   int      `json:"degraded,omitempty"`   // missing members of an md array
	On         []string `json:"on,omitempty"`         // devices it is made of, or the disk of a partition
	Rotational bool     `json:"rotational,omitempty"` // as its driver says; wrong for many virtual disks
	Scheduler  string   `json:"scheduler,omitempty"`  // none, mq-deadline, bfq, kyber
	ReadAhead  float64  `json:"read_ahead"`           // bytes
	ReadOnly   bool     `json:"read_only,omitempty"`
	State      string   `json:"state,omitempty"`  // of SCSI disks and NVMe controllers: running, live, offline, dead
	Errors     float64  `json:"errors,omitempty"` // counted by the driver (SCSI) and by ext4 of this device
}

// OOMKill is a process that the kernel killed for want of memory.
type OOMKill struct {
	At     time.Time `json:"at"`
	PID    int       `json:"pid"`
	Name   string    `json:"name"`             // first 15 characters of its command
	RSS    float64   `json:"rss,omitempty"`    // bytes, anonymous
	Cgroup bool      `json:"cgroup,omitempty"` // a memory cgroup was full, not the host
}

// KernelLine is a line of the kernel's log.
type KernelLine struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"` // cut to 300 characters
}

// SocketTable is the TCP connections of a broker.
type SocketTable struct {
	Owned     bool       `json:"owned"`    // connections the broker made are known by its descriptors; false: only those to its listeners are here
	Detailed  bool       `json:"detailed"` // from netlink: round trips, retransmits and losses are known
	States    []StateOf  `json:"states"`
	Listeners []Listener `json:"listeners"`
	Peers     []Peer     `json:"peers"` // the 20 with most connections
	More      int        `json:"more"`  // peers left out
}

// StateOf is how many connections are in a state of TCP.
type StateOf struct {
	State string `json:"state"` // established, time-wait …
	Count int    `json:"count"`
}

// Listener is a listening socket of a broker and the connections to it.
type Listener struct {
	Address     string    `json:"address"` // "10.0.0.1:9092", "*:9092"
	Queue       int       `json:"queue"`   // connections that wait to be accepted
	Limit       int       `json:"limit"`   // how many may wait
	States      []StateOf `json:"states"`
	Unsent      float64   `json:"unsent"`                // bytes in send queues
	Unread      float64   `json:"unread"`                // bytes in receive queues
	Retransmits float64   `json:"retransmits,omitempty"` // of connections that live
}

// Peer is an address that connections come from, or that the broker connects to.
type Peer struct {
	Address     string  `json:"address"` // without port where it connects to us
	Outgoing    bool    `json:"outgoing,omitempty"`
	Connections int     `json:"connections"`           // established
	Unsent      float64 `json:"unsent"`                // bytes in send queues
	RoundTrip   float64 `json:"round_trip,omitempty"`  // seconds, the worst of its connections
	Retransmits float64 `json:"retransmits,omitempty"` // of connections that live
	Lost        float64 `json:"lost,omitempty"`        // segments in flight that count as lost
}
