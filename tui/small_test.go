package tui

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// A small catalogue of the tests' own, so that a screen's golden text changes
// only when the screen does.

var smallFull = &diagnose.Sign{
	ID: "small-dir-full", Title: "its file system is full", Doc: "The file system of the log dir is 95% full or more.", On: fact.LogDir, Trouble: true,
	Needs: []fact.Key{fact.DirUsed, fact.DirAvailable},
	Test: func(v *diagnose.View) diagnose.Reading {
		used, _ := fact.DirUsed.Latest(v, v.Subject)
		free, _ := fact.DirAvailable.Latest(v, v.Subject)
		share := used / (used + free)
		r := diagnose.Reading{Outcome: diagnose.No, Text: fmt.Sprintf("%.0f%% used", share*100), Value: share, Unit: fact.Ratio, Limit: 0.95}
		if share >= 0.95 {
			r.Outcome = diagnose.Yes
		}
		return r
	},
}

var smallRefuses = &diagnose.Sign{
	ID: "small-refuses", Title: "its port refuses", Doc: "A new connection is refused.", On: fact.Broker, Trouble: true,
	Needs: []fact.Key{fact.BrokerReach},
	Test: func(v *diagnose.View) diagnose.Reading {
		reach, _ := fact.BrokerReach.Latest(v, v.Subject)
		if reach.Outcome == fact.Refused {
			return diagnose.Reading{Outcome: diagnose.Yes, Text: reach.Address + " refuses connections", Affected: diagnose.Affected{Topics: []string{"orders"}, Partitions: 4}}
		}
		return diagnose.Reading{Outcome: diagnose.No, Text: reach.Address + " answers"}
	},
}

var smallMemory = &diagnose.Sign{
	ID: "small-memory", Title: "short of memory", Doc: "Less than 15% of memory is available.", On: fact.Host, Trouble: true,
	Needs: []fact.Key{fact.MemAvailable},
	Test: func(v *diagnose.View) diagnose.Reading {
		return diagnose.Reading{Outcome: diagnose.No, Text: "enough memory"}
	},
}

var smallStable = &diagnose.Sign{
	ID: "small-stable", Title: "the group is stable", Doc: "Nobody joins and nobody leaves.", On: fact.Group,
	Needs: []fact.Key{fact.GroupState},
	Test: func(v *diagnose.View) diagnose.Reading {
		state, _ := fact.GroupState.Latest(v, v.Subject)
		if state == "Stable" {
			return diagnose.Reading{Outcome: diagnose.Yes, Text: "state Stable"}
		}
		return diagnose.Reading{Outcome: diagnose.No, Text: "state " + state}
	},
}

var smallDown = &diagnose.Cause{
	ID: "broker-crashed", Title: "broker down", Doc: "Its process has ended.", On: fact.Broker, Severity: diagnose.Critical, Prior: 0.05,
	Fault: &diagnose.Fault{ID: "broker-down", Title: "broker down", Category: diagnose.Availability},
	Signs: []diagnose.Link{{Sign: smallRefuses, Strength: diagnose.Always, Decisive: true}},
}

var smallDisk = &diagnose.Cause{
	ID: "disk-full", Title: "disk full", Doc: "The file system under a log dir has no room. With its only dir a broker halts.", On: fact.LogDir, Severity: diagnose.Critical, Prior: 0.02,
	Fault: &diagnose.Fault{ID: "disk-failure", Title: "disk failure", Category: diagnose.Availability},
	Signs: []diagnose.Link{{Sign: smallFull, Strength: diagnose.Always, Decisive: true}},
	Leads: []*diagnose.Cause{smallDown},
	Says: func(on fact.Subject, yes []diagnose.SignState) string {
		return "the disk of log dir " + on.Name + " is full: " + yes[0].Text
	},
}

// small is that catalogue.
var small = &diagnose.Catalogue{
	Signs:  []*diagnose.Sign{smallFull, smallRefuses, smallMemory, smallStable},
	Causes: []*diagnose.Cause{smallDisk, smallDown},
	Alerts: []diagnose.Alert{{Rule: "DiskFull", Sign: smallFull}, {Rule: "HighLatency"}},
	Boxes: []*diagnose.Box{
		{ID: "report", Title: "report", Doc: "what the operator says", State: boxIs(diagnose.Done)},
		{ID: "collect-symptoms", Title: "symptoms", Doc: "every cheap probe runs once", State: boxIs(diagnose.Done)},
		{ID: "check-metrics", Title: "metrics", Doc: "two samples at least", State: boxIs(diagnose.Looking)},
		{ID: "classify", Title: "classify", Doc: "the branch, and why", State: boxIs(diagnose.Found)},
		{ID: "resource-analysis", Title: "resources", Branch: diagnose.PerformanceBranch, Signs: []*diagnose.Sign{smallMemory}},
		{ID: "gc-analysis", Title: "GC", Branch: diagnose.PerformanceBranch, Doc: "collections"},
		{ID: "optimisation-plan", Title: "plan", Branch: diagnose.PerformanceBranch, State: boxIs(diagnose.Pending)},
		{ID: "cluster-state", Title: "cluster state", Branch: diagnose.AvailabilityBranch, Signs: []*diagnose.Sign{smallFull}},
		{ID: "network-test", Title: "network", Branch: diagnose.AvailabilityBranch, Signs: []*diagnose.Sign{smallRefuses}},
		{ID: "recovery-plan", Title: "plan", Branch: diagnose.AvailabilityBranch, State: boxIs(diagnose.Found)},
		{ID: "offset-consistency", Title: "offsets", Branch: diagnose.DataBranch, Signs: []*diagnose.Sign{smallStable}},
		{ID: "repair-plan", Title: "plan", Branch: diagnose.DataBranch, State: boxIs(diagnose.Pending)},
		{ID: "apply-fix", Title: "apply", Doc: "by the operator", State: boxIs(diagnose.Pending)},
		{ID: "verify-fix", Title: "verify", Doc: "before and after", State: boxIs(diagnose.Pending)},
		{ID: "document", Title: "document", Doc: "the report", State: boxIs(diagnose.Pending)},
	},
}

func boxIs(s diagnose.State) func(*diagnose.Session, *diagnose.Verdict) diagnose.State {
	return func(*diagnose.Session, *diagnose.Verdict) diagnose.State { return s }
}
