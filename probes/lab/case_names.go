package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
)

// secrets is the words of a lab's recording that is not redacted: addresses, names of
// hosts, topics, groups and users, paths, and programs of this machine.
var secrets = regexp.MustCompile(`(^|[^\w.])\d{1,3}(\.\d{1,3}){3}\b|localhost|\.invalid(:|$)|^/(tmp|root|home|usr|opt|var|etc|work|data|dev)\b|\b(orders|billing)\b|\blab\d+|\bUser:[A-Za-z]`)

// masked is how a redacted principal looks.
var masked = regexp.MustCompile(`\bUser:user-\d+`)

// Tells is the first word in a recording that should have been replaced; "": none.
func Tells(ctx context.Context, file string) (string, error) {
	r, err := record.Open(file)
	if err != nil {
		return "", err
	}
	defer r.Close()
	if h := r.Header(); !h.Redacted || h.Cluster != "" {
		return fmt.Sprintf("header %+v", h), nil
	}
	seen := map[string]bool{}
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			return "", r.Damage()
		}
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(b)
		if err != nil {
			return "", err
		}
		for word := range bytes.FieldsFuncSeq(text, between) {
			if seen[string(word)] {
				continue
			}
			seen[string(word)] = true
			if word = masked.ReplaceAll(word, nil); secrets.Match(word) {
				return string(word), nil
			}
		}
	}
}

// between says whether a character stands between words: most repeat, and are looked
// at once.
func between(r rune) bool {
	switch r {
	case ' ', '"', ',', '{', '}', '=', '(', ')', '\\', '\'':
		return true
	}
	return false
}

// Masks reads which names a redacted recording replaced, and gives what writes the
// subject of an Expect as the recording does: $LOGDIR3 is found among the brokers
// that it saw, the other names in its FILE.names.json.
func Masks(ctx context.Context, file string) (func(string) string, error) {
	text, err := os.ReadFile(file + ".names.json")
	if err != nil {
		return nil, fmt.Errorf("read what was replaced: %w", err)
	}
	names := map[string]string{}
	if err := json.Unmarshal(text, &names); err != nil {
		return nil, fmt.Errorf("%s.names.json: %w", file, err)
	}
	r, err := record.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var pairs []string
	for real, mask := range names {
		pairs = append(pairs, " "+real, " "+mask) // after the scope
	}
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, o := range b.Observations {
			brokers, _ := o.Value.([]fact.LocalBroker)
			for _, one := range brokers {
				for i, dir := range one.LogDirs[:min(2, len(one.LogDirs))] {
					pairs = append(pairs, fmt.Sprintf("$%s%d", []string{"LOGDIR", "OTHERDIR"}[i], one.NodeID), dir)
				}
			}
		}
	}
	return longestFirst(pairs).Replace, nil
}

// longestFirst replaces the longer of two names that begin alike.
func longestFirst(pairs []string) *strings.Replacer {
	var both [][]string
	for p := range slices.Chunk(pairs, 2) {
		both = append(both, p)
	}
	slices.SortFunc(both, func(x, y []string) int {
		if len(x[0]) != len(y[0]) {
			return len(y[0]) - len(x[0])
		}
		return strings.Compare(x[0], y[0])
	})
	return strings.NewReplacer(slices.Concat(both...)...)
}
