package jvm

import (
	"bytes"
	"runtime"
	"strconv"
	"strings"
)

// Roles of a broker's threads.
const (
	handler   = "request-handler"
	network   = "network" // processors and acceptors
	dataPlane = "request-handler-or-network"
	noRole    = "other"
)

// roles is by the beginning of a thread's name. The kernel keeps 15 characters of
// it, so that data-plane-kafka-request-handler-0 and data-plane-kafka-network-thread-1
// look alike; see waitsInPoll.
var roles = []struct{ prefix, role string }{
	{"data-plane-kafk", dataPlane}, {"control-plane-k", dataPlane},
	{"kafka-request-h", handler}, {"kafka-network-t", network}, {"kafka-socket-ac", network},
	{"ReplicaFetcherT", "replica-fetcher"}, {"ReplicaAlterLog", "log-dir-mover"},
	{"kafka-log-clean", "log-cleaner"},
	{"kafka-scheduler", "scheduler"}, {"ExpirationReape", "purgatory"}, {"executor-", "purgatory"},
	{"group-coordinat", "coordinator"}, {"group-metadata-", "coordinator"}, {"TxnMarkerSender", "coordinator"}, {"transaction-log", "coordinator"}, {"share-coordinat", "coordinator"}, {"persister-state", "coordinator"}, {"PersisterStateM", "coordinator"}, {"AddPartitionsTo", "coordinator"},
	{"quorum-controll", "controller"}, {"controller-even", "controller"}, {"Controller-", "controller"},
	{"broker-", "broker-lifecycle"}, {"BrokerToControl", "broker-lifecycle"}, {"LogDirFailureHa", "broker-lifecycle"}, {"kafka-", "raft"}, {"raft-", "raft"},
	{"RMI ", "jmx"}, {"JMX ", "jmx"},
	{"GC Thread#", "gc"}, {"G1 ", "gc"}, {"ParGC Thread", "gc"}, {"Gang worker", "gc"}, {"Concurrent Mark", "gc"}, {"CMS ", "gc"},
	{"ZDriver", "gc"}, {"ZWorker", "gc"}, {"ZDirector", "gc"}, {"ZStat", "gc"}, {"ZUncommitter", "gc"}, {"ZUnmapper", "gc"}, {"RuntimeWorker", "gc"}, {"XDriver", "gc"}, {"XWorker", "gc"},
	{"Shenandoah", "gc"},
	{"VM Thread", "vm"}, // stops the world, and collects for the serial collector
	{"C1 CompilerThre", "jit"}, {"C2 CompilerThre", "jit"},
}

func roleOf(comm string) string {
	for _, r := range roles {
		if strings.HasPrefix(comm, r.prefix) {
			return r.role
		}
	}
	return noRole
}

// commOf is the name in the parentheses of a stat line, which may hold others.
func commOf(stat []byte) string {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin {
		return ""
	}
	return string(stat[begin+1 : end])
}

// polls is the numbers of epoll_wait, epoll_pwait and epoll_pwait2, futexes that
// of futex, by architecture.
var (
	polls   = map[string][]int{"amd64": {232, 281, 441}, "arm64": {22, 441}}[runtime.GOARCH]
	futexes = map[string]int{"amd64": 202, "arm64": 98}[runtime.GOARCH]
)

// planeRole tells a thread of the data plane by the system call it waits in, as
// /proc/PID/task/TID/syscall tells without stopping it: those of the network wait
// in a selector, handlers for the request queue. "" where it tells neither.
//
//	232 0x5a 0x7f… …
func planeRole(syscall []byte) string {
	word, _, _ := bytes.Cut(syscall, []byte(" "))
	n, err := strconv.Atoi(string(bytes.TrimSpace(word)))
	if err != nil { // "running"
		return ""
	}
	for _, p := range polls {
		if n == p {
			return network
		}
	}
	if n == futexes && n != 0 {
		return handler
	}
	return ""
}
