package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// TestMeasureSigns holds every measure to its sign: there is one of that name, and
// its limit is of the same unit once it has one.
func TestMeasureSigns(t *testing.T) {
	signs := map[string]*diagnose.Sign{}
	for _, s := range diagnose.All.Signs {
		signs[s.ID] = s
	}
	titles := map[string]bool{}
	for _, all := range [][]measure{hostMeasures, processMeasures, deviceMeasures, netMeasures, logDirMeasures, jvmMeasures, metricMeasures} {
		for i := range all {
			q := &all[i]
			scope := q.key().Scope
			for _, k := range append(append(numbers{}, q.of...), q.per...) {
				if k.Def().Scope != scope {
					t.Errorf("%s: %s is of another scope than %s", q.title, k.Def().Name, q.key().Name)
				}
				if q.rate && k.Def().Kind == fact.GaugeKind && k.Def() == q.key() {
					t.Errorf("%s: growth of a gauge, %s", q.title, k.Def().Name)
				}
			}
			if name := string(scope) + q.title + q.key().Name; titles[name] {
				t.Errorf("%s is there twice", q.title)
			} else {
				titles[name] = true
			}
			if q.sign != "" && signs[q.sign] == nil {
				t.Errorf("%s: no sign %s", q.title, q.sign)
			}
			if n := width(q.title); n > 27 {
				t.Errorf("%q is %d columns wide, and is cut at 80", q.title, n)
			}
		}
	}
	for _, id := range append(settingSigns[:len(settingSigns):len(settingSigns)], phaseSigns[fact.PhaseTotal], phaseSigns[fact.PhaseQueue]) {
		if signs[id] == nil {
			t.Errorf("Config: no sign %s", id)
		}
	}
}

// counted is a session that has seen values of a key, five seconds apart; below 0
// stands for unknown.
func counted(k fact.Of[float64], on fact.Subject, more map[fact.Of[float64]][]float64, values ...float64) diagnose.Facts {
	s := diagnose.NewSession(small)
	for i, v := range values {
		b := fact.Batch{At: time.Unix(int64(5*i), 0)}
		add := func(k fact.Of[float64], v float64) {
			if v < 0 {
				b.Observations = append(b.Observations, k.Unknown(on, &fact.Unknown{Reason: fact.NotAllowed}))
				return
			}
			b.Observations = append(b.Observations, k.Is(on, v))
		}
		add(k, v)
		for k, of := range more {
			add(k, of[i])
		}
		s.Apply(b)
	}
	return s.Facts()
}

func TestMeasure(t *testing.T) {
	disk, proc := fact.Subject{Scope: fact.Device, Name: "sda"}, fact.ProcessOf(1)
	for _, c := range []struct {
		what  string
		q     measure
		facts diagnose.Facts
		on    fact.Subject
		want  string
	}{
		{"a level", measure{of: numbers{fact.ProcessFDs}}, counted(fact.ProcessFDs, proc, nil, 1, 5, 3), proc, "1 5 3"},
		{"a level that is unknown by now", measure{of: numbers{fact.ProcessFDs}}, counted(fact.ProcessFDs, proc, nil, 1, 5, -1), proc, "1 5 ?"},
		{"a share", measure{of: numbers{fact.ProcessFDs}, per: numbers{fact.ProcessFDLimit}},
			counted(fact.ProcessFDs, proc, map[fact.Of[float64]][]float64{fact.ProcessFDLimit: {10, 10, 0}}, 1, 5, 5), proc, "0.1 0.5"},
		{"what is left of a share", measure{of: numbers{fact.ProcessFDs}, per: numbers{fact.ProcessFDLimit}, rest: true},
			counted(fact.ProcessFDs, proc, map[fact.Of[float64]][]float64{fact.ProcessFDLimit: {10, 10}}, 1, 5), proc, "0.9 0.5"},
		{"growth a second", measure{of: numbers{fact.DeviceReads}, rate: true}, counted(fact.DeviceReads, disk, nil, 100, 150, 150, 250), disk, "10 0 20"},
		{"growth through a restart", measure{of: numbers{fact.DeviceReads}, rate: true}, counted(fact.DeviceReads, disk, nil, 100, 150, 5, 15), disk, "10 2"},
		{"time for each", measure{of: numbers{fact.DeviceReadSeconds}, rate: true, per: numbers{fact.DeviceReads}},
			counted(fact.DeviceReadSeconds, disk, map[fact.Of[float64]][]float64{fact.DeviceReads: {10, 20, 20, 20}}, 1, 6, 6, 7), disk, "0.5 0"},
		{"never seen", measure{of: numbers{fact.DeviceReads}, rate: true}, counted(fact.ProcessFDs, proc, nil, 1), disk, "?"},
	} {
		var got []string
		for _, p := range c.q.points(c.facts, c.on) {
			if p.Known {
				got = append(got, fmt.Sprintf("%.3g", p.Value))
			} else {
				got = append(got, "?")
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", c.what, strings.Join(got, " "), c.want)
		}
	}
}

func TestLineRate(t *testing.T) {
	at := time.Unix(0, 0).UTC()
	points := lineRate(fact.LogLines{Minutes: []fact.MinuteCount{{At: at, Count: 3}, {At: at.Add(2 * time.Minute), Count: 1}}}, at.Add(3*time.Minute+time.Second))
	if got := fmt.Sprint(points[0].Value, points[1].Value, points[2].Value, points[3].Value, len(points)); got != "3 0 1 0 4" {
		t.Error(got)
	}
	old := lineRate(fact.LogLines{Minutes: []fact.MinuteCount{{At: time.Unix(-1<<40, 0), Count: 3}}}, at)
	if len(old) > 300 {
		t.Errorf("%d points of a line from long ago", len(old))
	}
}

// TestFilter types filters: plain, inverse, one that cannot be used, none.
func TestFilter(t *testing.T) {
	m := keys(t, busyHost(t, nil), "T")
	type_ := func(m Model, text string) Model {
		m = keys(t, m, "/")
		m.typed = ""
		for _, r := range text {
			m = keys(t, m, string(r))
		}
		return keys(t, m, "enter")
	}
	count := func(m Model) string { return fmt.Sprintf("%d of %d", len(m.sheet.lines), m.sheet.sheet.n) }
	for _, c := range []struct{ filter, want string }{{"ORDERS", "4 of 5"}, {"!orders", "1 of 5"}, {"no leader$", "1 of 5"}, {"^orders-[01]", "2 of 5"}, {"", "5 of 5"}} {
		if m = type_(m, c.filter); count(m) != c.want {
			t.Errorf("filter %q leaves %s, want %s", c.filter, count(m), c.want)
		}
	}
	m = type_(m, "pay")
	shows(t, type_(m, "(("), "no filter: ", "payments-0", "1 of 5") // the one before stays
	shows(t, type_(m, "nothing like it"), "none of 5 lines fits")
	if k := keys(t, m, "8", "T"); count(k) != "1 of 5" {
		t.Error("the filter is gone after a look at another screen")
	}
	if k := keys(t, m, "/", "x", "esc"); count(k) != "1 of 5" {
		t.Error("esc took the filter")
	}
}

// TestCursorStays: the line under the cursor is the same one when others come
// before it.
func TestCursorStays(t *testing.T) {
	m := keys(t, busyHost(t, nil), "8", "j", "j", "s", "s")
	if e, _ := m.picked(); e.cells[1] != "CPU idle, I/O outstanding" {
		t.Errorf("the cursor is on %v", e.cells)
	}
	if e, _ := keys(t, m, "g").picked(); e.cells[1] != "time an I/O takes" {
		t.Errorf("the first line is %v", e.cells)
	}
	m = keys(t, m, "enter")
	m = send(t, m, batchMsg{batch: fact.Batch{At: m.verdict().At.Add(5 * time.Second)}})
	shows(t, m, "CPU idle, I/O outstanding", "esc back")
	shows(t, keys(t, m, "esc"), "HOST  b2")
	shows(t, keys(t, m, "-"), "HOST  b2")
}

// TestStale: what was seen long ago is said to be so, and its curve ends.
func TestStale(t *testing.T) {
	m := keys(t, busyHost(t, nil), "8")
	m = send(t, m, batchMsg{batch: fact.Batch{At: m.verdict().At.Add(3 * time.Minute)}})
	shows(t, m, "stale: host.cpu.user is 3m0s old")
	shows(t, keys(t, m, "enter"), "now unknown")
}

// TestPalette opens screens by name.
func TestPalette(t *testing.T) {
	ownPlaybooks(t)
	open := func(text string, more ...string) Model {
		m := keys(t, busyHost(t, nil), ":")
		for _, r := range text {
			m = keys(t, m, string(r))
		}
		return keys(t, m, append(more, "enter")...)
	}
	for text, want := range map[string]view{"jvm": jvmView, "JV": jvmView, "tran": transactionsView, "dirs": logDirsView, "log": logDirsView, "logs": logsView, "host": hostView, "cov": coverageView} {
		if m := open(text); m.view != want {
			t.Errorf(":%s opens %s, want %s", text, viewNames[m.view], viewNames[want])
		}
	}
	if m := open("p", "tab"); m.view != partitionsView {
		t.Errorf(":p and tab open %s", viewNames[m.view])
	}
	shows(t, open("nowhere"), "no screen nowhere")
	if m := open(""); m.view != flowView {
		t.Error("an empty name opens a screen")
	}
	if got := complete("lo"); got != "log" {
		t.Errorf("lo completes to %s", got)
	}
}

// TestCopyLine copies what is under the cursor.
func TestCopyLine(t *testing.T) {
	m := busyHost(t, nil)
	for press, want := range map[string]string{"A": "- alert: KafkaOfflinePartitions", "T": "orders-2 none 3,2,1", "L": "NotEnoughReplicasException"} {
		if got := keys(t, m, press).copyText(); !strings.Contains(got, want) {
			t.Errorf("%s copies %q", press, got)
		}
	}
}

// manyPartitions is a console over a cluster of n partitions, one in a thousand in
// trouble.
func manyPartitions(t testing.TB, n int) Model {
	view := fact.MetadataView{Topics: []string{}, Brokers: []fact.BrokerAddress{{ID: 1}, {ID: 2}, {ID: 3}}}
	for i := range n {
		if i%100 == 0 {
			view.Topics = append(view.Topics, fmt.Sprintf("topic-%05d", i/100))
			view.Internal = append(view.Internal, false)
		}
		view.Topic, view.Partition = append(view.Topic, int32(i/100)), append(view.Partition, int32(i%100))
		view.Leader, view.Epoch, view.Error = append(view.Leader, int32(i%3+1)), append(view.Epoch, 1), append(view.Error, 0)
		replicas := []int32{int32(i%3 + 1), int32((i+1)%3 + 1), int32((i+2)%3 + 1)}
		view.Replicas.Add(replicas)
		if i%1000 == 999 {
			replicas = replicas[:2]
		}
		view.ISR.Add(replicas)
		view.Offline.Add(nil)
	}
	b := fact.Batch{At: time.Unix(1e9, 0), Observations: []fact.Observation{fact.Metadata.Is(fact.BrokerOf(1), view)}}
	m := New(Options{Replay: true, NoColor: true, Width: 200, Height: 50, Catalogue: small})
	return keys(t, send(t, m, batchMsg{batch: b}), "T")
}

func TestManyPartitions(t *testing.T) {
	m := manyPartitions(t, 100_000)
	shows(t, m, "100000 partitions", "100 under-replicated", "topic-00009-99")
	shows(t, keys(t, m, "G"), "topic-00999-98")
	shows(t, keys(t, m, "F", "G"), "topic-00999-99", "100 of 100000")
}

// BenchmarkView draws 200 by 50 over 100 000 partitions, the cursor in their midst.
func BenchmarkView(b *testing.B) {
	m := manyPartitions(b, 100_000).moveLine(50_000)
	for b.Loop() {
		if m.View() == "" {
			b.Fatal("nothing")
		}
	}
}

// BenchmarkArrange is what each batch costs there, once: sorted and filtered.
func BenchmarkArrange(b *testing.B) {
	m := manyPartitions(b, 100_000).moveLine(50_000)
	m.filters = with(m.filters, partitionsView, "9$")
	for b.Loop() {
		m.sheet = nil
		m = m.arrange()
	}
}

// BenchmarkHost is View and arrange of the sheet with most curves.
func BenchmarkHost(b *testing.B) {
	m := keys(b, busyHost(b, func(o *Options) { o.Width, o.Height = 200, 50 }), "8")
	for b.Loop() {
		m.sheet = nil
		m = m.arrange()
		_ = m.View()
	}
}
