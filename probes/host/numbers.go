package host

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// figure is a number of one of the kernel's files and the fact it is.
type figure struct {
	name  string // as the file calls it
	key   fact.Of[float64]
	scale float64 // what one unit of the file is in the key's unit
}

// keysOf is the keys of tables of figures.
func keysOf(tables ...[]figure) []fact.Key {
	var keys []fact.Key
	for _, table := range tables {
		for _, f := range table {
			keys = append(keys, f.key)
		}
	}
	return keys
}

// observe is each figure of a table on a subject. One that the file does not
// have is not supported by this kernel; with err all of them are unknown.
func observe(s fact.Subject, table []figure, file string, numbers map[string]float64, err error) []fact.Observation {
	var because *fact.Unknown
	if err != nil {
		because = probe.Because(err)
	}
	seen := make([]fact.Observation, 0, len(table))
	for _, f := range table {
		v, ok := numbers[f.name]
		switch {
		case because != nil:
			seen = append(seen, f.key.Unknown(s, because))
		case !ok:
			seen = append(seen, f.key.Unknown(s, &fact.Unknown{Reason: fact.NotSupported, Detail: "this kernel's " + file + " has no " + f.name}))
		default:
			seen = append(seen, f.key.Is(s, v*f.scale))
		}
	}
	return seen
}

// all is the keys on a subject, each unknown because …
func all(s fact.Subject, keys []fact.Key, because *fact.Unknown) []fact.Observation {
	seen := make([]fact.Observation, 0, len(keys))
	for _, k := range keys {
		o := fact.UnknownEverywhere(k, because)
		o.Subject = s
		seen = append(seen, o)
	}
	return seen
}

// ParseNumbers reads the lines of a file that begin with one of the names of a
// table and hold a number after it:
//
//	pswpin 0
//	VmSwap:	       0 kB
//	nr_throttled 132
//
// Numbers with the unit kB are returned in bytes. Lines with other names may hold
// anything; the first of two lines with one name counts.
func ParseNumbers(what string, file []byte, tables ...[]figure) (map[string]float64, error) {
	wanted := map[string]bool{}
	for _, table := range tables {
		for _, f := range table {
			wanted[f.name] = true
		}
	}
	numbers := make(map[string]float64, len(wanted))
	n := 0
	for line := range bytes.Lines(file) {
		n++
		end := bytes.IndexAny(line, ": \t")
		if end < 0 || !wanted[string(line[:end])] {
			continue
		}
		name := string(line[:end])
		words := strings.Fields(string(line[end+1:]))
		if len(words) == 0 {
			return nil, fmt.Errorf("%s, line %d: %s: expected a number", what, n, name)
		}
		v, err := strconv.ParseUint(words[0], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %s: expected a number: %q", what, n, name, words[0])
		}
		if _, twice := numbers[name]; twice {
			continue
		}
		numbers[name] = float64(v)
		if len(words) > 1 && words[1] == "kB" {
			numbers[name] *= 1024
		}
	}
	return numbers, nil
}

// ParsePairs reads a file of pairs of lines, names and then numbers, as
// /proc/net/netstat and /proc/net/snmp are:
//
//	Tcp: RtoAlgorithm RtoMin … RetransSegs
//	Tcp: 1 200 … 123
//
// Numbers are returned as "Tcp RetransSegs".
func ParsePairs(what string, file []byte) (map[string]float64, error) {
	numbers := map[string]float64{}
	var names []string
	n := 0
	for line := range bytes.Lines(file) {
		n++
		words := strings.Fields(string(line))
		if n%2 == 1 {
			names = words
			continue
		}
		if len(words) != len(names) || len(words) == 0 || words[0] != names[0] {
			return nil, fmt.Errorf("%s, line %d: expected %d numbers for the names before it, there are %d words", what, n, max(len(names)-1, 0), len(words))
		}
		group := strings.TrimSuffix(words[0], ":")
		for i, word := range words[1:] {
			v, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				u, bad := strconv.ParseUint(word, 10, 64)
				if bad != nil {
					return nil, fmt.Errorf("%s, line %d: %s: expected a number: %q", what, n, names[i+1], word)
				}
				numbers[group+" "+names[i+1]] = float64(u)
				continue
			}
			numbers[group+" "+names[i+1]] = float64(v)
		}
	}
	return numbers, nil
}

// parseNumber reads a file that holds one number.
func parseNumber(what string, file []byte) (float64, error) {
	word := string(bytes.TrimSpace(file))
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%s: expected a number: %q", what, cut(word, 40))
	}
	return v, nil
}

// cut is at most n bytes of a text.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
