package segments

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// total is how much there is to read, for the progress.
type total struct {
	partitions int
	bytes      int64
	known      bool
}

// count counts what is to be read, beside the reading.
func (s *scan) count(ctx context.Context) {
	s.mu.Lock()
	var dirs []string
	for _, r := range s.roots {
		if r.one != nil {
			s.total.partitions++
			s.total.bytes += sizeOf(r.one.dir)
		} else {
			dirs = append(dirs, r.path)
		}
	}
	s.mu.Unlock()
	for _, dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		for ctx.Err() == nil {
			entries, err := f.ReadDir(256)
			if len(entries) == 0 || err != nil {
				break
			}
			partitions, bytes := 0, int64(0)
			for _, e := range entries {
				if _, kind := parseDirName(e.Name()); e.IsDir() && (kind == partitionDir || kind == metadataDir || kind == futureDir) {
					partitions++
					bytes += sizeOf(filepath.Join(dir, e.Name()))
				}
			}
			s.mu.Lock()
			s.total.partitions += partitions
			s.total.bytes += bytes
			s.mu.Unlock()
		}
		f.Close()
	}
	s.mu.Lock()
	s.total.known = true
	s.mu.Unlock()
}

// sizeOf is the size of the segments of a partition.
func sizeOf(dir string) (bytes int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), suffixLog) {
			bytes += info.Size()
		}
	}
	return bytes
}
