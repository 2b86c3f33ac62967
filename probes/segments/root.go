package segments

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/probes/probe"
)

// identities compares the log dirs of one broker with each other.
func (s *scan) identities() {
	var first *logDir
	ids := map[string]string{}
	for _, r := range s.roots {
		d := r.dir
		if d == nil || !d.hasMeta {
			continue
		}
		if first == nil {
			first = d
		}
		switch {
		case d.id.cluster != first.id.cluster && d.id.cluster != "" && first.id.cluster != "" && d.id.node == first.id.node:
			d.whole(CheckpointBad, Critical, metaProperties, "cluster id %s, %s has %s: a broker does not start with both", d.id.cluster, first.path, first.id.cluster)
		case d.id.directory != "" && ids[d.id.directory] != "" && ids[d.id.directory] != d.path:
			d.whole(CheckpointBad, Critical, metaProperties, "directory id %s, which %s has too: one is a copy of the other", d.id.directory, ids[d.id.directory])
		}
		if d.id.directory != "" {
			ids[d.id.directory] = d.path
		}
	}
}

// root is one path that was asked for.
type root struct {
	path  string
	dir   *logDir  // nil: a partition that lies in no log dir
	judge bool     // the log dir itself is asked for
	one   *job     // a partition, instead of all there are
	first []string // directories to look into before the others
	early map[string]bool
	file  *os.File
	batch []os.DirEntry
}

// open finds out what a path is.
func (s *scan) open(ctx context.Context, path string) (*root, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := probe.Within(ctx, s.target, "stat "+path, func() (os.FileInfo, error) { return os.Stat(path) })
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		n, ok := parseFileName(filepath.Base(path))
		if !ok || n.suffix != suffixLog || n.transient != "" {
			return nil, fmt.Errorf("%s: not a segment, expected a name like %020d.log", path, 0)
		}
		return s.single(ctx, filepath.Dir(path), &n.base), nil
	}
	if IsLogDir(path) {
		return &root{path: path, dir: openLogDir(ctx, s.target, path), judge: true, first: s.First}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n, ok := parseFileName(e.Name()); ok && n.suffix == suffixLog {
			return s.single(ctx, path, nil), nil
		}
	}
	for _, e := range entries {
		if _, kind := parseDirName(e.Name()); e.IsDir() && (kind == partitionDir || kind == metadataDir) {
			return &root{path: path, dir: openLogDir(ctx, s.target, path)}, nil
		}
	}
	return nil, fmt.Errorf("%s: neither a log dir nor a partition's directory", path)
}

// single is one partition, or one segment of it.
func (s *scan) single(ctx context.Context, dir string, only *int64) *root {
	r := &root{path: dir}
	if parent := filepath.Dir(dir); IsLogDir(parent) {
		r.dir = openLogDir(ctx, s.target, parent)
	}
	partition, kind := parseDirName(filepath.Base(dir))
	if partition == "" {
		partition = filepath.Base(dir)
	}
	r.one = s.job(r.dir, dir, partition, kind)
	r.one.only = only
	return r
}

// next is the next partition of a root; nil after the last.
func (r *root) next(_ context.Context, s *scan) *job {
	if r.one != nil || r.path == "" {
		j := r.one
		r.one, r.path = nil, ""
		return j
	}
	if j := r.urgent(s); j != nil {
		return j
	}
	if r.file == nil {
		f, err := s.target.Open(r.path)
		if err != nil {
			r.dir.whole(Unreadable, Info, "", "%v", err)
			r.path = ""
			return nil
		}
		r.file = f
	}
	for {
		if len(r.batch) == 0 {
			var err error
			if r.batch, err = r.file.ReadDir(512); len(r.batch) == 0 {
				_ = err // io.EOF, or the end of what can be listed
				r.path = ""
				return nil
			}
		}
		e := r.batch[0]
		r.batch = r.batch[1:]
		if r.early[e.Name()] {
			continue
		}
		isDir := e.IsDir()
		if e.Type()&os.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(r.path, e.Name()))
			isDir = err == nil && info.IsDir()
		}
		if partition, kind, look := r.dir.entry(e.Name(), isDir, s.now); look {
			return s.job(r.dir, filepath.Join(r.path, e.Name()), partition, kind)
		}
	}
}

// urgent is the next of the partitions that come first; nil after the last.
func (r *root) urgent(s *scan) *job {
	for len(r.first) > 0 {
		name := r.first[0]
		r.first = r.first[1:]
		path := filepath.Join(r.path, name)
		if info, err := os.Stat(path); err != nil || !info.IsDir() || r.early[name] {
			continue // gone, or of another log dir
		}
		partition, kind := parseDirName(name)
		if kind != partitionDir && kind != metadataDir {
			continue
		}
		if r.early == nil {
			r.early = map[string]bool{}
		}
		r.early[name] = true
		return s.job(r.dir, path, partition, kind)
	}
	return nil
}

func (r *root) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// persistentlyNameless is the partitions that lack a partition.metadata still: a
// broker writes it right after it has made the directory. With ZooKeeper some
// versions wrote it where they led alone.
func persistentlyNameless(d *logDir) []Damage {
	if !d.id.kraft {
		return nil
	}
	return slices.DeleteFunc(d.nameless, func(m Damage) bool {
		_, now := os.Lstat(m.File)
		_, dir := os.Lstat(filepath.Dir(m.File))
		return now == nil || dir != nil
	})
}

// topicOf is the topic of a partition's name.
func topicOf(partition string) string {
	if i := strings.LastIndexByte(partition, '-'); i > 0 {
		return partition[:i]
	}
	return partition
}
