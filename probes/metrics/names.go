package metrics

import (
	"slices"
	"strings"
)

// sample is one number of an endpoint, by what Kafka calls it: rule files write
// the same thing in many ways.
type sample struct {
	kind   string            // type of the MBean, flat: "brokertopicmetrics"
	name   string            // name of the metric, flat and without unit: "messagesin"
	of     string            // "value", "count", "mean", "max", "p99", "rate1"; "" where the series does not say
	labels map[string]string // keys flat: "clientid"
	value  float64
}

// flat is a name as all rule files would write it: lower case, no separators.
func flat(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case c == '_' || c == '-' || c == '.' || c == ':':
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// processStarted is the only series that is not of Kafka's own.
const processStarted = "process_start_time_seconds"

// domains is what the names of Kafka's MBeans begin with, flat.
var domains = []string{"kafkaserver", "kafkanetwork", "kafkacontroller", "kafkalog"}

// kinds is the types of MBeans that are known, flat, and the names in each.
// What ends in "count" or "total" by itself must be here, or it is cut off.
var kinds = map[string][]string{
	"brokertopicmetrics":        {"messagesin", "bytesin", "bytesout", "bytesrejected", "replicationbytesin", "replicationbytesout", "failedproducerequests", "failedfetchrequests", "totalproducerequests", "totalfetchrequests", "producemessageconversions", "fetchmessageconversions", "invalidmessagecrcrecords"},
	"requestmetrics":            {"totaltimems", "requestqueuetimems", "localtimems", "remotetimems", "throttletimems", "responsequeuetimems", "responsesendtimems", "requests", "errors"},
	"requestchannel":            {"requestqueuesize"},
	"kafkarequesthandlerpool":   {"requesthandleravgidle", "brokerrequesthandleravgidle"},
	"socketserver":              {"networkprocessoravgidle"},
	"processor":                 {"idle"},
	"replicamanager":            {"underreplicatedpartitions", "underminisrpartitioncount", "atminisrpartitioncount", "offlinereplicacount", "isrshrinks", "isrexpands", "failedisrupdates"},
	"replicafetchermanager":     {"maxlag", "failedpartitionscount", "deadthreadcount"},
	"kafkacontroller":           {"activecontrollercount", "offlinepartitionscount"},
	"controllerstats":           {"uncleanleaderelections"},
	"logmanager":                {"offlinelogdirectorycount"},
	"logflushstats":             {"logflushrateandtimems"},
	"logcleaner":                {"deadthreadcount"},
	"logcleanermanager":         {"uncleanablepartitionscount"},
	"delayedoperationpurgatory": {"numdelayedoperations"},
	"socketservermetrics":       {"connectioncount", "connectioncreation", "failedauthentication"},
	"kafkaserver":               {"brokerstate"},
	"produce":                   {"throttletime"},
	"fetch":                     {"throttletime"},
	"request":                   {"throttletime"},
	"appinfo":                   {"starttimems"},
}

// endings is what rule files and exporters append, and what it says of the
// number; longest first where one ends in another.
var endings = []struct{ text, of string }{
	{"fifteenminuterate", "rate15"}, {"fiveminuterate", "rate5"}, {"oneminuterate", "rate1"}, {"meanrate", "rate"},
	{"999thpercentile", "p999"}, {"99thpercentile", "p99"}, {"98thpercentile", "p98"}, {"95thpercentile", "p95"}, {"75thpercentile", "p75"}, {"50thpercentile", "p50"},
	{"stddev", "stddev"}, {"mean", "mean"}, {"min", "min"}, {"max", "max"}, {"sum", "sum"},
	{"alltopics", ""}, {"count", "count"}, {"total", "count"}, {"value", "value"},
	{"persec", ""}, {"percent", ""},
}

// kindOf finds the type in a flat name of a series: the longest, as one may
// begin another. The rest is what follows it.
func kindOf(series string) (kind, rest string, ok bool) {
	for _, d := range domains {
		after, found := strings.CutPrefix(series, d)
		if !found {
			continue
		}
		for k := range kinds {
			if more, found := strings.CutPrefix(after, k); found && len(k) > len(kind) {
				kind, rest = k, more
			}
		}
		if kind != "" {
			return kind, rest, true
		}
	}
	return "", "", false
}

// nameOf takes a name apart: what is measured, and which number of it.
func nameOf(kind, text string) (name, of string, ok bool) {
	known := kinds[kind]
	if more, cut := strings.CutPrefix(text, "total"); cut && !slices.Contains(known, text) {
		// Bitnami's rules put it before what belongs to no topic.
		if name, of, ok = nameOf(kind, more); ok {
			return name, of, ok
		}
	}
	for text != "" {
		if slices.Contains(known, text) {
			return text, of, true
		}
		cut := false
		for _, e := range endings {
			if more, found := strings.CutSuffix(text, e.text); found {
				text, cut = more, true
				if of == "" {
					of = e.of
				}
				break
			}
		}
		if !cut {
			break
		}
	}
	return "", of, false
}

// known is the sample that a series is, by its name and labels; false when it
// is none that anybody reads.
func known(series string, labels map[string]string, value float64) (sample, bool) {
	if series == processStarted {
		return sample{kind: "process", name: "started", labels: labels, value: value}, true
	}
	kind, rest, ok := kindOf(flat(series))
	if !ok {
		return sample{}, false
	}
	s := sample{kind: kind, labels: labels, value: value}
	if s.name, s.of, ok = nameOf(kind, rest); !ok {
		// Without rules the name of the metric is a label.
		label, has := labels["name"]
		if !has {
			return sample{}, false
		}
		which := ""
		if rest != "" {
			if _, which, _ = nameOf(kind, rest); which == "" {
				return sample{}, false
			}
		}
		if s.name, s.of, ok = nameOf(kind, flat(label)); !ok {
			return sample{}, false
		}
		s.of = which
	}
	if q, has := labels["quantile"]; has {
		if s.of = quantiles[q]; s.of == "" {
			return sample{}, false
		}
	}
	unglue(labels)
	return s, true
}

var quantiles = map[string]string{"0.5": "p50", "0.50": "p50", "0.75": "p75", "0.95": "p95", "0.98": "p98", "0.99": "p99", "0.999": "p999"}

// unglue takes labels apart that Bitnami's rules write as one:
// request="Produce, error=NONE".
func unglue(labels map[string]string) {
	for key, value := range labels {
		first, rest, ok := strings.Cut(value, ", ")
		name, second, is := strings.Cut(rest, "=")
		if ok && is && labels[flat(name)] == "" {
			labels[key], labels[flat(name)] = first, second
			return
		}
	}
}
