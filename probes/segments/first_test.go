package segments

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestFirst: the partitions that are named come first, in that order, and every
// one comes once; names that are gone or of nobody do not matter.
func TestFirst(t *testing.T) {
	dir := soundDir(t)
	first := []string{"txn-log-0", "gone-7", "../log-dir", "codec-zstd-0", "txn-log-0", "codec-gzip-0"}
	var order []string
	o := Options{Workers: 1, First: first, Finished: func(s Segment, _ bool) {
		if p := filepath.Base(filepath.Dir(s.File)); len(order) == 0 || order[len(order)-1] != p {
			order = append(order, p)
		}
	}}
	r := mustScan(t, o, dir)
	if len(order) != 10 || !slices.Equal(order[:3], []string{"txn-log-0", "codec-zstd-0", "codec-gzip-0"}) || r.Summary.Partitions != 10 {
		t.Errorf("%d partitions, in the order %v", r.Summary.Partitions, order)
	}
}

// TestCutShort: a deadline that lets only a few segments through lets those through
// that were chosen first, wherever their directory stands.
func TestCutShort(t *testing.T) {
	dir := soundDir(t)
	for _, first := range []string{"txn-log-0", "codec-zstd-0", "appendtime-0"} {
		read := map[string]bool{}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		o := Options{Workers: 1, First: []string{first}, Finished: func(s Segment, _ bool) {
			read[filepath.Base(filepath.Dir(s.File))] = true
			cancel()
		}}
		r, err := Scan(ctx, target(), []string{dir}, o)
		if err == nil || r.Done || len(read) != 1 || !read[first] {
			t.Errorf("%s first: read %v, error %v", first, read, err)
		}
	}
}
