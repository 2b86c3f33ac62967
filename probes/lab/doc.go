// Package lab runs a real Apache Kafka on this machine for tests, and breaks
// it: three brokers in KRaft mode, started as an installation starts them, with
// clients of their own, and a list of faults.
//
// A fault (see Fault) says how to inject it, how to know without ktriage that
// it bit, how to heal it, and which causes must and must not be named.
//
// Nothing survives the process that owns a cluster: every child carries a
// parent-death signal, and what the kernel does not take down with it (mounts,
// directories) stands in a state file that the next start or Sweep clears.
//
// The package is never linked into ktriage.
package lab
