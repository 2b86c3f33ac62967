package logs

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// searched is which texts are in b, and where the first begins, -1 for none.
func searched(b string, texts []string) (in []int16, first int) {
	first = -1
	for n, text := range texts {
		if i := strings.Index(b, text); i >= 0 {
			in = append(in, int16(n))
			if first < 0 || i < first {
				first = i
			}
		}
	}
	return in, first
}

// agrees compares a finder's answers with a search for each text.
func agrees(t *testing.T, f *finder, b string, texts []string) {
	t.Helper()
	in, first := searched(b, texts)
	if got := f.find([]byte(b), 0); got != first {
		t.Fatalf("%q: a text begins at %d, want %d", b, got, first)
	}
	got := f.all([]byte(b), nil)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, in) {
		t.Fatalf("%q: found %v, want %v", b, got, in)
	}
}

func TestFinderAgreesWithSearch(t *testing.T) {
	texts := []string{"ababa", "baba", "abcc", "cabca", "xyzxy", "baba", "zzzz"}
	f := newFinder(texts)
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 50000 {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = "abcxyz"[r.IntN(6)]
		}
		agrees(t, f, string(b), texts)
		if f.find(b, 0) >= 0 {
			found++
		}
	}
	if found < 500 {
		t.Errorf("only %d of 50000 lines held a text", found)
	}
}

// TestFinderInRealLogs: the lines that the patterns are for are found in real
// logs as by a search for each of them, line by line.
func TestFinderInRealLogs(t *testing.T) {
	var texts []string
	for _, p := range patterns {
		texts = append(texts, p.text)
	}
	f := newFinder(texts)
	for _, name := range []string{"4.3.1/server-broker1.log", "3.9.2/server.log", "4.3.1/controller.log"} {
		for line := range strings.Lines(string(fixture(t, name))) {
			agrees(t, f, line, texts)
		}
	}
}

// FuzzFinder looks for texts that the input itself names, and for the known ones.
func FuzzFinder(f *testing.F) {
	f.Add("abcd,bcde,cdef", "xxabcdef")
	f.Add("aaaa,aaaaa", "aaabaaaaaa")
	f.Add("No space left on device,Map failed", "java.io.IOException: No space left on deviceMap failed")
	f.Fuzz(func(t *testing.T, list, b string) {
		texts := slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return len(s) < minText || len(s) > 100 })
		if len(texts) == 0 || len(texts) > 50 {
			t.Skip()
		}
		agrees(t, newFinder(texts), b, texts)
	})
}
