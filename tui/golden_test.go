package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// ownPlaybooks makes the playbooks of the tests those of the user.
func ownPlaybooks(t testing.TB) {
	t.Helper()
	dir, err := filepath.Abs("testdata/config")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", dir)
}

// smallOptions is a replay of the incident over the small catalogue.
func smallOptions() Options {
	return Options{
		Catalogue: small, Title: "replay of disk-full.ktr", Replay: true,
		Vars: func(*diagnose.Verdict, *diagnose.Finding) map[string]string {
			return map[string]string{"LOGDIR": "/var/lib/kafka", "BROKER": "3", "BOOTSTRAP": "b1:9092", "TOPIC": "orders"}
		},
	}
}

// feed gives batches to a model as its source would.
func feed(t testing.TB, m Model, batches []fact.Batch) Model {
	t.Helper()
	for _, b := range batches {
		m = send(t, m, batchMsg{batch: b})
	}
	return m
}

// send is one message, and what its command brings about if that is quick.
func send(t testing.TB, m Model, msg tea.Msg) Model {
	t.Helper()
	next, cmd := m.Update(msg)
	m = next.(Model)
	if _, key := msg.(tea.KeyMsg); key && cmd != nil {
		if msg := cmd(); msg != nil {
			if _, quit := msg.(tea.QuitMsg); !quit {
				next, _ = m.Update(msg)
				m = next.(Model)
			}
		}
	}
	return m
}

// keys presses keys, named as in the key table.
func keys(t testing.TB, m Model, names ...string) Model {
	t.Helper()
	for _, name := range names {
		m = send(t, m, keyMsg(name))
	}
	return m
}

func keyMsg(name string) tea.KeyMsg {
	for _, k := range []tea.KeyType{tea.KeyEnter, tea.KeyEsc, tea.KeyTab, tea.KeyUp, tea.KeyDown, tea.KeyLeft, tea.KeyRight, tea.KeyBackspace,
		tea.KeyCtrlC, tea.KeyCtrlD, tea.KeyCtrlU, tea.KeyHome, tea.KeyEnd, tea.KeyPgUp, tea.KeyPgDown} {
		if (tea.KeyMsg{Type: k}).String() == name {
			return tea.KeyMsg{Type: k}
		}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

func TestGolden(t *testing.T) {
	ownPlaybooks(t)
	batches := incident(t)
	broken, fixed := batches[:worst+1], batches
	for _, c := range []struct {
		name    string
		batches []fact.Batch
		keys    []string
	}{
		{"start", nil, nil},
		{"flow", broken, nil},
		{"signs", broken, []string{"enter"}},
		{"verdict", broken, []string{"v"}},
		{"evidence", broken, []string{"v", "enter"}},
		{"playbook", broken, []string{"p", "j", "j", " ", "j"}},
		{"brokers", broken, []string{"5"}},
		{"groups", broken, []string{"7"}},
		{"coverage", broken, []string{"u"}},
		{"help", broken, []string{"p", "?"}},
		{"flow-fixed", fixed, nil},
		{"verify", fixed, []string{"4"}},
		{"verify-early", fixed[:worst+3], []string{"4"}},
	} {
		for _, size := range [][2]int{{80, 24}, {60, 16}, {120, 40}} {
			for _, color := range []bool{false, true} {
				if color && size[0] != 80 {
					continue // colours are the same at every size
				}
				opt := smallOptions()
				opt.Width, opt.Height, opt.NoColor = size[0], size[1], !color
				name := fmt.Sprintf("%s-%dx%d", c.name, size[0], size[1])
				if color {
					name += "-color"
				}
				t.Run(name, func(t *testing.T) {
					got := keys(t, feed(t, New(opt), c.batches), c.keys...).View()
					mustFit(t, got, size[0], size[1])
					golden(t, name, got)
				})
			}
		}
	}
}

// TestGoldenASCII is the same screens without a character beyond ASCII.
func TestGoldenASCII(t *testing.T) {
	ownPlaybooks(t)
	opt := smallOptions()
	opt.ASCII, opt.NoColor = true, true
	m := feed(t, New(opt), incident(t)[:worst+1])
	for name, press := range map[string][]string{"flow": nil, "playbook": {"p"}, "verdict": {"v"}} {
		got := keys(t, m, press...).View()
		for _, r := range got {
			if r > '~' {
				t.Errorf("%s: %q is not ASCII", name, r)
			}
		}
		golden(t, name+"-ascii", got)
	}
}

// mustFit holds a screen to its size.
func mustFit(t *testing.T, screen string, w, h int) {
	t.Helper()
	lines := strings.Split(screen, "\n")
	if len(lines) > h {
		t.Errorf("%d lines on a screen of %d", len(lines), h)
	}
	for i, line := range lines {
		if n := ansi.StringWidth(line); n > w {
			t.Errorf("line %d is %d columns wide, of %d: %q", i+1, n, w, line)
		}
	}
}

// golden compares with testdata/NAME.golden. Escapes are written as ^[.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got = strings.ReplaceAll(got, "\x1b", "^[") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./tui -update writes it anew):\n%s\nwant:\n%s", file, got, want)
	}
}
