package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var brokerCrashed = &Cause{
	ID: "broker-crashed", Title: "broker crashed", Fault: brokerDown, Severity: Critical, On: fact.Broker, Prior: 0.02,
	Doc: "The broker's process ended without being asked to: killed, out of memory, halted, or its host went down.",
	Signs: []Link{
		{Sign: processGone, Strength: Always, Decisive: true},
		{Sign: portRefuses, Strength: Always},
		{Sign: brokerNotLive, Strength: Always},
		{Sign: leftISR, Strength: Often, Follows: true},
		{Sign: fatalLogged, Strength: Sometimes},
		{Sign: jvmCrashReported, Strength: Sometimes},
		{Sign: recoversLogs, Strength: Sometimes, Decisive: true},
	},
	RulesOut: []*Sign{shutdownLogged, answersKafka},
	Leads:    []*Cause{underMinISR, controllerQuorumLost, producerRetries},
	Says: func(s fact.Subject, yes []SignState) string {
		if back := find(yes, recoversLogs); back != nil {
			return fmt.Sprintf("broker %s was down and is coming back: %s", s.Name, back.Text)
		}
		return fmt.Sprintf("broker %s is down: %s", s.Name, gist(yes, jvmCrashReported, processGone, portRefuses, brokerNotLive))
	},
}

var brokerHung = &Cause{
	ID: "broker-hung", Title: "broker hangs", Fault: brokerDown, Severity: Critical, On: fact.Broker, Prior: 0.01,
	Doc: "The broker's process is there and does nothing: stopped, frozen, or stuck. The kernel still accepts connections for it.",
	Signs: []Link{
		{Sign: processStopped, Strength: Often, Decisive: true, Must: true},
		{Sign: acceptsSilently, Strength: Always},
		{Sign: brokerNotLive, Strength: Sometimes}, // not before its session times out
		{Sign: leftISR, Strength: Sometimes, Follows: true},
	},
	RulesOut: []*Sign{answersKafka},
	Leads:    []*Cause{underMinISR, producerRetries},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s hangs: %s", s.Name, gist(yes, processStopped, acceptsSilently))
	},
}

var plannedShutdown = &Cause{
	ID: "planned-shutdown", Title: "shut down on purpose", Fault: brokerDown, Severity: Info, On: fact.Broker, Prior: 0.004, Context: true,
	Doc: "The broker was told to stop and stopped in order: maintenance, a rolling restart. Context, not a fault.",
	Signs: []Link{
		{Sign: shutdownLogged, Strength: Always, Decisive: true},
		{Sign: brokerNotLive, Strength: Always},
		{Sign: portRefuses, Strength: Always},
		{Sign: processGone, Strength: Often},
		{Sign: leftISR, Strength: Often, Follows: true},
	},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s was shut down on purpose: %s", s.Name, gist(yes, shutdownLogged))
	},
}

var underMinISR = &Cause{
	ID: "under-min-isr", Title: "partitions under min ISR", Fault: partitionUnavailable, Severity: Critical, On: fact.Cluster, Prior: 0.01,
	Doc: "Partitions have fewer replicas in sync than min.insync.replicas: producers with acks=all get NotEnoughReplicas.",
	Signs: []Link{
		{Sign: partitionsUnderMinISR, Strength: Always, Decisive: true, Must: true},
		{Sign: underReplicated, Strength: Always},
		{Sign: notEnoughReplicasLogged, Strength: Often},
	},
	Leads: []*Cause{noLeader, rebalanceStorm, groupStopped}, // of the groups that commit there
	Says: func(_ fact.Subject, yes []SignState) string {
		text := gist(yes, partitionsUnderMinISR)
		if who := blamed(yes, partitionsUnderMinISR); who != "" {
			text += "; missing: " + who
		}
		return text
	},
}

var noLeader = &Cause{
	ID: "no-leader", Title: "partitions without a leader", Fault: partitionUnavailable, Severity: Critical, On: fact.Cluster, Prior: 0.005,
	Doc: "Partitions have no leader, because every replica that may lead is on a broker that is down or in a dir that is offline.",
	Signs: []Link{
		{Sign: partitionsWithoutLeader, Strength: Always, Must: true},
		{Sign: inSyncReplicasLost, Strength: Always, Decisive: true},
		{Sign: mustReturn, Strength: Sometimes},
	},
	Leads: []*Cause{rebalanceStorm, groupStopped}, // of the groups that commit there
	Says: func(_ fact.Subject, yes []SignState) string {
		return gist(yes, partitionsWithoutLeader, mustReturn, inSyncReplicasLost)
	},
}

var diskFull = &Cause{
	ID: "disk-full", Title: "disk full", Fault: diskFailure, Severity: Critical, On: fact.LogDir, Prior: 0.01,
	Doc: "The file system under a log dir has no room. At the first write that fails the broker takes the dir offline until it is restarted; with its only dir it halts.",
	Signs: []Link{
		{Sign: dirNearlyFull, Strength: Always},
		{Sign: dirFull, Strength: Sometimes, Decisive: true},
		{Sign: noSpaceLogged, Strength: Sometimes, Decisive: true},
	},
	RulesOut: []*Sign{inodesShort}, // ENOSPC with bytes free
	Leads:    []*Cause{logDirOffline},
	Weigh: func(yes []SignState) Severity {
		if find(yes, dirFull) != nil || find(yes, noSpaceLogged) != nil {
			return Critical
		}
		if near := find(yes, dirNearlyFull); near != nil && near.Value >= dirMajor {
			return Major
		}
		return Minor
	},
	Says: func(s fact.Subject, yes []SignState) string {
		word := "fills up"
		if find(yes, dirFull) != nil || find(yes, noSpaceLogged) != nil {
			word = "is full"
		}
		return fmt.Sprintf("the disk of log dir %s %s: %s", s.Name, word, gist(yes, dirNearlyFull, noSpaceLogged))
	},
}

var logDirOffline = &Cause{
	ID: "log-dir-offline", Title: "log dir offline", Fault: diskFailure, Severity: Critical, On: fact.LogDir, Prior: 0.01,
	Doc: "The broker met an I/O error in a log dir and serves nothing from it until it is restarted.",
	Signs: []Link{
		{Sign: dirReportedOffline, Strength: Often, Decisive: true},
		{Sign: dirIOErrorLogged, Strength: Often, Decisive: true},
		{Sign: mountShutDown, Strength: Sometimes, Decisive: true},
		{Sign: dirFailedLogged, Strength: Always},
		{Sign: allDirsFailed, Strength: Sometimes},
	},
	RulesOut: []*Sign{dirOtherErrorLogged, readOnlyMount},
	Leads:    []*Cause{underMinISR, noLeader, brokerCrashed},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("log dir %s is offline: %s", s.Name, gist(yes, mountShutDown, dirIOErrorLogged, dirReportedOffline, dirFailedLogged))
	},
}

var noneOfThese = &Cause{
	ID: "none-of-these", Title: "none of these", Fault: unexplained, Branch: AvailabilityBranch, Severity: Major, Prior: 0.02,
	Doc: "Something is wrong and nothing in the catalogue explains it.",
	Says: func(s fact.Subject, yes []SignState) string {
		return "nothing in the catalogue explains what is seen of " + s.String() + ": " + gistOf(yes)
	},
}
