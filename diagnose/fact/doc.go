// Package fact is the vocabulary shared by the probes, which observe, and the
// diagnosis, which concludes: keys with units, subjects, observations, batches
// and the Source they come from. It is a leaf: standard library only, and it
// judges nothing.
//
// Every value is raw, as Kafka or the kernel gave it: counters, not rates;
// bytes, seconds and counts, never percentages. Every value can be unknown with
// a reason, and the reason travels to the screen.
package fact
