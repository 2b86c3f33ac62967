package tui

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

// segmentsHost is the console after testdata/segments.case, with the catalogue
// that ships.
func segmentsHost(t testing.TB, change func(*Options)) Model {
	t.Helper()
	return afterCase(t, "testdata/segments.case", Options{Catalogue: &diagnose.Catalogue{Signs: segmentSigns(), Boxes: integrityBox()}, Title: "on broker 3 (pid 4711)", Replay: true, NoColor: true}, change)
}

// segmentSigns are the signs of the catalogue that speak of log dirs' files.
func segmentSigns() (all []*diagnose.Sign) {
	for _, s := range diagnose.All.Signs {
		if slices.Contains([]string{"segment-damaged", "checkpoint-damaged", "damage-ahead-of-readers", "damage-without-copy"}, s.ID) {
			all = append(all, s)
		}
	}
	return all
}

func integrityBox() []*diagnose.Box {
	return []*diagnose.Box{{ID: "message-integrity", Title: "messages", Branch: diagnose.DataBranch, Doc: "log segments on disk", Signs: segmentSigns()}}
}

func TestGoldenSegments(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
	}{
		{"segments", []string{"I"}},
		{"segments-damage", []string{"I", "j", "j"}},
		{"segments-line", []string{"I", "j", "j", "enter"}},
		{"segments-flow", nil},
	} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {200, 50}} {
			name := fmt.Sprintf("sheet-%s-%dx%d", c.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				m := segmentsHost(t, func(o *Options) { o.Width, o.Height = size[0], size[1] })
				got := keys(t, m, c.keys...).View()
				mustFit(t, got, size[0], size[1])
				golden(t, name, got)
			})
		}
	}
}

// TestScanKeys: S starts, x stops, and esc stops before it leaves; a recording
// says that there is nothing to verify.
func TestScanKeys(t *testing.T) {
	var said []bool
	m := segmentsHost(t, func(o *Options) { o.Scan = func(start bool) { said = append(said, start) } })
	m = keys(t, m, "I", "S", "x", "esc")
	if !slices.Equal(said, []bool{true, false, false}) || m.view != segmentsView {
		t.Errorf("S, x and esc asked for %v and lead to %s", said, viewNames[m.view])
	}
	replay := keys(t, segmentsHost(t, nil), "I", "S")
	if !strings.Contains(replay.message, "recording") {
		t.Errorf("S in a recording: %q", replay.message)
	}
	if back := keys(t, replay, "esc"); back.view != flowView {
		t.Errorf("esc in a recording leads to %s", viewNames[back.view])
	}
}

// TestFollows: what a kind of damage leads to is said of every kind there is.
func TestFollows(t *testing.T) {
	schema, err := os.ReadFile("../docs/segments.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(schema), `"kind": {`)
	_, rest, ok2 := strings.Cut(rest, "[")
	if !ok || !ok2 {
		t.Fatal("the schema has no kinds")
	}
	list, _, _ := strings.Cut(rest, "]")
	n := 0
	for kind := range strings.SplitSeq(list, ",") {
		kind = strings.Trim(strings.TrimSpace(kind), `"`)
		if n++; follows[kind] == "" && kind != "unreadable" {
			t.Errorf("nothing is said of what %s leads to", kind)
		}
	}
	if n < 10 {
		t.Errorf("%d kinds in the schema", n)
	}
}
