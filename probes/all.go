// Package probes schedules the probes and is the live source of batches. The
// probes themselves are in the packages below it, one file each.
package probes

import (
	"slices"

	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/jvm"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/logs"
	"github.com/ktriage/ktriage/probes/metrics"
	"github.com/ktriage/ktriage/probes/segments"
)

// All is every probe there is.
var All = slices.Concat(host.Probes, history.Probes, jvm.Probes, kafka.Probes, logs.Probes, metrics.Probes, segments.Probes)

// Discovery is the probe that finds the brokers of this host: the others look
// where it has found something.
var Discovery = host.Brokers
