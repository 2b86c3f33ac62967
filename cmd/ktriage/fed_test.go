package main

import (
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
)

// Here alone probes and signs meet: what a sign reads some probe must yield, and
// a probe that feeds neither a sign nor the header is one too many.
func TestEverySignIsFedAndEveryProbeRead(t *testing.T) {
	yields := map[*fact.Def]bool{}
	for _, p := range probes.All {
		for _, k := range p.Yields {
			yields[k.Def()] = true
		}
	}
	// What the header shows of the cluster, and no sign judges.
	read := map[*fact.Def]bool{fact.BrokerSoftware.Def(): true, fact.Groups.Def(): true}
	// What screens show beside findings, and causes of replication, transactions,
	// quotas and access will read: each belongs to a probe that nothing else reads.
	for _, k := range []fact.Key{fact.BrokerConfigs, fact.Reassigned, fact.Quotas, fact.Transactions, fact.OpenProducers, fact.ACLs, fact.Certificates,
		fact.PartitionEnds, fact.QuorumVoters, fact.ShareOffsets, fact.LeaderEpochs, fact.Batches, fact.MetricsSource} {
		read[k.Def()] = true
	}
	// The host beyond what signs judge so far, one of each probe.
	for _, k := range []fact.Key{
		fact.Load1, fact.SwapIn, fact.PressureIO, fact.ProcessReadBytes, fact.ProcessBlocked, fact.ProcessMaps, fact.CgroupFrozen, fact.Sockets, fact.TCPTimeouts,
		fact.Sysctls, fact.KernelOOMKills, fact.ProcessCrash, fact.BlockDevice,
	} {
		read[k.Def()] = true
	}
	// The JVM beyond its perf data, likewise.
	for _, k := range []fact.Key{fact.JVMFlagsSet, fact.GCRecent, fact.JVMThreadRoles} {
		read[k.Def()] = true
	}
	for _, s := range diagnose.All.Signs {
		for _, k := range slices.Concat(s.Needs, s.Uses) {
			read[k.Def()] = true
			if !yields[k.Def()] {
				t.Errorf("sign %s reads %s, which no probe yields", s.ID, k.Def().Name)
			}
		}
	}
	for _, p := range probes.All {
		if !slices.ContainsFunc(p.Yields, func(k fact.Key) bool { return read[k.Def()] }) {
			t.Errorf("nothing reads what probe %s yields", p.Name)
		}
	}
}
