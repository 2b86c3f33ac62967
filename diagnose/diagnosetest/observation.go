package diagnosetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var reasons = []fact.Reason{
	fact.NotAskedFor, fact.NotAllowed, fact.NotSupported, fact.Absent, fact.Unreachable, fact.TimedOut,
	fact.NotYet, fact.Stale, fact.Unreadable, fact.NotObserved,
}

// observation reads "SUBJECT KEY VALUE". The name of a subject may hold blanks:
// it ends before the first word that is a key.
func observation(line string) (fact.Observation, error) {
	fields := strings.Fields(line)
	for i := 1; i < len(fields); i++ {
		key := fact.Lookup(fields[i])
		if key == nil {
			continue
		}
		subject, err := fact.ParseSubject(strings.Join(fields[:i], " "))
		if err != nil {
			return fact.Observation{}, err
		}
		if key.Scope != subject.Scope {
			return fact.Observation{}, fmt.Errorf("%s is known of a %s, not of a %s", key.Name, key.Scope, subject.Scope)
		}
		return valued(key, subject, after(line, i+1))
	}
	if _, err := fact.ParseSubject(line); err != nil {
		return fact.Observation{}, fmt.Errorf("unknown word %q", fields[0])
	}
	return fact.Observation{}, fmt.Errorf("no known key in %q", line)
}

// after is what follows the first n fields of a line.
func after(line string, n int) string {
	for range n {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		end := strings.IndexFunc(line, unicode.IsSpace)
		if end < 0 {
			return ""
		}
		line = line[end:]
	}
	return strings.TrimSpace(line)
}

func valued(key *fact.Def, subject fact.Subject, value string) (fact.Observation, error) {
	o := fact.Observation{Key: key, Subject: subject}
	if first, rest, _ := strings.Cut(value, " "); first == "unknown" {
		because, err := unknown(strings.TrimSpace(rest))
		o.Because = because
		return o, err
	}
	if value == "" || value == "null" {
		return o, fmt.Errorf("%s: expected a value or \"unknown REASON\"", key.Name)
	}
	wire, err := json.Marshal(map[string]any{"k": key.Name, "s": subject.String(), "v": json.RawMessage(value)})
	if err != nil {
		return o, fmt.Errorf("%s: %q is no number and no JSON", key.Name, value)
	}
	if err := json.Unmarshal(wire, &o); err != nil {
		return o, err
	}
	return o, strict(o.Value, value)
}

// strict refuses fields that the type of a value does not have: a misspelt one
// must not read as zero.
func strict(value any, raw string) error {
	again := reflect.New(reflect.TypeOf(value))
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(again.Interface()); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more than one value in %q", raw)
	}
	return nil
}

// unknown reads "REASON [detail]".
func unknown(text string) (*fact.Unknown, error) {
	reason, detail, _ := strings.Cut(text, " ")
	if !slices.Contains(reasons, fact.Reason(reason)) {
		return nil, fmt.Errorf("unknown reason %q, expected one of %v", reason, reasons)
	}
	return &fact.Unknown{Reason: fact.Reason(reason), Detail: strings.TrimSpace(detail)}, nil
}

// split parts a line into words; one in double quotes may hold blanks, and
// keeps its first quote so that it can be told from a bare one.
func split(line string) ([]string, error) {
	var all []string
	for {
		line = strings.TrimLeftFunc(line, unicode.IsSpace)
		if line == "" {
			return all, nil
		}
		if line[0] != '"' {
			end := strings.IndexFunc(line, unicode.IsSpace)
			if end < 0 {
				end = len(line)
			}
			all, line = append(all, line[:end]), line[end:]
			continue
		}
		prefix, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("text %s without its closing quote", line)
		}
		text, err := strconv.Unquote(prefix)
		if err != nil {
			return nil, fmt.Errorf("text %s: %w", prefix, err)
		}
		all, line = append(all, `"`+text), line[len(prefix):]
	}
}

// quotedText is the text of a word in quotes.
func quotedText(word string) (string, bool) { return strings.CutPrefix(word, `"`) }
