// Package jstat reads what jstat printed: -gc, -gcutil, -gccause, -gccapacity and
// their kin, with or without time stamps, headings once or again and again, of one
// sample or many. Columns differ between releases and are told by their headings.
package jstat

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sample is one line of numbers, with those of earlier tables that it does not
// have itself.
type Sample struct {
	Line    int                // from 1
	Seconds float64            // since the JVM began, of -t; NaN without it
	Columns map[string]float64 // as printed, by heading; what was printed as - is not there
	Missing map[string]bool    // headings of what was printed as -
	Last    string             // LGCC, the cause of the last collection; "" not told
	Now     string             // GCC, that of the collection that runs
}

const (
	maxSamples = 20000
	maxColumns = 64
)

// headings is every column of jstat's GC tables.
var headings = func() map[string]bool {
	m := map[string]bool{}
	for _, h := range strings.Fields(`Timestamp S0C S1C S0U S1U EC EU OC OU MC MU CCSC CCSU PC PU YGC YGCT FGC FGCT CGC CGCT GCT
		S0 S1 E O M CCS P LGCC GCC NGCMN NGCMX NGC OGCMN OGCMX OGC MCMN MCMX CCSMN CCSMX PGCMN PGCMX PGC TT MTT DSS S0CMX S1CMX ECMX`) {
		m[h] = true
	}
	return m
}()

// Parse reads captured output. An error names the line and what was expected.
func Parse(text []byte) ([]Sample, error) {
	var samples []Sample
	var heads []string
	known, missing := map[string]float64{}, map[string]bool{}
	for i, line := range strings.Split(string(text), "\n") {
		n := i + 1
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case isHeading(words):
			heads = words
			continue
		case heads == nil:
			return nil, fmt.Errorf("line %d: expected the headings of jstat -gc, -gcutil, -gccause or -gccapacity, such as \"S0C S1C ...\": %s", n, quote(line))
		case len(samples) == maxSamples:
			return nil, fmt.Errorf("line %d: expected at most %d samples", n, maxSamples)
		}
		s := Sample{Line: n, Seconds: math.NaN()}
		if err := s.read(heads, words, line, known, missing); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		s.Columns, s.Missing = maps.Clone(known), maps.Clone(missing)
		samples = append(samples, s)
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("line 1: expected output of jstat, found none")
	}
	return samples, nil
}

func isHeading(words []string) bool {
	return len(words) > 1 && len(words) <= maxColumns && !slices.ContainsFunc(words, func(w string) bool { return !headings[w] })
}

// read reads one line of numbers into known and missing.
func (s *Sample) read(heads, words []string, line string, known map[string]float64, missing map[string]bool) error {
	numbers := len(heads)
	if numbers > 2 && heads[numbers-2] == "LGCC" { // two texts, which hold blanks
		numbers -= 2
		if len(words) > numbers {
			s.Last, s.Now = causes(line, words, numbers)
			words = words[:numbers]
		}
	}
	if len(words) != numbers {
		return fmt.Errorf("expected %d numbers below %q, found %d: %s", numbers, strings.Join(heads, " "), len(words), quote(line))
	}
	for i, head := range heads[:numbers] {
		if words[i] == "-" || words[i] == "NaN" {
			delete(known, head)
			missing[head] = true
			continue
		}
		v, err := strconv.ParseFloat(strings.Replace(words[i], ",", ".", 1), 64)
		if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Errorf("column %s: expected a number or -: %s", head, quote(words[i]))
		}
		if head == "Timestamp" {
			s.Seconds = v
			continue
		}
		known[head] = v
		delete(missing, head)
	}
	return nil
}

// causes splits the two texts at the end of a line of -gccause: by the width of
// the first, or where only one blank is between them, at the words that jstat
// prints when nothing is collected.
func causes(line string, words []string, numbers int) (last, now string) {
	rest := line
	for _, w := range words[:numbers] {
		rest = rest[strings.Index(rest, w)+len(w):]
	}
	rest = strings.TrimSpace(rest)
	if i := strings.Index(rest, "  "); i >= 0 {
		return text(rest[:i]), text(rest[i:])
	}
	if before, ok := strings.CutSuffix(rest, " No GC"); ok {
		return text(before), "No GC"
	}
	return text(rest), ""
}

// text is words that were printed: at most 60 printable characters.
func text(s string) string {
	s = strings.TrimSpace(s)
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 60)])
}

func quote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 60 {
		s = s[:60] + "..."
	}
	return strconv.Quote(s)
}
