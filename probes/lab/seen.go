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
	line := append([]string{"record", "--for", looking.String(), "--bootstrap-server", strings.Join(c.Bootstrap(), ",")}, k.Args...)
	for _, a := range args {
		line = append(line, c.expand(a))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*looking+20*time.Second)
	defer cancel()
	if out, err := run(exec.CommandContext(ctx, k.Path, append(line, file)...)); err != nil {
		return nil, fmt.Errorf("look with ktriage record: %w: %s", err, lastLines(out, 5))
	}
	return ReadSeen(ctx, file)
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
