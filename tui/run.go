package tui

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"

	"github.com/ktriage/ktriage/tui/early"
)

func init() {
	early.Restore()
	// Nothing is drawn by background here, and nobody shall ask for it later.
	lipgloss.SetHasDarkBackground(true)
}

// framesPerSecond bounds how often the screen is drawn.
const framesPerSecond = 10

// Run shows the console on the terminal of standard input and output until the
// operator quits or ctx ends. The terminal is left as it was found.
func Run(ctx context.Context, opt Options) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // whatever still waits for the source
	opt.ASCII = opt.ASCII || !drawsUnicode(os.Getenv)
	opt.NoColor = opt.NoColor || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	if w, h, err := term.GetSize(os.Stdout.Fd()); err == nil {
		opt.Width, opt.Height = w, h
	}
	opt.send = func(seq string) { _, _ = os.Stdout.WriteString(seq) }
	m := New(opt)
	m.ctx = ctx
	p := tea.NewProgram(m, tea.WithAltScreen(), tea.WithFPS(framesPerSecond))
	// Quit, and not tea.WithContext: that one closes the input under its reader.
	defer context.AfterFunc(ctx, p.Quit)()
	_, err := p.Run()
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// drawsUnicode says whether a terminal can be trusted with more than ASCII: the
// locale is UTF-8, and it is not one of those without the characters.
func drawsUnicode(env func(string) string) bool {
	switch env("TERM") {
	case "dumb", "linux", "":
		return false
	}
	locale := ""
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale = env(name); locale != "" {
			break
		}
	}
	locale = strings.ToLower(locale)
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
