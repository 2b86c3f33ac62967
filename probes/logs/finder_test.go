package logs

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// agrees compares a finder's answers with a search for each text.
func agrees(t *testing.T, f *finder, b string, texts []string) {
	t.Helper()
	first := 0
	for line := range strings.Lines(b) {
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(line, text) }) {
			break
		}
		first += len(line)
	}
	switch i := f.find([]byte(b), 0); {
	case i < 0 && first < len(b):
		t.Fatalf("%q: nothing found", b)
	case i >= 0 && strings.LastIndexByte(b[:i], '\n')+1 != first:
		t.Fatalf("%q: a text found at %d, the first is in the line at %d", b, i, first)
	case i >= 0 && !slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(b[i:], text) }):
		t.Fatalf("%q: no text is at %d", b, i)
	}
	var want []int16
	for n, text := range texts {
		if strings.Contains(b, text) {
			want = append(want, int16(n))
		}
	}
	got := f.all([]byte(b), nil)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Fatalf("%q: found %v, want %v", b, got, want)
	}
}

func TestFinderAgreesWithSearch(t *testing.T) {
	texts := []string{"ababa", "baba", "abcc", "cabca", "xyzxy", "baba", "zzzz"}
	f := newFinder(texts)
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 50000 {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = "abcxyz\n"[r.IntN(7)]
		}
		agrees(t, f, string(b), texts)
		if f.find(b, 0) >= 0 {
			found++
		}
	}
	if found < 1000 {
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
	f.Add("aaaa,aaaaa", "aaab\naaaaaa")
	f.Add("No space left on device,Map failed", "java.io.IOException: No space left on deviceMap failed")
	f.Fuzz(func(t *testing.T, list, b string) {
		texts := slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return len(s) < gram || len(s) > 100 || strings.Contains(s, "\n") })
		if len(texts) == 0 || len(texts) > 50 {
			t.Skip()
		}
		agrees(t, newFinder(texts), b, texts)
	})
}
