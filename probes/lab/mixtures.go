package lab

import (
	"context"
	"slices"
	"time"
)

// Mixtures: two things at once. Of two independent faults each is a root; planned
// work is context; and what blinds the observer is no fault of the cluster.

var crashAndStoppedGroup = mix("mix-crash-and-stopped-group", "broker 2 is killed, and a group's members leave", brokerCrashed, groupStopped)

var hungAndStoppedGroup = mix("mix-hung-and-stopped-group", "broker 2 is stopped by a signal, and a group's members leave", brokerHung, groupStopped)

var fullAndStoppedGroup = mix("mix-full-and-stopped-group", "the disk of broker 3 is full, and a group's members leave", diskFull, groupStopped)

var crashAndStorm = mix("mix-crash-and-storm", "broker 2 is killed, and members of a group come and go", brokerCrashed, rebalanceStorm)

var crashDuringReassignment = mix("mix-crash-during-reassignment", "a partition is on its way when broker 2, which stays its replica, is killed", reassignmentLoad, brokerCrashed)

var stoppedDuringShutdown = mix("mix-stopped-during-shutdown", "a broker is shut down in order, and the members of a group, which it has nothing to do with, leave", plannedShutdown, groupStopped)

var crashAmongRisky = mix("mix-crash-among-risky", "topics that one failure defeats, as ever, and then broker 2 is killed", riskyReplication, brokerCrashed)

// fewFiles lets ktriage open sixteen files at once: as on a host whose limit is used up.
var fewFiles = []string{"prlimit", "--nofile=16:16", "--"}

var crashSeenHalfBlind = &Fault{
	Name: "mix-crash-seen-half-blind", Doc: "broker 2 is killed, and the observer may open sixteen files at once",
	Prepare: brokerCrashed.Prepare, Inject: brokerCrashed.Inject, Oracle: brokerCrashed.Oracle, Heal: brokerCrashed.Heal,
	Expect: brokerCrashed.Expect, Through: fewFiles, Later: true,
	Forbidden: []string{"planned-shutdown", "fd-exhaustion", "disk-full", "log-dir-offline", "none-of-these"},
}

var idleSeenHalfBlind = &Fault{
	Name: "mix-idle-seen-half-blind", Doc: "control: a cluster without clients, and the observer may open sixteen files at once",
	Prepare: idle.Prepare, Oracle: idle.Oracle, Through: fewFiles, Later: true,
	Forbidden: slices.Concat(anything, []string{"fd-exhaustion", "none-of-these"}),
}

// mix is two faults at once, on a cluster made and prepared for the first, which
// must do for the second too. What
// is expected of each is expected, the graver first where both have roots.
func mix(name, doc string, a, b *Fault) *Fault {
	return &Fault{
		Name: name, Doc: doc, Shape: a.Shape, Prepare: a.Prepare, Later: true,
		Inject: func(ctx context.Context, c *Cluster) error {
			if err := a.Inject(ctx, c); err != nil {
				return err
			}
			return b.Inject(ctx, c)
		},
		Oracle: func(ctx context.Context, c *Cluster) (string, error) {
			first, err := a.Oracle(ctx, c)
			if err != nil && !overtaken(a, b) {
				return "", err
			}
			second, err := b.Oracle(ctx, c)
			return first + "; " + second, err
		},
		Heal: func(ctx context.Context, c *Cluster) error {
			for _, f := range []*Fault{a, b} {
				if f.Heal == nil {
					continue
				}
				if err := f.Heal(ctx, c); err != nil {
					return err
				}
			}
			return nil
		},
		Bites:   or(a.Bites, 30*time.Second) + or(b.Bites, 30*time.Second),
		Expect:  slices.Concat(a.Expect, b.Expect),
		Context: slices.Concat(a.Context, b.Context),
		Args:    slices.Concat(a.Args, b.Args),
	}
}

// overtaken says whether the second fault takes away what the first one's oracle
// looks at: that all is in sync.
func overtaken(a, b *Fault) bool { return a == riskyReplication && b == brokerCrashed }
