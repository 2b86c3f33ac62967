// Package tui is the console: the flowchart, the verdict with its reasons, the
// playbook and what moved after a fix. It draws what diagnose concludes from the
// batches of a source, live or recorded, and judges nothing itself. Nothing in
// it can change a cluster.
package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Options is what a console shows and whom it tells.
type Options struct {
	Source    fact.Source
	Catalogue *diagnose.Catalogue // nil: diagnose.All
	Title     string              // where it looks: "on broker 2 (pid 4711)", "replay of FILE"
	Replay    bool                // times are those of the recording, and it ends
	ASCII     bool                // draw with ASCII only
	NoColor   bool

	// Mark gives the source a mark, which comes back in a batch. nil: the console
	// applies it by itself.
	Mark func(fact.Mark)
	// Probe asks the source to look now. nil: it cannot.
	Probe func()
	// Scan starts (true) or stops the verification of all segments of this host's
	// brokers, and returns at once. nil: it cannot.
	Scan func(start bool)
	// Report renders the report of a session, worst being its verdict at the
	// incident's height. nil: it cannot. It is called between batches, so that
	// it may read the session; it must not touch a disk.
	Report func(s *diagnose.Session, worst *diagnose.Verdict) (text string, err error)
	// Save writes what Report rendered and returns where. It may take long.
	Save func(text string) (path string, err error)
	// Then gives the cluster as it stood at a moment before the console was opened,
	// as the metadata log on this host has it. It may take long, and ends with the
	// context. nil: the source alone tells of that time.
	Then func(ctx context.Context, at time.Time) (*fact.PastCluster, error)
	// Refuse says why a small file may not be written to a path. nil: any may.
	Refuse func(path string) error
	// Vars gives the values for a playbook's placeholders. nil: none.
	Vars func(*diagnose.Verdict, *diagnose.Finding) map[string]string

	// Width and Height of the terminal before it says so itself; 0: 80 by 24.
	Width, Height int

	// send writes an escape sequence that is no part of the screen. nil: nothing
	// is sent.
	send func(string)
}

// view is one screen.
type view int

const (
	flowView view = iota
	signsView
	verdictView
	whyView
	playbookView
	verifyView
	brokersView
	groupsView
	coverageView
	helpView
	hostView
	jvmView
	logsView
	alertsView
	partitionsView
	transactionsView
	logDirsView
	segmentsView
	timelineView
	configView
	metricsView
	graphView
)

// Model is the console's state. It is a value: Update returns the next one.
type Model struct {
	opt    Options
	ctx    context.Context
	paint  painter
	glyphs glyphs

	width, height int
	now           time.Time // the wall clock, by the second
	got           time.Time // wall clock of the newest batch
	ended         error     // why the source gives no more; io.EOF: a recording's end
	live          *scene    // of all batches
	tape          *tape
	shown         *scene // on the screen: live, or that of an earlier moment
	at            int    // number of the shown batch; following: -1; a moment before the first: inThePast
	wanted        int    // number of the batch that is being folded; none: -1

	past    *bygone            // shown, with at; nil: a batch is
	sought  time.Time          // a moment of the past that is on its way; zero: none
	since   time.Time          // it is sought, by the wall clock
	calloff context.CancelFunc // of the one that is being read; nil: none is

	view    view
	back    []view // to return to
	box     int    // selected on Flow; unmoved: the one that matters most
	sign    int    // selected among the signs of a box
	finding diagnoseID
	opened  *diagnose.Finding // as it was when its playbook was opened
	shelf   shelf
	step    int
	graph   int // which of the step's graphs
	scroll  int
	ticked  map[tick]bool
	message string // shown until the next key
	typing  asking // for what the keys are typed; nothing: they act
	typed   string

	sheet     *arranged       // on the screen, or the one left last
	cursors   map[view]cursor // on each sheet
	filters   map[view]string
	sorts     map[view]int // number of the order
	onlyFound bool
	graphOf   view   // the sheet whose line is drawn by itself
	saveFile  string // of the copies
}

// diagnoseID names a finding across verdicts.
type diagnoseID struct {
	cause   string
	subject fact.Subject
}

// tick is a step of a playbook for a finding, ticked off.
type tick struct {
	of   diagnoseID
	step int
}

// unmoved is Model.box until the operator selects one.
const unmoved = -1

// following is Model.at while the newest batch is shown.
const following = -1

// New is a console before its first batch.
func New(opt Options) Model {
	if opt.Catalogue == nil {
		opt.Catalogue = diagnose.All
	}
	live := newScene(opt.Catalogue)
	m := Model{
		opt: opt, ctx: context.Background(), paint: painter{color: !opt.NoColor, ascii: opt.ASCII}, glyphs: unicodeGlyphs,
		width: 80, height: 24, live: &live, shown: &live, tape: &tape{}, at: following, wanted: -1, box: unmoved,
		ticked: map[tick]bool{}, shelf: shelf{}, cursors: map[view]cursor{}, filters: map[view]string{}, sorts: map[view]int{},
	}
	if opt.ASCII {
		m.glyphs = asciiGlyphs
	}
	if opt.Width > 0 && opt.Height > 0 {
		m.width, m.height = opt.Width, opt.Height
	}
	return m
}

// Messages.
type (
	// batchMsg is what the source gave.
	batchMsg struct {
		batch fact.Batch
		err   error
	}
	// tickMsg is the wall clock.
	tickMsg time.Time
	// foldedMsg is an earlier moment, folded again.
	foldedMsg struct {
		at    int
		scene scene
	}
	// savedMsg says where a copy went.
	savedMsg struct {
		path, message string
	}
)

// Init asks for the first batch and starts the clock.
func (m Model) Init() tea.Cmd { return tea.Batch(m.next(), everySecond()) }

// next waits for the source.
func (m Model) next() tea.Cmd {
	if m.opt.Source == nil {
		return nil
	}
	return func() tea.Msg {
		b, err := m.opt.Source.Next(m.ctx)
		return batchMsg{b, err}
	}
}

func everySecond() tea.Cmd {
	return tea.Every(time.Second, func(t time.Time) tea.Msg { return tickMsg(t) })
}

// verdict is the one on the screen; never nil.
func (m Model) verdict() *diagnose.Verdict { return m.shown.verdict }

// time is now for ages: the wall clock live, the shown batch's time otherwise.
// It moves in steps of five seconds, lest every age be drawn anew each second.
func (m Model) time() time.Time {
	at := m.verdict().At
	if m.opt.Replay || m.at != following || m.now.Before(at) {
		return at
	}
	if now := m.now.Truncate(5 * time.Second); now.After(at) {
		return now
	}
	return at
}

// current is the finding that Verdict and Playbook are about: the selected one
// while it lasts, else the first; nil when there is none.
func (m Model) current() *diagnose.Finding {
	all := m.verdict().All()
	for _, f := range all {
		if idOf(f) == m.finding {
			return f
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

func idOf(f *diagnose.Finding) diagnoseID {
	if f == nil {
		return diagnoseID{}
	}
	return diagnoseID{f.Cause.ID, f.Subject}
}
