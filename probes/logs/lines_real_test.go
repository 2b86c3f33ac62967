package logs

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// names is "cg×4 other×1", as the lines of a kind name them.
func names(l fact.LogLines) string {
	var all []string
	for _, n := range l.Names {
		all = append(all, fmt.Sprintf("%s×%d", n.Name, n.Count))
	}
	return strings.Join(all, " ")
}

// TestLinesOfRealBrokers: what the logs of real brokers hold, counted by hand
// with grep.
func TestLinesOfRealBrokers(t *testing.T) {
	for _, test := range []struct {
		file  string
		key   fact.Of[fact.LogLines]
		count int
		names string // "": not compared
	}{
		{"4.3.1/server-broker1.log", fact.LogISRLeft, 6, "3×6"},
		{"4.3.1/server-broker1.log", fact.LogISRShrunk, 6, ""},
		{"4.3.1/server-broker1.log", fact.LogInvalidReceive, 6, "http×1 tls×3 oversized×1 ssh×1"},
		{"4.3.1/server-broker1.log", fact.LogConnectionRejected, 2, "127.0.0.2×2"},
		{"4.3.1/server-broker1.log", fact.LogMemberFailed, 3, "ng×1 cg2×2"},
		{"4.3.1/server-broker1.log", fact.LogRebalances, 4, "cg2×4"},
		{"4.3.1/server-broker1.log", fact.LogRebalanceReasons, 4, "new member×2 heartbeat expired×2"},
		{"4.3.1/server-broker1.log", fact.LogTruncated, 1, "__transaction_state-1×1"},
		{"4.3.1/server-broker1.log", fact.LogTruncatedBelowHW, 0, ""},
		{"4.3.1/server-broker1.log", fact.LogPeerUnreachable, 30, "3×14 2×14 1×2"},
		{"4.3.1/server-recovery.log", fact.LogRecovery, 5, "__cluster_metadata-0×1 /var/lib/kafka/b1/data×1 torn-0×1 fb-0×1 __consumer_offsets-2×1"},
		{"4.3.1/server-recovery.log", fact.LogRecoveryTruncated, 3, "fb-0×2 torn-0×1"},
		{"4.3.1/server-recovery.log", fact.LogCorruptRecord, 0, ""}, // cut off by recovery
		{"4.3.1/server-recovery.log", fact.LogTimeIndexZero, 1, "z-0×1"},
		{"4.3.1/server-recovery.log", fact.LogRegistrationFailed, 2, "DUPLICATE_BROKER_REGISTRATION×2"},
		{"4.3.1/server.log", fact.LogMarkedFailed, 1, "__transaction_state-1×1"},
		{"4.3.1/server.log", fact.LogOlderEpoch, 1, "__transaction_state-1×1"},
		{"4.3.1/controller.log", fact.LogBecameActive, 1, ""},
		{"3.9.2/controller.log", fact.LogControllerSlow, 2, ""},
		{"3.9.2/server-broker1.log", fact.LogInvalidReceive, 6, "http×1 tls×3 oversized×1 ssh×1"},
		{"3.9.2/server-broker1.log", fact.LogFetchFailed, 8, "3×8"},
		{"3.9.2/server.log", fact.LogTimeIndexZero, 1, "codec-lz4-0×1"},
	} {
		l := scanned(fixture(t, test.file), dataDir).report().of(test.key, "")
		if l.Count != test.count || test.names != "" && sortedWords(names(l)) != sortedWords(test.names) {
			t.Errorf("%s: %s: %d lines of %q, want %d of %q", test.file, test.key.Def().Name, l.Count, names(l), test.count, test.names)
		}
	}
}

func sortedWords(text string) string {
	words := strings.Fields(text)
	for i := range words {
		for j := i + 1; j < len(words); j++ {
			if words[j] < words[i] {
				words[i], words[j] = words[j], words[i]
			}
		}
	}
	return strings.Join(words, " ")
}

// stamped is lines with a time, a second apart.
func stamped(lines ...string) []byte {
	at := time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC)
	var b strings.Builder
	for _, line := range lines {
		if !strings.HasPrefix(line, "java") && !strings.HasPrefix(line, "org.") && !strings.HasPrefix(line, "\t") {
			at = at.Add(time.Second)
			b.WriteString(at.Format(timeLayout) + " ")
		}
		b.WriteString(line + "\n")
	}
	return []byte(b.String())
}

const (
	unclean = "INFO [QuorumController id=2] UNCLEAN partition change for wallet-0 with topic ID wSFMLStZTomCuYOMR5EBHA: isr: [1] -> [2], leader: 1 -> 2, leaderRecoveryState: RECOVERED -> RECOVERING, leaderEpoch: 0 -> 1, partitionEpoch: 1 -> 2 (org.apache.kafka.controller.ReplicationControlManager)"
	create  = "INFO [QuorumController id=2] Creating new QuorumController with clusterId x (org.apache.kafka.controller.QuorumController)"
	active  = "INFO [QuorumController id=2] Becoming the active controller at epoch 4, next write offset 4018. (org.apache.kafka.controller.QuorumController)"
)

// TestUncleanElectionAndItsReplay: a controller that restarts writes the line of
// an old election again, with the time of now.
func TestUncleanElectionAndItsReplay(t *testing.T) {
	count := func(log []byte) (news, replays int) {
		r := scanned(log).report()
		return r.of(fact.LogUncleanElection, "").Count, r.of(fact.LogUncleanReplayed, "").Count
	}
	if news, replays := count(stamped(create, active, unclean)); news != 1 || replays != 0 {
		t.Errorf("election: %d new, %d replayed", news, replays)
	}
	if news, replays := count(stamped(create, active, unclean, create, unclean, active)); news != 0 || replays != 1 {
		t.Errorf("restart: %d new, %d replayed", news, replays)
	}
	if news, replays := count(stamped(create, unclean, active)); news != 0 || replays != 1 {
		t.Errorf("restart, the log of before is gone: %d new, %d replayed", news, replays)
	}
	// A standby never becomes active, and is told of elections all the same.
	late := append([]string{create}, strings.Split(strings.Repeat("INFO idle (x)\n", 11), "\n")[:11]...)
	if news, replays := count(stamped(append(late, unclean)...)); news != 1 || replays != 0 {
		t.Errorf("standby: %d new, %d replayed", news, replays)
	}
	l := scanned(stamped(active, unclean)).report().of(fact.LogUncleanElection, "")
	if names(l) != "wallet-0×1" {
		t.Errorf("names %q", names(l))
	}
}

// TestLinesOfFaults: lines as Kafka wrote them when it was broken on purpose.
func TestLinesOfFaults(t *testing.T) {
	for _, test := range []struct {
		log  []byte
		key  fact.Of[fact.LogLines]
		want string // names
		text string // part of what is shown
	}{
		{stamped("INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with /127.0.0.1 (channelId=127.0.0.1:24051-127.0.0.1:37304-5-2) (Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256) (org.apache.kafka.common.network.Selector)"),
			fact.LogAuthenticationFailed, "127.0.0.1×1", "invalid credentials"},
		{stamped("INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with host/10.0.0.7 (channelId=1-2-3) (SSL handshake failed) (org.apache.kafka.common.network.Selector)"),
			fact.LogTLSFailed, "10.0.0.7×1", "SSL handshake failed"},
		{stamped("INFO [SocketServer listenerType=BROKER, nodeId=1] Failed authentication with host/10.0.0.7 (channelId=1-2-3) (SSL handshake failed) (org.apache.kafka.common.network.Selector)"),
			fact.LogAuthenticationFailed, "", ""},
		{stamped("INFO Principal = User:bob is Denied operation = DESCRIBE from host = 127.0.0.1 on resource = Group:LITERAL:reporting for request = FindCoordinator with resourceRefCount = 1 based on rule DefaultDeny (kafka.authorizer.logger)",
			"INFO Principal = User:bob is Denied Operation = Read from host = 127.0.0.1 on resource = Group:LITERAL:reporting for request = SyncGroup with resourceRefCount = 1 (kafka.authorizer.logger)"),
			fact.LogDenied, "User:bob DESCRIBE Group:LITERAL:reporting from 127.0.0.1×1 User:bob READ Group:LITERAL:reporting from 127.0.0.1×1", "DefaultDeny"},
		{stamped("INFO [ReplicaFetcher replicaId=2, leaderId=1, fetcherId=0] Truncating partition meter-0 with TruncationState(offset=0, completed=true) due to local high watermark 0 (kafka.server.ReplicaFetcherThread)"),
			fact.LogTruncated, "", ""},
		{stamped("INFO [ReplicaFetcher replicaId=1, leaderId=2, fetcherId=0] Truncating partition wallet-1 with TruncationState(offset=252, completed=true) due to leader epoch and offset EpochEndOffset(errorCode=0, partition=1, leaderEpoch=0, endOffset=252) (kafka.server.ReplicaFetcherThread)"),
			fact.LogTruncated, "wallet-1×1", "offset=252"},
		{stamped("WARN [UnifiedLog partition=wallet-1, dir=/d/b1/data] Truncating wallet-1 to offset 252 below high watermark 654 (org.apache.kafka.storage.internals.log.UnifiedLog)"),
			fact.LogTruncatedBelowHW, "wallet-1×1", "654"},
		{stamped("ERROR [ReplicaFetcher replicaId=3, leaderId=2, fetcherId=0] Unexpected error occurred while processing data for partition archive-1 at offset 0 (kafka.server.ReplicaFetcherThread)",
			"org.apache.kafka.common.errors.RecordBatchTooLargeException: Message batch size is 2536497 bytes in append to partition archive-1, which exceeds the maximum configured segment size of 1048576."),
			fact.LogFetcherError, "archive-1×1", "RecordBatchTooLargeException"},
		{stamped("ERROR [ReplicaFetcher replicaId=3, leaderId=2, fetcherId=0] Unexpected error occurred while processing data for partition archive-1 at offset 0 (kafka.server.ReplicaFetcherThread)",
			"org.apache.kafka.common.errors.RecordBatchTooLargeException: Message batch size is 2536497 bytes in append to partition archive-1, which exceeds the maximum configured segment size of 1048576."),
			fact.LogRecordTooLarge, "archive-1×1", "2536497"},
		{stamped("ERROR Encountered fatal fault: Error starting LogManager (org.apache.kafka.server.fault.ProcessTerminatingFaultHandler)",
			"org.apache.kafka.common.KafkaException: Found directory /d/lost+found, 'lost+found' is not in the form of topic-partition or topic-partition.uniqueId-delete (if marked for deletion)."),
			fact.LogStartRefused, "foreign-directory×1", "lost+found"},
		{stamped("ERROR Encountered fatal fault: Error starting LogManager (org.apache.kafka.server.fault.ProcessTerminatingFaultHandler)",
			"org.apache.kafka.common.KafkaException: Found directory /d/lost+found, 'lost+found' is not in the form of topic-partition or topic-partition.uniqueId-delete (if marked for deletion)."),
			fact.LogFatal, "", "Found directory /d/lost+found"},
		{stamped("ERROR Exiting Kafka due to fatal exception (kafka.Kafka$)", "java.lang.RuntimeException: Invalid cluster.id in: /d/meta.properties. Expected A, but read B"),
			fact.LogStartRefused, "cluster-id×1", "read B"},
		{stamped("ERROR Error while accepting connection (kafka.network.DataPlaneAcceptor)", "java.io.IOException: Too many open files", "\tat sun.nio.ch.Net.accept(Native Method)"),
			fact.LogTooManyFiles, "accept×1", ""},
		{stamped("ERROR Encountered metadata publishing fault: Error applying topics delta in MetadataDelta up to 99 (org.apache.kafka.server.fault.LoggingFaultHandler)", "java.nio.file.FileSystemException: /d/thumbnails-13: Too many open files"),
			fact.LogMetadataFault, "", "thumbnails-13: Too many open files"},
		{stamped("ERROR [kafka-3-raft-outbound-request-thread]: Error due to (org.apache.kafka.raft.KafkaNetworkChannel$SendThread)", "java.lang.OutOfMemoryError: Java heap space"),
			fact.LogThreadDied, "kafka-3-raft-outbound-request-thread×1", "Java heap space"},
		{stamped("WARN [QuorumController id=1] Directories [AAAA] in broker 3 marked offline, remaining directories: [BBBB] (org.apache.kafka.controller.ReplicationControlManager)"),
			fact.LogDirsOffline, "3×1", ""},
		{stamped("ERROR [Broker id=3] Unable to start fetching thumbnails-13 with topic ID Some(x) due to FileSystemException (state.change.logger)"),
			fact.LogFetchNotStarted, "thumbnails-13×1", "FileSystemException"},
	} {
		l := scanned(test.log).report().of(test.key, "")
		if names(l) != test.want || !strings.Contains(l.Text, test.text) || test.text != "" && l.Count == 0 {
			t.Errorf("%s: %q, shown %q; want %q and %q", test.key.Def().Name, names(l), l.Text, test.want, test.text)
		}
	}
}

// TestShrinkTakenApart: the numbers tell a follower that has stopped from one
// that is slow.
func TestShrinkTakenApart(t *testing.T) {
	r := scanned(stamped("INFO [Partition orders-eu-1 broker=1] Shrinking ISR from 1,2,3 to 1. Leader: (highWatermark: 40, endOffset: 60). Out of sync replicas: (brokerId: 2, endOffset: 40, lastCaughtUpTimeMs: 1795399825475) (brokerId: 3, endOffset: -1, lastCaughtUpTimeMs: 0). (kafka.cluster.Partition)")).report()
	if len(r.shrinks) != 2 {
		t.Fatalf("%+v", r.shrinks)
	}
	want := fact.ISRShrink{At: r.shrinks[0].At, Partition: "orders-eu-1", HighWatermark: 40, LeaderEnd: 60, Follower: 2, FollowerEnd: 40, CaughtUp: time.UnixMilli(1795399825475).UTC()}
	if r.shrinks[0] != want {
		t.Errorf("%+v, want %+v", r.shrinks[0], want)
	}
	if s := r.shrinks[1]; s.Follower != 3 || s.FollowerEnd != -1 || !s.CaughtUp.IsZero() {
		t.Errorf("%+v", s)
	}
	if l := r.of(fact.LogISRLeft, ""); names(l) != "2×1 3×1" || l.Count != 1 {
		t.Errorf("%d lines of %s", l.Count, names(l))
	}
}

// TestManyNamesAreBounded: a scan of ports or a storm of groups costs no memory.
func TestManyNamesAreBounded(t *testing.T) {
	var lines []string
	for i := range 100 {
		lines = append(lines, fmt.Sprintf("INFO Rejected connection from /10.0.0.%d, address already has the configured maximum of 1 connections. (x)", i))
	}
	l := scanned(stamped(lines...)).report().of(fact.LogConnectionRejected, "")
	if l.Count != 100 || len(l.Names) != 32 || l.Others != 68 {
		t.Errorf("%d lines, %d names, %d others", l.Count, len(l.Names), l.Others)
	}
	sum := 0
	for _, m := range l.Minutes {
		sum += m.Count
	}
	if sum != 100 || l.Within(l.Last, time.Hour) != 100 || l.Within(l.Last, 0) >= 100 {
		t.Errorf("minutes %+v", l.Minutes)
	}
}

// Each rebalance of a group is told with its time, as a classic group tells no
// generation.
func TestRebalancesTakenApart(t *testing.T) {
	log, err := os.ReadFile("testdata/4.3.1/server-broker1.log")
	if err != nil {
		t.Fatal(err)
	}
	all := rebalancesOf([]report{scanned(log).report()})
	if len(all) != 4 || all[0] != (fact.Rebalance{At: time.Date(2026, 11, 23, 2, 24, 4, 992e6, time.UTC), Group: "cg2"}) || !all[3].At.After(all[0].At) {
		t.Errorf("%+v", all)
	}
	var many []string
	for i := range maxRebalances + 5 {
		many = append(many, fmt.Sprintf("INFO [GroupCoordinator id=1] Preparing to rebalance group g%d in state PreparingRebalance with old generation 0 (kafka)", i))
	}
	all = rebalancesOf([]report{scanned(stamped(many...)).report()})
	if len(all) != maxRebalances || all[len(all)-1].Group != fmt.Sprintf("g%d", maxRebalances+4) {
		t.Errorf("%d rebalances are kept, the last %+v", len(all), all[len(all)-1])
	}
}
