package tui

import (
	"fmt"
	"strings"
	"testing"
)

func timelineOf(t testing.TB, change func(*Options)) Model {
	t.Helper()
	return afterCase(t, "testdata/timeline.case", Options{Catalogue: sheetCatalogue(), Title: "on broker 2 (pid 4711)", Replay: true, NoColor: true}, change)
}

func TestGoldenTimeline(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
	}{
		{"timeline", []string{"H"}},
		{"timeline-in-order", []string{"H", "s"}},
		{"timeline-found", []string{"H", "F"}},
		{"timeline-folded", []string{"H", "/", "l", "e", "a", "d", "e", "r", " ", "o", "f", " ", "3", "enter", "enter"}},
	} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {120, 40}} {
			name := fmt.Sprintf("sheet-%s-%dx%d", c.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				got := keys(t, timelineOf(t, func(o *Options) { o.Width, o.Height = size[0], size[1] }), c.keys...).View()
				mustFit(t, got, size[0], size[1])
				golden(t, name, got)
			})
		}
	}
}

// A step back shows what was known then: the leader had not gone yet.
func TestTimelineStepsBack(t *testing.T) {
	m := keys(t, timelineOf(t, nil), "H")
	if now := m.View(); !strings.Contains(now, "ended: partitions have no leader") || !strings.Contains(now, "broker 1 asked to shut down") {
		t.Errorf("now:\n%s", now)
	}
	if then := keys(t, m, "[", "[").View(); strings.Contains(then, "no leader") || !strings.Contains(then, "broker 1 asked to shut down") {
		t.Errorf("at first:\n%s", then)
	}
}

// TestTimelineBeforeTheFirstBatch: a line shows how the cluster stood at its
// moment, hours before anyone looked.
func TestTimelineBeforeTheFirstBatch(t *testing.T) {
	m := keys(t, timelineOf(t, func(o *Options) { o.Width, o.Height = 120, 40 }), "H", "s") // the oldest first
	if one := keys(t, m, "enter").View(); !strings.Contains(one, "then: 3 brokers live, 0 fenced; 0 without leader, 0 under-replicated") {
		t.Errorf("the oldest change:\n%s", one)
	}
	if one := keys(t, m, "j", "enter").View(); !strings.Contains(one, "14 under-replicated") {
		t.Errorf("the shutdown:\n%s", one)
	}
	then := keys(t, m, "[", "[", "[")
	shows(t, then, "then: 00:50:01, from the recording", "THEN  2 brokers live, 1 fenced; 1 without leader, 14 under-replicated", "▸ ✗ 00:50:01", "ended: partitions have no leader")
	shows(t, keys(t, then, "5"), "is not known. On a node")
	shows(t, keys(t, then, "T"), "not known of 00:50:01")
	shows(t, keys(t, then, "[", "[", "[", "[", "["), "no earlier change is told here")
	shows(t, keys(t, then, "t", "enter"), "then: 00:50:01")
	shows(t, keys(t, m, "t", "1", "8", ":", "0", "0", "enter"), "not known: the recording tells nothing of 2026-02-28 18:00:00")
}
