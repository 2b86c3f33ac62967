package tui

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// broken is the console of a replay at the height of the incident.
func broken(t testing.TB, change func(*Options)) Model {
	t.Helper()
	opt := smallOptions()
	opt.NoColor = true
	if change != nil {
		change(&opt)
	}
	return feed(t, New(opt), incident(t)[:worst+1])
}

func shows(t *testing.T, m Model, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(m.View(), text) {
			t.Errorf("%q is not on the screen:\n%s", text, m.View())
		}
	}
}

func TestMoveOnFlow(t *testing.T) {
	m := broken(t, nil)
	title := func() string { return m.boxes()[m.selected()].Box.ID }
	for _, step := range []struct{ key, want string }{
		{"", "cluster-state"}, // of the heaviest evidence
		{"j", "network-test"}, {"l", "repair-plan"}, {"h", "network-test"}, {"h", "gc-analysis"}, {"k", "resource-analysis"},
		{"g", "report"}, {"k", "report"}, {"l", "collect-symptoms"}, {"G", "apply-fix"}, {"j", "apply-fix"}, {"tab", "verify-fix"}, {"tab", "document"}, {"tab", "report"},
	} {
		if step.key != "" {
			m = keys(t, m, step.key)
		}
		if got := title(); got != step.want {
			t.Errorf("after %q: %s, want %s", step.key, got, step.want)
		}
	}
}

// TestEveryBox opens every box, and comes back.
func TestEveryBox(t *testing.T) {
	ownPlaybooks(t)
	m := keys(t, broken(t, nil), "g")
	for range m.boxes() {
		opened := keys(t, m, "enter")
		if opened.view == flowView && opened.message == "" {
			t.Errorf("enter on %s does nothing", m.boxes()[m.selected()].Box.ID)
		}
		if back := keys(t, opened, "esc"); back.view != flowView {
			t.Errorf("esc leads to %s", viewNames[back.view])
		}
		m = keys(t, m, "tab")
	}
}

func TestScreens(t *testing.T) {
	ownPlaybooks(t)
	m := broken(t, nil)
	shows(t, keys(t, m, "2"), "VERDICT  1 root, 1 consequence")
	shows(t, keys(t, m, "v", "j", "e"), "broker-crashed", "decisive", "not something else")
	shows(t, keys(t, m, "3"), "step 1 of 7", "df -h /var/lib/kafka")
	shows(t, keys(t, m, "v", "p", "-"), "VERDICT")
	shows(t, keys(t, m, "v", "p", "-", "-"), "step 1 of 7")
	shows(t, keys(t, m, "v", "p", "esc", "esc"), "classify", "apply")
	shows(t, keys(t, m, "p", "G"), "the alert rule that would have caught it", "KafkaLogDirFull")
}

// TestKeysTogether is what a slow link makes of keys held down, and a paste that
// must not act as keys.
func TestKeysTogether(t *testing.T) {
	m := send(t, broken(t, nil), tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("vpjj")})
	if m.view != playbookView || m.step != 2 {
		t.Errorf("on %s at step %d, want Playbook at 2", viewNames[m.view], m.step)
	}
	m = send(t, broken(t, nil), tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("qv"), Paste: true})
	if m.view != flowView {
		t.Errorf("a paste opened %s", viewNames[m.view])
	}
}

// TestStepping goes back and forth: each moment looks exactly as it did.
func TestStepping(t *testing.T) {
	batches := incident(t)
	m := New(smallOptions())
	var looked []string
	for _, b := range batches {
		m = send(t, m, batchMsg{batch: b})
		looked = append(looked, keys(t, m, "v").body0())
	}
	m = keys(t, send(t, m, batchMsg{err: io.EOF}), "v")
	shows(t, m, "end of the recording")
	for i := len(batches) - 2; i >= 0; i-- {
		m = keys(t, m, "[")
		if got := m.body0(); got != looked[i] {
			t.Fatalf("batch %d looks different when stepped back to:\n%s\nwas:\n%s", i, got, looked[i])
		}
	}
	shows(t, keys(t, m, "["), "the earliest batch")
	for i := 1; i < len(batches); i++ {
		m = keys(t, m, "]")
		if got := m.body0(); got != looked[i] {
			t.Fatalf("batch %d looks different when stepped forth to", i)
		}
	}
	if m.at != following {
		t.Error("not following after stepping to the end")
	}
	shows(t, keys(t, m, "]"), "the newest batch")
}

// body0 is the screen without its first line, which says which moment it is, and
// without messages.
func (m Model) body0() string {
	m.message = ""
	_, rest, _ := strings.Cut(m.View(), "\n")
	return rest
}

// TestPause holds the screen still while the source is read on.
func TestPause(t *testing.T) {
	batches := incident(t)
	m := feed(t, New(smallOptions()), batches[:worst+1])
	m = keys(t, m, "P")
	before := m.body0()
	m = feed(t, m, batches[worst+1:])
	if m.body0() != before {
		t.Error("the screen moved while paused")
	}
	shows(t, m, "paused at 13 of 22")
	m = keys(t, m, " ")
	if m.body0() == before || m.at != following {
		t.Error("it did not go on")
	}
}

// TestTapeIsBounded feeds more batches than are kept.
func TestTapeIsBounded(t *testing.T) {
	var tp tape
	for i := range keepBatches + 50 {
		tp.add(fact.Batch{At: time.Unix(int64(i), 0)})
	}
	if len(tp.batches) != keepBatches || tp.end() != keepBatches+49 {
		t.Errorf("%d kept, the last is number %d", len(tp.batches), tp.end())
	}
	big := fact.Metadata.Is(fact.BrokerOf(1), fact.MetadataView{Topic: make([]int32, 1<<20), Partition: make([]int32, 1<<20)})
	for range 10 {
		tp.add(fact.Batch{Observations: []fact.Observation{big}})
	}
	if tp.weight > keepWeight {
		t.Errorf("weight %d is over %d", tp.weight, keepWeight)
	}
}

func TestFix(t *testing.T) {
	ownPlaybooks(t)
	batches := incident(t)
	m := keys(t, feed(t, New(smallOptions()), batches[:worst+1]), "4")
	shows(t, m, "no fix is marked yet")
	m = keys(t, m, "p", "a")
	shows(t, m, "fix applied 01:01:00", "UNCHANGED", "NOT SAFE to leave yet", "disk-full on logdir 3:/var/lib/kafka is confirmed")
	m = feed(t, m, batches[worst+2:])
	shows(t, m, "FIXED", "its port refuses", "nothing of it is left, for 25 s; watch it for 5 min; 1 sign unknown")
	if strings.Contains(m.View(), "NOT SAFE") {
		t.Error("not safe although nothing is left")
	}
	m = keys(t, m, "p")
	shows(t, m, "no longer found", "step 1 of 7")
}

// TestUnexplained is trouble that no finding accounts for: it stands on Verdict,
// and is not safe to leave.
func TestUnexplained(t *testing.T) {
	opt := smallOptions()
	opt.NoColor = true
	m := feed(t, New(opt), incident(t))
	v := *m.live.verdict
	v.Headline = "not explained: broker 2"
	v.Unexplained = []diagnose.SignState{{Sign: small.Signs[0], Subject: fact.BrokerOf(2), Reading: diagnose.Reading{Outcome: diagnose.Yes, Text: "answers after 9 s"}}}
	m.live.verdict = &v
	shows(t, keys(t, m, "v"), "not explained broker 2: answers after 9 s")
	shows(t, keys(t, m, "4"), "NOT SAFE to leave yet", "- not explained: broker 2: answers after 9 s")
}

// TestNewTrouble is a fix that breaks something else.
func TestNewTrouble(t *testing.T) {
	batches := incident(t)
	m := feed(t, New(smallOptions()), batches[:3])
	m.take(fact.Batch{At: batches[2].At, Marks: []fact.Mark{{At: batches[2].At, Kind: fact.FixApplied}}})
	m = keys(t, feed(t, m, batches[3:worst+1]), "4")
	shows(t, m, "NEW", "2 signs new since the fix", "NOT SAFE")
}

// TestMarks goes through the source where there is a way.
func TestMarks(t *testing.T) {
	ownPlaybooks(t)
	var got []fact.Mark
	m := broken(t, func(o *Options) { o.Mark = func(k fact.Mark) { got = append(got, k) } })
	m = keys(t, m, "m", "n", "h", "i", " ", "q", "x", "backspace", "enter", "p", "a")
	var said []string
	for _, k := range got {
		said = append(said, string(k.Kind)+" "+k.Text)
		if !k.At.Equal(m.verdict().At) {
			t.Errorf("%s at %s, not in the time of the recording", k.Kind, k.At)
		}
	}
	if want := "note mark,note hi q,fix-applied disk-full"; strings.Join(said, ",") != want {
		t.Errorf("marks %q, want %q", strings.Join(said, ","), want)
	}
	if len(m.live.session.Marks()) != 0 {
		t.Error("the marks were applied besides")
	}
	m = keys(t, broken(t, nil), "n", "h", "enter", "m")
	if n := len(m.live.session.Marks()); n != 2 {
		t.Errorf("%d marks in the session, want 2", n)
	}
	shows(t, keys(t, m, "n", "x", "esc"), "no note")
}

// TestAges is a live source that falls silent: what is shown must be seen to age.
func TestAges(t *testing.T) {
	m := broken(t, func(o *Options) { o.Replay = false })
	at := m.verdict().At
	m = send(t, m, tickMsg(at.Add(2*time.Second)))
	m = send(t, m, batchMsg{batch: fact.Batch{At: at.Add(2 * time.Second)}})
	shows(t, m, "01:01:02")
	m = send(t, m, tickMsg(at.Add(45*time.Second)))
	shows(t, m, "no data for 43 s", "host.dir 45 s", "01:01:45")
	m = send(t, m, batchMsg{err: fmt.Errorf("no route")})
	shows(t, m, "the source has ended", "the source failed: no route")
}

// TestNothing presses every kind of key before anything was seen.
func TestNothing(t *testing.T) {
	m := New(smallOptions())
	for _, key := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "enter", "9", "M", "L", "A", "T", "X", "D", "C", "s", "F", "enter", "e", "enter", "?", "[", "]", "P", " ", "a", "y", "tab", "G", "ctrl+d"} {
		m = keys(t, m, key)
		if m.View() == "" {
			t.Errorf("nothing drawn after %s", key)
		}
	}
	shows(t, keys(t, New(smallOptions()), "p"), "no finding, so no playbook")
}

// TestRealCatalogue draws the incident with the catalogue that ships.
func TestRealCatalogue(t *testing.T) {
	m := broken(t, func(o *Options) { o.Catalogue = nil })
	shows(t, m, "CRITICAL", "AVAILABILITY", "resources", "cluster state", "replicas")
	shows(t, keys(t, m, "v"), "disk-full", "broker-crashed", "confirmed")
}

// TestSizes draws every screen at every size, with hostile text in it.
func TestSizes(t *testing.T) {
	ownPlaybooks(t)
	batches := incident(t)
	for i := range batches {
		for j := range batches[i].Observations {
			o := &batches[i].Observations[j]
			if o.Subject.Scope == fact.LogDir {
				o.Subject.Name += "\x1b]0;owned\x07\x1b[2J\n\u202e\xff表示"
			}
		}
	}
	var models []Model
	for _, c := range []*diagnose.Catalogue{small, diagnose.All} {
		for _, ascii := range []bool{false, true} {
			opt := smallOptions()
			opt.Catalogue, opt.ASCII, opt.NoColor = c, ascii, true
			models = append(models, New(opt), feed(t, New(opt), batches[:worst+1]), feed(t, New(opt), batches))
		}
	}
	views := []string{"1", "e", "v", "w", "p", "G", "4", "5", "6", "7", "8", "enter", "9", "M", "L", "A", "T", "X", "D", "enter", "C", "?", ":", "esc", "n"}
	for _, m := range models {
		for _, key := range views {
			m = keys(t, m, key)
			for w := 1; w <= 200; w += 1 + w/5 {
				for h := 1; h <= 60; h += 1 + h/4 {
					sized := send(t, m, tea.WindowSizeMsg{Width: w, Height: h})
					screen := sized.View()
					mustFit(t, screen, w, h)
					if strings.ContainsAny(screen, "\x1b\x07\r\u202e") {
						t.Fatalf("control characters reached the screen at %d×%d: %q", w, h, screen)
					}
				}
			}
		}
	}
}
