package logs

import (
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// What a real line names is pointed at, a corrupt record before a failed fetcher.
func TestPoint(t *testing.T) {
	s := newScan(patterns, nil)
	s.feed([]byte("[2026-11-25 09:00:00,000] WARN Partition orders-1 marked as failed (kafka.server.ReplicaFetcherThread)\n" +
		"[2026-11-25 09:00:01,000] ERROR [ReplicaFetcher replicaId=2, leaderId=1, fetcherId=0] Found invalid messages during fetch for partition orders-3 offset 281 (kafka.server.ReplicaFetcherThread)\n" +
		"[2026-11-25 09:00:02,000] INFO [Partition pay-0 broker=1] Shrinking ISR from 1,2 to 1. (kafka.cluster.Partition)\n"))
	r := s.report()
	var seen []fact.Observation
	for k, l := range r.lines {
		seen = append(seen, fact.Observation{Key: k.key, Subject: fact.BrokerOf(2), Value: l, At: time.Now()})
	}
	var all probe.Suspects
	point(&all, seen)
	got := all.All()
	if len(got) != 2 || got[0] != (probe.Suspect{Partition: "orders-3", Why: "log line: corrupt record"}) || got[1].Partition != "orders-1" {
		t.Errorf("suspects %v, expected orders-3 before orders-1, and no more", got)
	}
}
