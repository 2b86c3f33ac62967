package tui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/diagnosetest"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/probes/segments/segmentstest"
)

// opened is when the consoles of these tests look first: six minutes after broker
// 3 of the real log was shut down in order, at 02:04:29.
var opened = time.Date(2026, 11, 23, 2, 10, 0, 0, time.UTC)

// host3 is the host of broker 3, with the log dir of a real one; cut damages its
// metadata log a third into it.
func host3(t testing.TB, cut bool) *probe.Target {
	t.Helper()
	dir := filepath.Join(segmentstest.Unpack(t, "../probes/segments/testdata/real.tar.zst"), "real", "log-dir")
	if cut {
		name := filepath.Join(dir, history.MetadataDir, "00000000000000000000.log")
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		raw[20040] ^= 1
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := &probe.Target{Now: func() time.Time { return opened }}
	target.SetBrokers([]fact.LocalBroker{{NodeID: 3, Roles: "broker", LogDirs: []string{dir}}})
	t.Cleanup(func() { target.Close() })
	return target
}

// onHost3 is a console on that host. full: it sees all that testdata/busy-host.case
// has, otherwise nothing but the metadata log.
func onHost3(t testing.TB, target *probe.Target, full bool, change func(*Options)) Model {
	t.Helper()
	told, err := history.Probes[0].Observe(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	batches := make([]fact.Batch, 2)
	if full {
		text, err := os.ReadFile("testdata/busy-host.case")
		if err != nil {
			t.Fatal(err)
		}
		c, err := diagnosetest.Parse("busy-host.case", text)
		if err != nil {
			t.Fatal(err)
		}
		batches = c.Batches[:2]
	}
	for i := range batches {
		batches[i].At = opened.Add(time.Duration(i) * 10 * time.Second)
		batches[i].Observations = append(batches[i].Observations, told...)
		for j := range batches[i].Observations {
			batches[i].Observations[j].At = batches[i].At
		}
	}
	opt := Options{Catalogue: diagnose.All, Title: "on broker 3 (not running)", NoColor: true,
		Then: func(ctx context.Context, at time.Time) (*fact.PastCluster, error) {
			c, err := history.Then(ctx, target, at)
			if c != nil {
				c.Copy.Damage = strings.ReplaceAll(c.Copy.Damage, filepath.Dir(filepath.Dir(c.Copy.Dir)), "") // golden on every host
			}
			return c, err
		}}
	if change != nil {
		change(&opt)
	}
	return feed(t, New(opt), batches)
}

func typed(text string) (all []string) {
	for _, r := range text {
		all = append(all, string(r))
	}
	return append(all, "enter")
}

// TestGoldenThen: the screens of a moment before the console was opened.
func TestGoldenThen(t *testing.T) {
	ownPlaybooks(t)
	sound, cut := host3(t, false), host3(t, true)
	for _, c := range []struct {
		name   string
		target *probe.Target
		at     string // "": as far as one "[" beyond the first batch leads
		keys   []string
	}{
		{"brokers", sound, "", []string{"5"}},
		{"partitions", sound, "", []string{"T"}},
		{"partitions-before", sound, "02:04:29", []string{"T"}},
		{"config", sound, "02:04:29", []string{"C"}},
		{"groups", sound, "", []string{"7"}},
		{"host", sound, "", []string{"8"}},
		{"timeline", sound, "", []string{"H"}},
		{"typing", sound, "", []string{"H"}},
		{"cut-brokers", cut, "02:04:29", []string{"5"}},
		{"cut-partitions", cut, "02:04:29", []string{"T"}},
		{"begins-later", sound, "01:00", []string{"5"}},
	} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {120, 40}} {
			name := fmt.Sprintf("then-%s-%dx%d", c.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				m := keys(t, onHost3(t, c.target, true, func(o *Options) { o.Catalogue, o.Width, o.Height = sheetCatalogue(), size[0], size[1] }), c.keys...)
				if c.at == "" {
					m = keys(t, m, "[", "[")
				} else {
					m = keys(t, m, append([]string{"t"}, typed(c.at)...)...)
				}
				if c.name == "typing" {
					m = keys(t, m, "t")
					shows(t, keys(t, m, "0", "2"), "time: 02_   02:06:17, -90m or 2026")
				}
				got := m.View()
				mustFit(t, got, size[0], size[1])
				golden(t, name, got)
			})
		}
	}
}

// TestVerdictThen: what the log alone says is concluded from it, and no more.
func TestVerdictThen(t *testing.T) {
	ownPlaybooks(t)
	m := keys(t, onHost3(t, host3(t, false), true, nil), "v", "[", "[")
	shows(t, m, "▸ INFO     planned-shutdown  broker 3                since 02:04:30  confirmed", "and was fenced in order at 02:04:30")
	shows(t, keys(t, m, "1"), "availability because of planned-shutdown on broker 3")
	shows(t, keys(t, m, "p"), "this is of 02:04:30; P shows what is so now")
	if then := m.View(); strings.Contains(then, "last known") || len(m.verdict().Findings) != 1 {
		t.Errorf("then:\n%s", then)
	}
}

// TestNothingOfTodayThen: of a moment of the past, a console that sees everything
// today shows exactly what one shows that sees the metadata log alone.
func TestNothingOfTodayThen(t *testing.T) {
	ownPlaybooks(t)
	target := host3(t, false)
	full, bare := keys(t, onHost3(t, target, true, nil), "[", "["), keys(t, onHost3(t, target, false, nil), "[", "[")
	if full.past == nil || bare.past == nil {
		t.Fatalf("not in the past:\n%s\n%s", full.View(), bare.View())
	}
	for v := range viewNames {
		if v == timelineView || v == helpView {
			continue // of all times
		}
		a, b := full.show(v).arrange(), bare.show(v).arrange()
		if a.View() != b.View() {
			t.Errorf("%s:\n%s\nwithout today's facts:\n%s", viewNames[v], a.View(), b.View())
		}
		if !strings.Contains(a.View(), "then: 02:04:30, from the metadata log of node 3") {
			t.Errorf("%s does not say of when it is:\n%s", viewNames[v], a.View())
		}
	}
	if now := keys(t, full, "P", "T").View(); now != keys(t, onHost3(t, target, true, nil), "T").View() || strings.Contains(now, "then:") {
		t.Errorf("back to now:\n%s", now)
	}
}

// TestStepThroughThePast goes back change by change to the first one that is
// told, and forth again to now: each moment is what the log says of it.
func TestStepThroughThePast(t *testing.T) {
	target := host3(t, false)
	m := keys(t, onHost3(t, target, false, nil), "[", "5")
	steps := m.steps()
	if len(steps) < 20 {
		t.Fatalf("%d steps", len(steps))
	}
	var seen []string
	for i := len(steps) - 1; i >= 0; i-- {
		m = keys(t, m, "[")
		want, err := history.Then(context.Background(), target, steps[i])
		if err != nil || m.past == nil || !m.past.at.Equal(steps[i]) || m.past.counts != countsOf(want) {
			t.Fatalf("step %d, %s: %v, %+v", i, steps[i], err, m.past)
		}
		seen = append(seen, m.View())
	}
	shows(t, keys(t, m, "["), "no earlier change is told here")
	for i := len(steps) - 2; i >= 0; i-- {
		m = keys(t, m, "]")
		if m.View() != seen[i] {
			t.Fatalf("step %d forth looks different:\n%s\nwas:\n%s", i, m.View(), seen[i])
		}
	}
	if m = keys(t, m, "]"); m.at != 0 || m.past != nil {
		t.Errorf("after the last change: %d, %+v", m.at, m.past)
	}
	if m = keys(t, m, "]"); m.at != following {
		t.Errorf("not following, but at %d", m.at)
	}
}

// TestThenIsNotKnown: no log is at hand, the log begins later, or it is not read in
// time; what was on the screen stays.
func TestThenIsNotKnown(t *testing.T) {
	target := host3(t, false)
	m := keys(t, onHost3(t, target, false, nil), "5")
	shows(t, keys(t, m, append([]string{"t"}, typed("01:00")...)...), "not known: the metadata log of node 3 begins at 2026-11-23 01:58:21 UTC")
	shows(t, keys(t, m, append([]string{"t"}, typed("later")...)...), `no time: "later", expected`)
	shows(t, keys(t, m, append([]string{"t"}, typed("2026-11-23 02:11")...)...), "that is yet to come")
	if one := keys(t, m, append([]string{"t"}, typed("02:10:05")...)...); one.at != 0 || one.past != nil {
		t.Errorf("a time between two batches is at %d, %+v", one.at, one.past)
	}
	other := &probe.Target{Now: time.Now}
	defer other.Close()
	afar := feed(t, New(Options{Catalogue: diagnose.All, Title: "via b1:9092", NoColor: true,
		Then: func(ctx context.Context, at time.Time) (*fact.PastCluster, error) {
			return history.Then(ctx, other, at)
		}}),
		[]fact.Batch{{At: opened}})
	shows(t, keys(t, afar, "["), "no change is told of before it")
	got := keys(t, afar, append([]string{"t"}, typed("02:04:29")...)...)
	shows(t, got, "not known: no node of a cluster is on this host")
	if got.past != nil || got.shown != got.live {
		t.Error("something else is shown")
	}
	shows(t, keys(t, New(Options{}), "t", "1", "enter"), "nothing to step through yet")
}

// TestThenIsReadOnce: keys go on while a log is read, one read runs at a time, and
// only the moment that was wanted last is shown.
func TestThenIsReadOnce(t *testing.T) {
	running, most, ended := 0, 0, 0
	m := onHost3(t, host3(t, false), false, func(o *Options) {
		o.Then = func(ctx context.Context, at time.Time) (*fact.PastCluster, error) {
			running++
			most = max(most, running)
			defer func() { running-- }()
			if ended++; ended < 3 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return &fact.PastCluster{LastCluster: fact.LastCluster{Copy: fact.LogCopy{Node: 3, Last: at}}, At: at, Live: 7}, nil
		}
	})
	press := func(m Model, key string) (Model, tea.Cmd) {
		next, cmd := m.Update(keyMsg(key))
		return next.(Model), cmd
	}
	m = keys(t, m, "5", "[")
	m, first := press(m, "[")
	shows(t, m, "reading the metadata log up to", "esc calls it off", "paused at 1 of 2")
	later := send(t, m, tickMsg(m.now.Add(4*time.Second)))
	shows(t, later, ", for 4 s so far; esc calls it off")
	m, none := press(m, "[")
	if first == nil || none != nil {
		t.Fatal("a second read begins beside the first")
	}
	m, none = press(m, "[")
	want := m.sought
	next, second := m.Update(first())
	if m = next.(Model); second == nil || none != nil {
		t.Fatal("the moment that was wanted last is not read")
	}
	m, _ = press(m, "esc") // called off
	next, none = m.Update(second())
	if m = next.(Model); none != nil || m.past != nil || !m.sought.IsZero() {
		t.Errorf("called off, and %+v is shown", m.past)
	}
	m, third := press(m, "[")
	m, _ = press(m, "[")
	m, _ = press(m, "[")
	next, fourth := m.Update(third())
	next, _ = next.Update(fourth())
	if m = next.(Model); m.past == nil || !m.past.at.Equal(want) || most != 1 {
		t.Errorf("shown %+v, want %s; %d at a time", m.past, want, most)
	}
	shows(t, m, "THEN  7 brokers live")
	m, fifth := press(m, "[")
	m, _ = press(m, "P")
	next, _ = m.Update(fifth())
	if m = next.(Model); m.past != nil || m.at != following {
		t.Errorf("P does not lead to now, but to %+v", m.past)
	}
}

// TestThenNotes: a log that ends before the moment, or in which nothing was written
// around it, is never taken for the cluster of that moment.
func TestThenNotes(t *testing.T) {
	at := opened.Add(-time.Hour)
	for what, c := range map[string]struct {
		last, next time.Duration // from the moment on; 0: none
		copy       fact.LogCopy
		says       []string
		not        string
	}{
		"as it should be": {-400 * time.Millisecond, 300 * time.Millisecond, fact.LogCopy{Node: 3}, []string{"then: 01:10:00, from the metadata log of node 3", "THEN  3 brokers live"}, "as of"},
		"no id":           {-400 * time.Millisecond, 300 * time.Millisecond, fact.LogCopy{Node: -1}, []string{"from the metadata log of this host"}, "as of"},
		"cut off":         {-20 * time.Minute, 0, fact.LogCopy{Node: 3}, []string{"THEN  as of 00:50:00: 3 brokers live", "The log ends there: this node was cut off since, or no controller led."}, "damaged"},
		"no controller":   {-20 * time.Minute, time.Minute, fact.LogCopy{Node: 3}, []string{"THEN  as of 00:50:00: 3", "Nothing was written until 01:11:00: no controller led."}, "ends"},
		"the day before":  {-2 * time.Hour, time.Minute, fact.LogCopy{Node: 3}, []string{"as of 2026-11-22 23:10:00"}, "ends"},
		"newer Kafka":     {-400 * time.Millisecond, time.Second, fact.LogCopy{Node: 3, Passed: 4}, []string{"4 records could not be read"}, "as of"},
		"damaged":         {-time.Second, 0, fact.LogCopy{Node: 3, Damage: "wrong checksum"}, []string{"as of 01:09:59, log damaged", "what came later is not known: wrong checksum"}, "ends there"},
	} {
		m := onHost3(t, host3(t, false), false, func(o *Options) {
			o.Then = func(context.Context, time.Time) (*fact.PastCluster, error) {
				c.copy.Last = at.Add(c.last)
				p := &fact.PastCluster{LastCluster: fact.LastCluster{Copy: c.copy}, At: at, Live: 3}
				if c.next != 0 {
					p.Next = at.Add(c.next)
				}
				return p, nil
			}
		})
		m = keys(t, m, append([]string{"t"}, typed("01:10")...)...)
		for _, key := range []string{"5", "v"} {
			got := keys(t, m, key)
			shows(t, got, c.says...)
			if strings.Contains(got.View(), c.not) {
				t.Errorf("%s: says %q:\n%s", what, c.not, got.View())
			}
		}
	}
}
