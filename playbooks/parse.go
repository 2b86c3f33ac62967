package playbooks

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a file, so that a mistaken one cannot fill memory or a screen.
const (
	maxBytes = 256 << 10
	maxSteps = 200
)

// Parse reads a playbook. Its id is the base name of file without ".md". An
// error begins with "base name:line: " and says what was expected there.
func Parse(file string, text []byte) (*Playbook, error) {
	name := path.Base(file)
	p := &parser{name: name, book: &Playbook{ID: strings.TrimSuffix(name, ".md")}}
	if len(text) > maxBytes {
		return nil, p.errorf("file of %d bytes, expected at most %d", len(text), maxBytes)
	}
	if !utf8.Valid(text) {
		return nil, p.errorf("not UTF-8 text")
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		p.line++
		if err := p.read(strings.TrimRight(line, " \t\r")); err != nil {
			return nil, err
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return p.book, nil
}

// fence says which fenced block the parser is inside of.
type fence int

const (
	outside fence = iota
	commands
	rule
)

// parser reads line by line. Where text can be continued, into points at it.
type parser struct {
	name    string
	line    int
	book    *Playbook
	section Section
	step    *Step
	into    *string // what an indented line continues; nil: nothing
	depth   int     // by how many blanks such a line is indented
	fence   fence
	opened  int // line of the open fence
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.name, max(p.line, 1), fmt.Sprintf(format, args...))
}

func (p *parser) read(line string) error {
	if i := strings.IndexFunc(line, isControl); i >= 0 {
		r, _ := utf8.DecodeRuneInString(line[i:])
		return p.errorf("control character %q, expected plain text", r)
	}
	switch p.fence {
	case commands:
		return p.command(line)
	case rule:
		return p.ruleLine(line)
	}
	switch {
	case line == "":
		p.into = nil
		return nil
	case strings.HasPrefix(line, "# "):
		return p.title(line[2:])
	case strings.HasPrefix(line, "## "):
		return p.heading(line[3:])
	case p.book.Title == "":
		return p.errorf("expected \"# \" and the title first")
	case p.section == "":
		return p.intro(line)
	case strings.HasPrefix(line, "- "):
		return p.begin(line[2:])
	case strings.HasPrefix(line, "```"):
		return p.openRule(line)
	case p.step == nil:
		return p.errorf("expected a step: \"- %s: …\"", Risks[0])
	case strings.HasPrefix(line, "  ```"):
		return p.openCommands(line)
	case strings.HasPrefix(line, "  - "):
		return p.part(line[4:])
	}
	return p.more(line)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || 0x80 <= r && r < 0xa0 }

func (p *parser) title(text string) error {
	if p.book.Title != "" {
		return p.errorf("a second title, expected one")
	}
	p.book.Title = strings.TrimSpace(text)
	if p.book.Title == "" {
		return p.errorf("empty title")
	}
	return nil
}

// intro adds a line: to the paragraph before it, or as a new one where the
// paragraph's end was marked by an empty line.
func (p *parser) intro(line string) error {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "- ") {
		return p.errorf("expected text or a heading, one of %s", listed(Sections))
	}
	if err := p.placeholders(line); err != nil {
		return err
	}
	switch {
	case p.book.Intro == "":
		p.book.Intro = line
	case p.into == nil:
		p.book.Intro += "\n\n" + line
	default:
		p.book.Intro += " " + strings.TrimSpace(line)
	}
	p.into = &p.book.Intro
	return nil
}

func (p *parser) heading(text string) error {
	if p.book.Title == "" {
		return p.errorf("expected \"# \" and the title first")
	}
	next := slices.Index(Sections, Section(text))
	if next < 0 {
		return p.errorf("unknown section %q, expected one of %s", text, listed(Sections))
	}
	if p.section != "" && next <= slices.Index(Sections, p.section) {
		return p.errorf("section %s after %s, expected the order %s", text, p.section, listed(Sections))
	}
	if err := p.endStep(); err != nil {
		return err
	}
	p.section = Section(text)
	return nil
}

// begin starts a step at "risk: text".
func (p *parser) begin(line string) error {
	if err := p.endStep(); err != nil {
		return err
	}
	if p.book.Rule != "" {
		return p.errorf("a step after the rule, expected the rule last")
	}
	if len(p.book.Steps) >= maxSteps {
		return p.errorf("more than %d steps", maxSteps)
	}
	risk, text, found := strings.Cut(line, ":")
	if !found || !slices.Contains(Risks, Risk(risk)) {
		return p.errorf("unknown risk %q, expected one of %s", risk, listed(Risks))
	}
	p.book.Steps = append(p.book.Steps, Step{Section: p.section, Risk: Risk(risk), Line: p.line})
	p.step = &p.book.Steps[len(p.book.Steps)-1]
	return p.start(&p.step.Text, text, 2)
}

// part reads "undo: …" or "watch: …" of a step.
func (p *parser) part(line string) error {
	word, text, _ := strings.Cut(line, ":")
	text = strings.TrimSpace(text)
	switch word {
	case "undo":
		if p.step.Undo != "" {
			return p.errorf("a second undo, expected one")
		}
		if text == "" {
			return p.errorf("empty undo")
		}
		return p.start(&p.step.Undo, text, 4)
	case "watch":
		if p.step.Watch != nil {
			return p.errorf("a second watch, expected one with all signs")
		}
		p.into = nil
		for id := range strings.SplitSeq(text, ",") {
			id = strings.TrimSpace(id)
			if !isID(id) {
				return p.errorf("watch: %q is no id of a sign, expected ids parted by commas", id)
			}
			p.step.Watch = append(p.step.Watch, id)
		}
		return nil
	}
	return p.errorf("unknown part %q of a step, expected undo or watch", word)
}

// start begins a text that lines indented by depth continue.
func (p *parser) start(into *string, text string, depth int) error {
	*into = ""
	p.into, p.depth = into, depth
	return p.add(text)
}

func (p *parser) more(line string) error {
	indent := strings.Repeat(" ", p.depth)
	if p.into == nil || !strings.HasPrefix(line, indent) || strings.HasPrefix(line, indent+" ") {
		return p.errorf("expected a step, its text indented by 2, a command block, undo or watch")
	}
	return p.add(line)
}

func (p *parser) add(text string) error {
	if err := p.placeholders(text); err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	if *p.into != "" && text != "" {
		*p.into += " "
	}
	*p.into += text
	return nil
}

// endStep checks the step that is complete now.
func (p *parser) endStep() error {
	s := p.step
	p.step, p.into = nil, nil
	if s == nil {
		return nil
	}
	at := &parser{name: p.name, line: s.Line}
	switch {
	case s.Text == "":
		return at.errorf("empty step, expected what to do")
	case s.Risk != ReadOnly && s.Undo == "":
		return at.errorf("step of risk %s without undo, expected \"  - undo: …\" (it may say that there is none)", s.Risk)
	}
	return nil
}

func (p *parser) end() error {
	if p.fence != outside {
		p.line = p.opened
		return p.errorf("block never closed, expected ``` below")
	}
	if err := p.endStep(); err != nil {
		return err
	}
	if p.book.Title == "" {
		return p.errorf("expected \"# \" and the title first")
	}
	if len(p.book.Steps) == 0 {
		return p.errorf("no steps, expected sections of %s", listed(Sections))
	}
	return nil
}

func listed[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// isID says whether a text has the form of an id: "disk-full".
func isID(s string) bool {
	for _, r := range s {
		if !(r == '-' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9') {
			return false
		}
	}
	return s != "" && s[0] != '-'
}
