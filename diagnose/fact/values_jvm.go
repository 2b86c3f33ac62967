package fact

// JVMFlags is the options that a JVM was started with.
type JVMFlags struct {
	Options     []string `json:"options"`      // those that begin with -X, and -server and its like, in the order in which they count; values of commands left out
	Sources     []string `json:"sources"`      // "command line", "JDK_JAVA_OPTIONS", "KAFKA_HEAP_OPTS", …
	Unread      string   `json:"unread"`       // why the environment could not be read; empty: it was
	InitialHeap int64    `json:"initial_heap"` // bytes of -Xms; 0: not given
	MaxHeap     int64    `json:"max_heap"`     // bytes of -Xmx; 0: not given
	GCLogs      []string `json:"gc_logs"`      // files of -Xlog:gc and -Xloggc, as the JVM finds them
}

// ThreadRole is the threads of a process that do the same.
type ThreadRole struct {
	Role    string  `json:"role"` // request-handler, network, replica-fetcher, …
	Count   int     `json:"count"`
	Running int     `json:"running"`      // in state R
	Blocked int     `json:"blocked"`      // in state D
	CPU     float64 `json:"cpu_seconds"`  // counter: summed since the first look
	Wait    float64 `json:"wait_seconds"` // counter: waited for a processor
	Busiest float64 `json:"busiest"`      // counter of seconds: the most that one thread ran between two looks, summed
}
