package lab

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Fault is one way to break a cluster, or a healthy state that must not be
// taken for broken. It is a package-level literal in a file of its own, listed
// in Faults.
//
// The order of events: a cluster of Shape is started, Prepare makes it busy,
// Inject breaks it, Oracle is asked until it has seen that the fault bit, and
// only then does the clock of the diagnosis run. Heal undoes it.
type Fault struct {
	Name, Doc string
	Shape     Shape

	Prepare func(context.Context, *Cluster) error // nil: nothing
	Inject  func(context.Context, *Cluster) error // nil in a healthy control
	Heal    func(context.Context, *Cluster) error // nil: nothing to heal

	// Oracle says what it saw of the fault, or with an error what it misses yet.
	// It never uses ktriage: Kafka's own tools, logs, /proc, the file system.
	Oracle func(context.Context, *Cluster) (string, error)
	Bites  time.Duration // how long Oracle may take to see it; 0: 30 s

	Expect       []Expect      // root causes, in order; none: nothing of severity major or critical may be sure
	Consequences []string      // causes that must stand under a root
	Holds        []string      // causes that are true too: with less in sight they may stand without their root
	Context      []string      // ids that must stand as context or as a root of severity info
	Branch       string        // of the verdict; "" leaves it open
	Forbidden    []string      // causes that must not be confirmed or likely, root or not
	Deadline     time.Duration // from the oracle's word to the right verdict; 0: 30 s
	Through      []string      // a command to run ktriage through, as prlimit
	Args         []string      // what the operator must give ktriage beside the bootstrap servers; $CONFIG3 is broker 3's server.properties
	Blind        []Blind       // probes to switch off, and what must then be said
	Facts        []Sight       // what the probes must see while the fault lasts
	Later        bool          // make test-all tries it, and make lab leaves it out: slow, or near to another one
}

// Expect is a root cause that must be named with band confirmed or likely.
type Expect struct {
	Cause   string
	Subject string // as fact.Subject writes it, "broker 2"; $LOGDIR3 is the log dir of broker 3; "" any
}

// Blind is a check without the probe that decides a fault: Cause must then not
// be confirmed, and what is missing must be named.
type Blind struct {
	Skip  string // probes, separated by commas
	Cause string
}

// unnamed says whether no verdict is expected, as of a fault for which there is
// no cause yet: only facts are asked for.
func (f *Fault) unnamed() bool { return !f.Healthy() && len(f.Expect)+len(f.Context) == 0 }

// Healthy says whether a fault is a control.
func (f *Fault) Healthy() bool { return f.Inject == nil }

// Faults is every fault, then every control.
var Faults = []*Fault{
	advertisedRefused,
	advertisedUnknown,
	allBrokersCrashed,
	allocationStorm,
	authenticationFailed,
	authorizationDenied,
	brokerCrashed,
	brokerHung,
	brokerIsolated,
	brokerLinkCut,
	certificateExpired,
	controllerQuorumLost,
	cpuStarved,
	diskFull,
	fdExhaustion,
	gcPause,
	groupStopped,
	hangingTransaction,
	heapExhaustion,
	hotPartition,
	humongousAllocation,
	inodeExhaustion,
	leaderImbalance,
	logDirOffline,
	minISRExceedsReplication,
	mmapExhaustion,
	noLeader,
	offsetAboveLogEnd,
	offsetBelowLogStart,
	offsetRewind,
	oomKilled,
	packetLoss,
	plannedShutdown,
	quotaThrottle,
	readOnlyFilesystem,
	reassignmentLoad,
	rebalanceStorm,
	replicationThrottleLeft,
	requestHandlerSaturation,
	riskyReplication,
	securityProtocolMismatch,
	segmentCorruption,
	slowConsumer,
	slowDisk,
	stalledPartition,
	startRefused,
	twoBrokersCrashed,
	uncleanLeaderElection,
	underMinISR,
	crashAmongRisky,
	crashAndStoppedGroup,
	crashAndStorm,
	crashDuringReassignment,
	crashSeenHalfBlind,
	fullAndStoppedGroup,
	hungAndStoppedGroup,
	stoppedDuringShutdown,
	idle,
	idleSeenHalfBlind,
	steadyLoad,
}

// patient is the arguments for a check whose signs must hold for ten seconds or
// more before they count.
var patient = []string{"--samples", "9", "--deadline", "35s"}

// slowly is the same where they must hold for half a minute.
var slowly = []string{"--samples", "12", "--every", "3s", "--deadline", "44s"}

// FaultOf finds faults by name; no names are all of Faults.
func FaultOf(names ...string) ([]*Fault, error) {
	if len(names) == 0 {
		return Faults, nil
	}
	var found []*Fault
	for _, name := range names {
		i := slices.IndexFunc(Faults, func(f *Fault) bool { return f.Name == name })
		if i < 0 {
			var all []string
			for _, f := range Faults {
				all = append(all, f.Name)
			}
			return nil, fmt.Errorf("fault %q: one of %s is expected", name, strings.Join(all, ", "))
		}
		found = append(found, Faults[i])
	}
	return found, nil
}

// Fits says why a cluster cannot take a fault; nil when it can.
func (f *Fault) Fits(c *Cluster) error {
	switch {
	case f.Shape.OwnController && !c.Shape.OwnController:
		return fmt.Errorf("fault %s: a cluster with --own-controller is needed", f.Name)
	case f.Shape.Controllers > max(1, c.Shape.Controllers), f.Shape.Namespaces && !c.Shape.Namespaces, f.Shape.Version != "" && f.Shape.Version != c.Version,
		f.Shape.ZooKeeper != c.Shape.ZooKeeper:
		return fmt.Errorf("fault %[1]s: a cluster made for it is needed: lab up --for %[1]s", f.Name)
	case f.Shape.Volume != nil && !reflect.DeepEqual(f.Shape.Volume, c.Shape.Volume), len(f.Shape.Memory) > len(c.Shape.Memory):
		return fmt.Errorf("fault %[1]s: a cluster made for it is needed: lab up --for %[1]s", f.Name)
	case f.Shape.SmallDisk > 0 && c.Shape.SmallDisk == 0:
		return fmt.Errorf("fault %s: a cluster with --small-disk %d is needed", f.Name, f.Shape.SmallDisk)
	case f.Shape.Metrics && !c.Shape.Metrics, len(f.Shape.JVM) > 0 && len(c.Shape.JVM) == 0, len(f.Shape.Listeners) > 0 && !slices.Equal(f.Shape.Listeners, c.Shape.Listeners):
		return fmt.Errorf("fault %s: a cluster made for it is needed: lab up --for %s", f.Name, f.Name)
	}
	return nil
}

// Break injects a fault and waits until its oracle has seen it; it returns what
// the oracle saw.
func (f *Fault) Break(ctx context.Context, c *Cluster) (saw string, err error) {
	if err := f.Fits(c); err != nil {
		return "", err
	}
	if f.Inject != nil {
		if err := f.Inject(ctx, c); err != nil {
			return "", fmt.Errorf("inject %s: %w", f.Name, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, or(f.Bites, 30*time.Second))
	defer cancel()
	err = poll(ctx, func(ctx context.Context) error {
		saw, err = f.Oracle(ctx, c)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s has not bitten: %w", f.Name, err)
	}
	return saw, nil
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// expand replaces $LOGDIR3, $CONFIG3 and their like, and $DEVICE, the disk of a volume.
func (c *Cluster) expand(text string) string {
	if c.disk != nil {
		text = strings.ReplaceAll(text, "$DEVICE", c.disk.loop)
	}
	for _, n := range c.Brokers() {
		text = strings.ReplaceAll(text, fmt.Sprintf("$LOGDIR%d", n.ID), n.LogDir)
		text = strings.ReplaceAll(text, fmt.Sprintf("$LOGSDIR%d", n.ID), n.LogsDir())
		text = strings.ReplaceAll(text, fmt.Sprintf("$OTHERDIR%d", n.ID), n.OtherDir)
		text = strings.ReplaceAll(text, fmt.Sprintf("$CONFIG%d", n.ID), n.properties())
	}
	return text
}
