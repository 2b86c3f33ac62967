package metrics

import (
	"bytes"
	"fmt"
	"math"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// parseText reads the Prometheus text format. Of an endpoint with tens of
// thousands of series only those that are known are parsed; the others count.
func parseText(body []byte) ([]sample, error) {
	if trimmed := bytes.TrimLeft(body, " \t\r\n\ufeff"); len(trimmed) == 0 || trimmed[0] == '<' || trimmed[0] == '{' {
		return nil, notMetrics(trimmed)
	}
	kept, lines := sift(body)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(kept))
	if err != nil {
		return nil, probe.Fail(fact.Unreadable, "not the Prometheus text format: "+err.Error(), "")
	}
	var all []sample
	for name, family := range families {
		for _, m := range family.Metric {
			if s, ok := known(name, labelsOf(m), m.GetUntyped().GetValue()); ok && !math.IsNaN(s.value) && !math.IsInf(s.value, 0) {
				all = append(all, s)
			} else if ok && s.name == "throttletime" {
				s.value = -1 // never throttled: the client is known all the same
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return nil, probe.Fail(fact.Unreadable, fmt.Sprintf("no metric of a Kafka broker in %d lines", lines), "the endpoint of a broker, not of a client or of Prometheus itself")
	}
	return all, nil
}

// notMetrics says what an answer is that is no metrics.
func notMetrics(begin []byte) error {
	what := "an empty answer"
	switch {
	case len(begin) > 0 && begin[0] == '<':
		what = "a web page"
	case len(begin) > 0:
		what = "JSON"
	}
	return probe.Fail(fact.Unreadable, what+" where the Prometheus text format was expected", "an address that ends in /metrics, or in /jolokia")
}

// sift blanks the lines that nobody reads, so that the others keep their
// numbers. Types are left out too: rule files give them as they please, and the
// names of the series tell all that they do.
func sift(body []byte) (kept []byte, lines int) {
	kept = make([]byte, 0, len(body)/4)
	for len(body) > 0 {
		line, rest, ended := bytes.Cut(body, []byte("\n"))
		body = rest
		lines++
		if wanted(line) {
			kept = append(kept, line...)
		}
		if ended || wanted(line) {
			kept = append(kept, '\n')
		}
	}
	return kept, lines
}

// wanted says whether a line is a sample of a known type, or started.
func wanted(line []byte) bool {
	if len(line) == 0 || line[0] == '#' {
		return false
	}
	end := bytes.IndexAny(line, "{ \t")
	if end < 0 {
		return true // no sample at all: let the parser say so
	}
	name := string(line[:end])
	if name == processStarted {
		return true
	}
	_, _, ok := kindOf(flat(name))
	return ok
}

// labelsOf is the labels of a sample by flat name; quotes of ObjectNames within
// the values are taken off.
func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.Label)+1)
	for _, l := range m.Label {
		labels[flat(l.GetName())] = unquote(l.GetValue())
	}
	return labels
}

func unquote(value string) string {
	if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
		return value[1 : n-1]
	}
	return value
}
