package fact

import "time"

// LocalBroker is a broker found on this host, running or not.
type LocalBroker struct {
	NodeID    int32    `json:"node_id"` // -1: not known
	PID       int      `json:"pid"`     // 0: no process was ever seen
	Running   bool     `json:"running"`
	Config    string   `json:"config"`    // path of its properties file
	Listeners []string `json:"listeners"` // host:port that a client on this host can try
	LogDirs   []string `json:"log_dirs"`
	MetaDir   string   `json:"metadata_dir,omitempty"` // metadata.log.dir, where that is set
	LogsDir   string   `json:"logs_dir"`               // -Dkafka.logs.dir: server.log and its kin
	Roles     string   `json:"roles"`                  // process.roles; empty with ZooKeeper
	FoundBy   string   `json:"found_by"`               // "process", "perf data", "--broker-config"

	OffsetsRetention float64 `json:"offsets_retention,omitempty"` // seconds, offsets.retention.minutes in effect by its properties; 0: not known

	Quorum []string `json:"quorum,omitempty"` // controllers that its properties name: "ID@HOST:PORT", or "HOST:PORT" where the id is not said
}

// ProcessState is a broker's process as /proc shows it.
type ProcessState struct {
	PID     int       `json:"pid"`
	Exists  bool      `json:"exists"`          // false: no process has this id, or another one took it
	State   string    `json:"state,omitempty"` // R S D T t Z, from /proc/PID/stat
	Started time.Time `json:"started,omitzero"`
	Found   string    `json:"found,omitempty"` // how it is known that this broker once ran
}

// Mount is the file system that holds a log dir.
type Mount struct {
	Point        string `json:"point"`
	Source       string `json:"source"` // /dev/sda1, tmpfs
	Device       string `json:"device"` // kernel name in /proc/diskstats; empty: none behind it
	Type         string `json:"type"`
	Options      string `json:"options"`       // per mount
	SuperOptions string `json:"super_options"` // per file system
}
