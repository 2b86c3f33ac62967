package lab

import (
	"context"
	"fmt"
	"time"
)

// unit is what an operator fills in where the service's name is wanted.
func unit(id int) map[string]string { return map[string]string{"<unit>": fmt.Sprintf("kafka-%d", id)} }

// Fixes is every fault whose playbook is run for real.
var Fixes = []*Fix{
	{Fault: brokerCrashed, Take: []Take{{Step: "Start it", Fill: unit(2)}}},
	{Fault: brokerHung, Take: []Take{{Step: "State T"}}},
	{Fault: plannedShutdown, Take: []Take{{Step: "Ask whoever stopped it", Fill: unit(2)}}},
	{Fault: underMinISR, Within: 150 * time.Second, Take: []Take{
		{Step: "Bring the missing brokers back", Fill: unit(2)},
		{Step: "Bring the missing brokers back", Fill: unit(3)},
	}},
	{Fault: noLeader, Take: []Take{{Step: "Start one broker that may lead", Fill: unit(2)}}},
	{Fault: controllerQuorumLost, Cause: "controller-quorum-lost", Take: []Take{
		{Step: "Start the controllers", Fill: unit(controllerID)},
		{Step: "Start the controllers", Fill: unit(controllerID + 1)},
	}},
	{Fault: startRefused, Take: []Take{{
		Step: "Another cluster's or node's id", Fill: unit(2),
		Hand: "the right meta.properties comes back",
		By: func(_ context.Context, c *Cluster, _ *Toolbox) error {
			return c.Node(2).editMeta("node.id=7", "node.id=2")
		},
	}}},
	{Fault: advertisedRefused, Take: []Take{{
		Step: "Write it into the properties file", Fill: unit(2),
		Hand: "the right advertised.listeners in server.properties",
		By:   func(_ context.Context, c *Cluster, _ *Toolbox) error { return c.Node(2).Set(nil) },
	}}},
	{Fault: leaderImbalance, Take: []Take{{Step: "Elect the preferred leaders"}}},

	{Fault: diskFull, Take: []Take{
		{
			Step: "Best: enlarge the volume",
			Hand: "the tmpfs under the log dir is enlarged to 1 GiB",
			By: func(ctx context.Context, c *Cluster, t *Toolbox) error {
				_, err := t.Run(ctx, "mount -o remount,size=1g "+c.Node(3).LogDir)
				return err
			},
		},
		{Step: "A dir that failed stays offline", Fill: unit(3)},
	}},
	{Fault: inodeExhaustion, Within: 170 * time.Second, Take: []Take{
		{Step: "Delete topics that nobody needs", Fill: map[string]string{"<unneeded-topic>": "tenant-0"}},
		{Step: "Delete topics that nobody needs", Fill: map[string]string{"<unneeded-topic>": "tenant-1"}},
		{Step: "Delete topics that nobody needs", Fill: map[string]string{"<unneeded-topic>": "tenant-2"}},
		{Step: "The broker has halted", Fill: map[string]string{"<unneeded-topic>": "tenant-0"}},
		{Step: "The broker has halted", Fill: map[string]string{"<unneeded-topic>": "tenant-1"}},
		{Step: "A dir that went offline stays so", Fill: unit(3)},
	}},
	{Fault: logDirOffline, Take: []Take{{Step: "The cause was passing", Fill: unit(3)}}},
	{Fault: readOnlyFilesystem, Take: []Take{
		{Step: "Stop the broker", Fill: unit(3)},
		{Step: "Check and repair it unmounted", Fill: unit(3), Read: theDisk, Status: 1},
	}},
	{Fault: segmentCorruption, Take: []Take{{
		Step: "Another replica is sound", Fill: map[string]string{"<unit>": "kafka-3", "<topic>": "ledger", "<partition>": "0"},
	}}},
	{Fault: slowDisk, Take: []Take{
		{Step: "The disk fails", Fill: unit(3)},
		{
			Step: "A new disk is mounted", Fill: unit(3), Read: theCluster,
			Hand: "the disk is replaced by an empty one that takes no 40 ms a write",
			By: func(_ context.Context, c *Cluster, _ *Toolbox) error {
				c.Delay(0)
				return emptied(c.Node(3).LogDir)
			},
		},
	}},

	{Fault: heapExhaustion, Take: []Take{{Step: "Restart it", Fill: unit(2)}}},
	{Fault: gcPause, Take: []Take{
		{Step: "Somebody calls System.gc()", Hand: "the agent that calls it is not started again", By: nothing},
		{Step: "Options take effect with a restart", Fill: unit(2)},
	}},
	{Fault: oomKilled, Take: []Take{{
		Step: "Make room first", Fill: unit(2),
		Hand: "the limit of its memory cgroup is taken off",
		By: func(_ context.Context, c *Cluster, _ *Toolbox) error {
			return c.Node(2).loosen("memory.limit_in_bytes")
		},
	}}},
	{Fault: cpuStarved, Take: []Take{{Step: "Raise the quota", Fill: unit(2)}}},
	// The next file of its own that the broker cannot open ends it: it may be gone when
	// somebody wants to raise the limit of its process.
	{Fault: fdExhaustion, Take: []Take{{Step: "Set the limit for good", Fill: unit(2), Hand: "the unit's limit is that of the lab", By: nothing}}},
	{Fault: mmapExhaustion, Take: []Take{
		{Step: "Or take the bound off the process"},
		{Step: "A dir went offline", Fill: unit(3)},
	}},
	{Fault: packetLoss, Take: []Take{{
		Step: "Drops of the interface",
		Hand: "the link that loses packets is mended",
		By:   func(_ context.Context, c *Cluster, _ *Toolbox) error { return c.network.lose(2, 0) },
	}}},
	{Fault: brokerLinkCut, Take: []Take{{
		Step: "Mend the network",
		Hand: "the rule between brokers 1 and 2 is taken away",
		By:   func(_ context.Context, c *Cluster, _ *Toolbox) error { return c.Mend(1, 2) },
	}}},
	{Fault: brokerIsolated, Take: []Take{{
		Step: "Mend the network",
		Hand: "broker 3 is joined to the others again",
		By:   func(_ context.Context, c *Cluster, _ *Toolbox) error { return c.Rejoin(3) },
	}}},

	{Fault: replicationThrottleLeft, Take: []Take{
		{Step: "Take the rates off every broker", Fill: map[string]string{"<broker>": "1"}},
		{Step: "Take the rates off every broker", Fill: map[string]string{"<broker>": "2"}},
		{Step: "Take the rates off every broker", Fill: map[string]string{"<broker>": "3"}},
		{Step: "Take the lists off every topic", Fill: map[string]string{"<topic>": archiveTopic}},
	}},
	{Fault: minISRExceedsReplication, Take: []Take{{
		Step: "Writes are refused now", Fill: map[string]string{"<min-isr>": "1", "<topic>": walletTopic},
	}}},
	{Fault: riskyReplication, Take: []Take{
		{Step: "Switch unclean election off", Fill: map[string]string{"<unclean-topic>": readingsTopic}},
		{
			Step: "Add replicas",
			Hand: "more-replicas.json gives the one partition two more replicas",
			By: func(ctx context.Context, c *Cluster, t *Toolbox) error {
				return t.write("more-replicas.json", `{"version":1,"partitions":[{"topic":"wallet","partition":0,"replicas":[1,2,3]}]}`)
			},
		},
	}},
	{Fault: uncleanLeaderElection, Cause: "broker-crashed", Take: []Take{{Step: "Start it", Fill: unit(2)}}},

	{Fault: requestHandlerSaturation, Take: []Take{
		{Step: "One client floods it", Fill: map[string]string{"<client-id>": "storm"}},
	}},
	{Fault: quotaThrottle, Over: unheld, Take: []Take{{Step: "It is wrong: raise the quota", Fill: map[string]string{"<client-id>": loader}}}},

	{Fault: groupStopped, Over: billingKeepsUp, Take: []Take{{
		Step: "Start the application", Hand: "the application is started", By: started,
	}}},
	{Fault: slowConsumer, Over: billingKeepsUp, Take: []Take{{
		Step: "All partitions have a member", Hand: "a release that is quicker is rolled out", By: again,
	}}},
	{Fault: stalledPartition, Over: billingKeepsUp, Take: []Take{{
		Step: "Restart the member that owns them", Hand: "the member is restarted", By: again,
	}}},
	{Fault: rebalanceStorm, Over: billingKeepsUp, Take: []Take{{
		Step: "Stop the member that flaps", Hand: "the members that come and go are stopped",
		By: func(_ context.Context, c *Cluster, _ *Toolbox) error { return stopOnly[*flapper](c) },
	}}},
	{Fault: hotPartition, Over: billingKeepsUp, Take: []Take{{
		Step: "The key is one client's mistake", Hand: "the producer is mended and rolled out",
		By: func(ctx context.Context, c *Cluster, t *Toolbox) error { return hotPartition.Heal(ctx, c) },
	}}},
	{Fault: offsetRewind, Over: reportKeepsUp, Take: []Take{
		{
			Step: "It was not meant", Hand: "what sets the offsets back is stopped",
			Fill: map[string]string{"<topic>": readingsTopic, "<offset>": "900"},
			By:   func(_ context.Context, c *Cluster, _ *Toolbox) error { return stopOnly[*rewinder](c) },
		},
		{Step: "Start the members again", Hand: "a member is started", By: reportStarted},
	}},
	{Fault: offsetAboveLogEnd, Over: reportKeepsUp, Take: []Take{
		{Step: "Created anew", Fill: map[string]string{"<topic>": readingsTopic}},
		{Step: "Start the members again", Hand: "a member is started", By: reportStarted},
	}},
	{Fault: offsetBelowLogStart, Cause: "offset-below-log-start", Over: reportKeepsUp, Take: []Take{
		{Step: "Put the commit on the oldest record", Fill: map[string]string{"<topic>": readingsTopic}},
		{Step: "Start the members again", Hand: "a member is started", By: reportStarted},
	}},
	{Fault: hangingTransaction, Over: auditorsKeepUp, Take: []Take{{
		Step: "Abort what no coordinator ends", Fill: map[string]string{"<topic>": paymentsTopic, "<partition>": "0"}, Read: startOffset,
	}}},

	{Fault: authorizationDenied, Over: billingKeepsUp, Take: []Take{{
		Step: "Give what it lacks", Fill: map[string]string{"<user>": appUser, "<topic>": ordersTopic, "<group>": billingGroup},
	}}},
	{Fault: authenticationFailed, Over: billingKeepsUp, Take: []Take{{
		Step: "Give the SCRAM user its password anew", Fill: map[string]string{"<user>": appUser},
		Hand: "new-password.properties is written",
		By: func(_ context.Context, _ *Cluster, t *Toolbox) error {
			return t.write("new-password.properties", "SCRAM-SHA-256=iterations=8192,password="+appPassword+"\n")
		},
	}}},
	{Fault: certificateExpired, Over: billingKeepsUp, Take: []Take{{
		Step: "Put the new certificate into the store", Hand: "the new certificate is put into the store",
		Fill: map[string]string{"<listener>": "tls"}, Read: theStore,
		By: func(_ context.Context, c *Cluster, _ *Toolbox) error {
			return c.writeStore(c.Node(2), time.Now().AddDate(0, 6, 0))
		},
	}}},
	{Fault: securityProtocolMismatch, Over: billingKeepsUp, Take: []Take{{
		Step: "Set `security.protocol`", Hand: "the client gets the settings of the listener and is restarted", By: again,
	}}},
}
