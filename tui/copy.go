package tui

import (
	"os"
	"path/filepath"

	osc52 "github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"
)

// copy sends a text to the terminal's clipboard, which may or may not take it,
// and keeps it in a file, which is sure.
func (m Model) copy() (tea.Model, tea.Cmd) {
	text, path, send, refuse := m.copyText(), m.saveFile, m.opt.send, m.opt.Refuse
	return m, func() tea.Msg {
		sent := "no terminal to send it to"
		if send != nil {
			send(clipboard(text))
			sent = "sent to the terminal (cannot verify)"
		}
		path, err := save(path, text, refuse)
		if err != nil {
			return savedMsg{message: sent + "; not saved: " + err.Error()}
		}
		return savedMsg{path, sent + "; saved to " + path}
	}
}

// clipboard is the sequence that asks a terminal to take a text. screen passes
// it on only when wrapped.
func clipboard(text string) string {
	seq := osc52.New(text)
	if os.Getenv("STY") != "" {
		seq = seq.Screen()
	}
	return seq.String()
}

// save writes a text into the session's own file, readable by its user only. It
// lies where the system keeps such things in memory, if it does: a full disk is
// a common reason to be here. The first place that is not refused is taken.
func save(path, text string, refuse func(string) error) (string, error) {
	if path != "" {
		return path, os.WriteFile(path, []byte(text+"\n"), 0o600)
	}
	var failed error
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir()} {
		if dir == "" {
			continue
		}
		if refuse != nil {
			if err := refuse(filepath.Join(dir, "ktriage-copy.txt")); err != nil {
				failed = err
				continue
			}
		}
		path, err := saveNew(dir, text)
		if err == nil {
			return path, nil
		}
		failed = err
	}
	return "", failed
}

func saveNew(dir, text string) (string, error) {
	f, err := os.CreateTemp(dir, "ktriage-copy-*.txt") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text + "\n")
	if closing := f.Close(); err == nil {
		err = closing
	}
	return f.Name(), err
}
