package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/diagnosetest"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/record"
)

// sheetSigns are the signs of the catalogue that ships whose limits stand on the
// sheets of these tests.
var sheetSigns = []string{
	"cpu-busy", "memory-short", "fds-near-limit", "disk-slow", "dir-nearly-full", "gc-time-share", "gc-pauses-long", "not-enough-replicas-logged",
	"single-replica", "heap-badly-set", "under-replicated", "partitions-without-leader", "produce-latency-high", "isr-shrinks-often", "handlers-busy", "requests-queue", "lag-not-shrinking", "group-stable", "group-without-members",
}

func sheetCatalogue() *diagnose.Catalogue {
	c := &diagnose.Catalogue{Alerts: diagnose.All.Alerts, Boxes: small.Boxes}
	for _, s := range diagnose.All.Signs {
		if slices.Contains(sheetSigns, s.ID) {
			c.Signs = append(c.Signs, s)
		}
	}
	return c
}

// afterCase is the console after a case file.
func afterCase(t testing.TB, file string, opt Options, change func(*Options)) Model {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := diagnosetest.Parse(file, text)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&opt)
	}
	return feed(t, New(opt), c.Batches)
}

// busyHost is the console after testdata/busy-host.case.
func busyHost(t testing.TB, change func(*Options)) Model {
	t.Helper()
	return afterCase(t, "testdata/busy-host.case", Options{Catalogue: sheetCatalogue(), Title: "replay of busy-host.ktr", Replay: true, NoColor: true}, change)
}

func TestGoldenSheets(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
	}{
		{"host", []string{"8"}},
		{"host-found", []string{"8", "F"}},
		{"host-sorted", []string{"8", "s", "s"}},
		{"host-graph", []string{"8", "enter"}},
		{"jvm", []string{"9", "j"}},
		{"logs", []string{"L"}},
		{"logs-graph", []string{"L", "enter"}},
		{"alerts", []string{"A"}},
		{"partitions", []string{"T"}},
		{"partitions-filter", []string{"T", "/", "!", "p", "a", "y", "enter"}},
		{"transactions", []string{"X"}},
		{"metrics", []string{"M"}},
		{"groups", []string{"7"}},
		{"groups-graph", []string{"7", "enter"}},
		{"log-dirs", []string{"D"}},
		{"config", []string{"C"}},
		{"palette", []string{"C", ":", "l", "o", "g"}},
	} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {120, 40}} {
			name := fmt.Sprintf("sheet-%s-%dx%d", c.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				m := busyHost(t, func(o *Options) { o.Width, o.Height = size[0], size[1] })
				got := keys(t, m, c.keys...).View()
				mustFit(t, got, size[0], size[1])
				golden(t, name, got)
			})
		}
	}
	for name, press := range map[string][]string{"host": {"8"}, "host-graph": {"8", "enter"}} {
		got := keys(t, busyHost(t, func(o *Options) { o.ASCII = true }), press...).View()
		if strings.ContainsFunc(got, func(r rune) bool { return r > '~' }) {
			t.Errorf("%s is not ASCII alone:\n%s", name, got)
		}
		golden(t, "sheet-"+name+"-ascii", got)
	}
	colored := keys(t, busyHost(t, func(o *Options) { o.NoColor = false }), "8").View()
	golden(t, "sheet-host-80x24-color", colored)
}

// TestRecordings opens every line of every sheet over the recordings that ship,
// at every tier.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("../cmd/ktriage/demos/*.ktr")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m := feed(t, New(Options{Replay: true, NoColor: true}), batchesOf(t, file))
			for _, v := range sheetViews {
				m = m.show(v).arrange()
				if m.sheet.sheet.n == 0 && m.sheet.sheet.empty == "" {
					t.Errorf("%s is empty and does not say why", viewNames[v])
				}
				for range m.sheet.lines {
					openEverywhere(t, m)
					m = keys(t, m, "j")
				}
			}
		})
	}
}

// openEverywhere draws the sheet and the line under its cursor at every tier.
func openEverywhere(t *testing.T, m Model) {
	t.Helper()
	e, _ := m.picked()
	if len(e.say) == 0 && e.unknown == "" {
		t.Errorf("nothing to say of %q", e.key)
	}
	for _, size := range [][2]int{{60, 16}, {80, 24}, {120, 40}} {
		sized := send(t, m, tea.WindowSizeMsg{Width: size[0], Height: size[1]})
		mustFit(t, sized.View(), size[0], size[1])
		mustFit(t, keys(t, sized, "enter").View(), size[0], size[1])
	}
}

func batchesOf(t testing.TB, file string) (all []fact.Batch) {
	t.Helper()
	r, err := record.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
}
