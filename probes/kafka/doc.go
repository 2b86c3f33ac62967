// Package kafka asks brokers what Kafka's own protocol tells, and changes
// nothing.
//
// Every broker is asked on a connection of its own and has a deadline of its
// own, so that one that hangs costs only its own facts. A request never hops to
// another broker, and no answer comes from a cache; moved.go is the one exception.
// The layers, from the wire up:
//
//	guard/      lets only requests through that cannot change anything
//	security.go what the operator's client properties say of TLS and SASL
//	store.go    key and trust stores: jks.go, pkcs12.go, pem.go, pkcs8.go
//	provider.go ${env:…} and ${file:…} in settings
//	oauth.go    bearer tokens, gssapi.go Kerberos tickets
//	adopt.go    settings of this host's broker where the operator gives none
//	explain.go  a failed handshake in an operator's words
//	secrets.go  what must appear in no output
//	dial.go     a guarded connection, and at which step one failed
//	link.go     one connection: requests and answers, one at a time
//	roster.go   which brokers there are, by which addresses
//	survey.go   tries every address
//	identify.go which brokers those that answer know, and which one they are
//	settle.go   folds addresses into brokers
//	ask.go      one broker, each broker, any broker
//	electors.go which controllers there are
//	ends.go     where logs begin and end, asked of the leaders of partitions
//	moved.go    and once more where a partition has just got another leader
//
// and then one file a probe.
//
// # Not obvious
//
// Brokers are found again at every survey: an address given by the operator is
// "broker host:port" only until its node id is known. A broker that died keeps
// the address that others once told.
//
// ListGroups answers with the groups that the broker coordinates, so that a
// coordinator need never be looked up (FindCoordinator creates the internal
// topic where it is missing).
//
// After a request was denied it is not sent to that broker again for five
// minutes: a probe does not flood the authorizer's log.
package kafka
