package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ktriage/ktriage/probes/record"
)

// looking is how long one look of the probes lasts: some rounds of the quick ones.
const looking = 11 * time.Second

// Look runs `ktriage record` on a cluster for some seconds and returns what it saw.
func (k *Ktriage) Look(ctx context.Context, c *Cluster, args ...string) (*Seen, error) {
	dir, err := os.MkdirTemp("", "look")
	if err != nil {
		return nil, fmt.Errorf("look with ktriage record: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "look.ktr")
	if err := k.record(ctx, c, file, 2*looking+20*time.Second, append([]string{"--for", looking.String()}, args...)...); err != nil {
		return nil, err
	}
	return ReadSeen(ctx, file)
}

// Record keeps what one check of a cluster sees in a file, redacted.
func (k *Ktriage) Record(ctx context.Context, c *Cluster, file string, args ...string) error {
	for _, old := range []string{file, file + ".names.json"} { // a recording is never written over
		if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("replace a recording: %w", err)
		}
	}
	return k.record(ctx, c, file, time.Minute, append([]string{"--check", "--redact"}, args...)...)
}

// record runs `ktriage record`; most is how long it may take.
func (k *Ktriage) record(ctx context.Context, c *Cluster, file string, most time.Duration, args ...string) error {
	line := append(slices.Clone(k.Through), k.Path, "record", "--bootstrap-server", strings.Join(c.Bootstrap(), ","))
	for _, a := range slices.Concat(k.Args, args) {
		line = append(line, c.expand(a))
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	line = append(line, file)
	if out, err := run(exec.CommandContext(ctx, line[0], line[1:]...)); err != nil {
		return fmt.Errorf("look with ktriage record: %w: %s", err, lastLines(out, 5))
	}
	return nil
}

// ReadSeen reads a recording.
func ReadSeen(ctx context.Context, file string) (*Seen, error) {
	r, err := record.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", err)
	}
	defer r.Close()
	s := &Seen{}
	for {
		b, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			s.sort()
			return s, r.Damage()
		}
		if err != nil {
			return nil, fmt.Errorf("read what was seen: %w", err)
		}
		for _, o := range b.Observations {
			if err := s.take(o, b.At); err != nil {
				return nil, err
			}
		}
	}
}

func (s *Seen) sort() {
	s.places = slices.SortedFunc(maps.Keys(s.texts), place.compare)
}
