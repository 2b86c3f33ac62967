package logs

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestMembersThatPollTooLate: the client's reason stands in the line of the member in
// every version, and up to 3.x once more in that of the rebalance.
func TestMembersThatPollTooLate(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started,
		"INFO [GroupCoordinator id=3 topic=__consumer_offsets partition=0] [Group thumbnailer] Member consumer-6ffe4b28 has left group through explicit `LeaveGroup` request; client reason: consumer poll timeout has expired. (org.apache.kafka.coordinator.group.GroupMetadataManager)",
		"INFO [GroupCoordinator 1]: Preparing to rebalance group billing in state PreparingRebalance with old generation 4 (__consumer_offsets-9) (reason: Removing member consumer-1 on LeaveGroup; client reason: consumer poll timeout has expired.) (kafka.coordinator.group.GroupCoordinator)",
		"INFO [GroupCoordinator 1]: Member MemberMetadata(memberId=consumer-1, clientId=c) has left group billing through explicit `LeaveGroup` request; client reason: consumer poll timeout has expired. (kafka.coordinator.group.GroupCoordinator)",
		"INFO [GroupCoordinator id=3 topic=__consumer_offsets partition=0] [Group thumbnailer] Member consumer-70 has left group through explicit `LeaveGroup` request; client reason: the consumer is being closed (org.apache.kafka.coordinator.group.GroupMetadataManager)",
	)
	wantNames(t, p, "log.poll-expired on broker 1", "thumbnailer", "billing")
}

// TestChangesOfISRsThatWereNotTaken, as a broker with ZooKeeper wrote in 2016 and later,
// and as one with KRaft does.
func TestChangesOfISRsThatWereNotTaken(t *testing.T) {
	p := newPlace(t, 1)
	p.write("b1/server.log", begins, started,
		"INFO Partition [topicold,24] on broker 1: Shrinking ISR for partition [topicold,24] from 1,0,2 to 1 (kafka.cluster.Partition)",
		"INFO Partition [topicold,24] on broker 1: Cached zkVersion [0] not equal to that in zookeeper, skip updating ISR (kafka.cluster.Partition)",
		"INFO [Partition wallet-0 broker=1] Cached zkVersion 0 not equal to that in zookeeper, skip updating ISR (kafka.cluster.Partition)",
		"WARN [Partition orders-3 broker=1] Failed to update ISR to PendingShrinkIsr(newInSyncReplicaIds=[1, 2]) due to unexpected UNKNOWN_SERVER_ERROR. Retrying. (kafka.cluster.Partition)",
	)
	wantNames(t, p, "log.isr-update-failed on broker 1", "topicold-24", "wallet-0", "orders-3")
}

// wantNames wants one line of a kind for each name, and no other.
func wantNames(t *testing.T, p *place, about string, want ...string) {
	t.Helper()
	lines, ok := p.look()[about].Value.(fact.LogLines)
	if !ok || lines.Count != len(want) || len(lines.Names) != len(want) {
		t.Fatalf("%s: %+v, want %v", about, lines, want)
	}
	for i, n := range lines.Names {
		if n.Name != want[i] || n.Count != 1 {
			t.Errorf("%s: %q × %d, want %q once", about, n.Name, n.Count, want[i])
		}
	}
}
