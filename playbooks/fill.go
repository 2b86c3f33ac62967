package playbooks

import (
	"fmt"
	"slices"
	"strings"
)

// Placeholders is every name that a playbook may write after a "$", and that
// Fill takes as a key. There are no others.
var Placeholders = []string{
	"BROKER",    // node id of the broker that the finding is on
	"HOST",      // its host
	"PORT",      // its port
	"PID",       // process id of its JVM
	"CONFIG",    // path of its properties file
	"LOGSDIR",   // directory of its server.log
	"LOGDIR",    // path of the log dir
	"DEVICE",    // device under the log dir, "sda1"
	"TOPIC",     // topic
	"PARTITION", // number of the partition in its topic
	"GROUP",     // consumer group
	"BOOTSTRAP", // host:port of a broker that answers
	"UNIT",      // name of the service that runs the broker
}

// Fill is a copy of the playbook with values in place of placeholders; keys are
// the names in Placeholders. Where a command goes to a shell, in Commands and
// between backquotes, a value is quoted if a shell would read anything into it.
// A placeholder without a value stays readable: "<broker>". Control characters
// of values are dropped from texts and written as escapes in commands.
func (p *Playbook) Fill(vars map[string]string) *Playbook {
	filled := *p
	filled.Title, filled.Intro = fillText(p.Title, vars), fillText(p.Intro, vars)
	filled.Steps = slices.Clone(p.Steps)
	for i := range filled.Steps {
		s := &filled.Steps[i]
		s.Text, s.Undo = fillText(s.Text, vars), fillText(s.Undo, vars)
		s.Watch = slices.Clone(s.Watch)
		s.Commands = slices.Clone(s.Commands)
		for j, c := range s.Commands {
			s.Commands[j] = replace(c, vars, shell)
		}
	}
	return &filled
}

// fillText fills text, the parts between backquotes as commands.
func fillText(text string, vars map[string]string) string {
	parts := strings.Split(text, "`")
	for i, part := range parts {
		how := plain
		if i%2 == 1 {
			how = shell
		}
		parts[i] = replace(part, vars, how)
	}
	return strings.Join(parts, "`")
}

func replace(text string, vars map[string]string, how func(string) string) string {
	var b strings.Builder
	for {
		before, name, after := cutPlaceholder(text)
		b.WriteString(before)
		if name == "" {
			return b.String()
		}
		if value := vars[name]; value != "" {
			b.WriteString(how(value))
		} else {
			b.WriteString("<" + strings.ToLower(name) + ">")
		}
		text = after
	}
}

// cutPlaceholder parts a text around its first "$NAME" in capitals; name is
// empty when there is none. A shell's own $(…), $1 and $name are left alone.
func cutPlaceholder(text string) (before, name, after string) {
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		end := i + 1
		for end < len(text) && ('A' <= text[end] && text[end] <= 'Z' || end > i+1 && (text[end] == '_' || '0' <= text[end] && text[end] <= '9')) {
			end++
		}
		if end > i+1 {
			return text[:i], text[i+1 : end], text[end:]
		}
	}
	return text, "", ""
}

// placeholders checks the names in a line.
func (p *parser) placeholders(text string) error {
	for {
		_, name, after := cutPlaceholder(text)
		if name == "" {
			return nil
		}
		if !slices.Contains(Placeholders, name) {
			return p.errorf("unknown placeholder $%s, expected one of $%s", name, strings.Join(Placeholders, ", $"))
		}
		text = after
	}
}

// quoted is the name of a placeholder that stands within quotes in a command;
// empty when none does.
func quoted(command string) string {
	open := byte(0)
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == '\\' && open != '\'':
			i++
		case open == 0 && (c == '\'' || c == '"'):
			open = c
		case c == open:
			open = 0
		case open != 0 && c == '$':
			if before, name, _ := cutPlaceholder(command[i:]); before == "" && name != "" {
				return name
			}
		}
	}
	return ""
}

// plain is a value for reading: its control characters are gone.
func plain(value string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) || r == '\t' {
			return -1
		}
		return r
	}, value)
}

// harmless is what a shell takes as it stands, beside letters and digits.
const harmless = "-_./:,@%+="

// shell is a value as one word for a POSIX shell; one with control characters
// is in the form $'…' that bash, ksh and zsh read.
func shell(value string) string {
	escape, quote := false, false
	for _, r := range value {
		escape = escape || isControl(r) || r == '\t'
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(harmless, r)) {
			quote = true
		}
	}
	switch {
	case escape:
		return escaped(value)
	case quote:
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

func escaped(value string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}
