// Package probes schedules the probes and is the live source of batches. The
// probes themselves are in the packages below it, one file each.
package probes
