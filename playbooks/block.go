package playbooks

import "strings"

// Fenced blocks: the commands of a step, and the rule.

func (p *parser) openCommands(line string) error {
	switch {
	case line != "  ```sh":
		return p.errorf("unknown block %q, expected \"  ```sh\"", strings.TrimSpace(line))
	case p.step.Commands != nil:
		return p.errorf("a second command block, expected one a step")
	}
	p.fence, p.opened, p.into = commands, p.line, nil
	return nil
}

// command reads a line within a command block. A line that ends in a backslash
// goes on in the next one.
func (p *parser) command(line string) error {
	all := p.step.Commands
	goesOn := len(all) > 0 && strings.HasSuffix(all[len(all)-1], `\`)
	if strings.TrimSpace(line) == "```" {
		if len(all) == 0 || goesOn {
			return p.errorf("command block ends without a whole command")
		}
		p.fence = outside
		return nil
	}
	text, indented := strings.CutPrefix(line, "  ")
	switch {
	case !indented:
		return p.errorf("expected the command indented like its block, or ```")
	case strings.HasPrefix(text, "#"):
		return p.errorf("a comment among commands, expected it in the text of the step")
	}
	if err := p.placeholders(text); err != nil {
		return err
	}
	if goesOn {
		all[len(all)-1] += "\n" + text
		text = all[len(all)-1]
	} else {
		p.step.Commands = append(all, text)
	}
	if !strings.HasSuffix(text, `\`) {
		if name := quoted(text); name != "" {
			return p.errorf("$%s within quotes, expected it bare: values are quoted where they need it", name)
		}
	}
	return nil
}

func (p *parser) openRule(line string) error {
	switch {
	case line != "```yaml":
		return p.errorf("unknown block %q, expected \"```yaml\" for the rule, or a command block indented by 2", line)
	case p.section != Prevent:
		return p.errorf("a rule under %s, expected it under %s", p.section, Prevent)
	case p.book.Rule != "":
		return p.errorf("a second rule, expected one block")
	}
	if err := p.endStep(); err != nil {
		return err
	}
	p.fence, p.opened = rule, p.line
	return nil
}

func (p *parser) ruleLine(line string) error {
	if line == "```" {
		p.fence = outside
		p.book.Rule = strings.Trim(p.book.Rule, "\n")
		if p.book.Rule == "" {
			return p.errorf("empty rule")
		}
		return nil
	}
	p.book.Rule += line + "\n"
	return nil
}
