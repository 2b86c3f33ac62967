package playbooks

import (
	"reflect"
	"strings"
	"testing"
)

const sample = `# The file system of $LOGDIR is full

First paragraph,
wrapped.

Second one.

## Confirm

- read-only: Look at it,
  over two lines.
  ` + "```sh" + `
  df -h $LOGDIR
  kafka-log-dirs.sh --bootstrap-server $BOOTSTRAP \
      --describe
  ` + "```" + `
  - watch: dir-full, dir-nearly-full

## Fix

- config: Keep less.
  - undo: Set it
    back.

## Prevent

- read-only: Watch it.

` + "```yaml" + `
- alert: Full
  expr: x{a="$labels"} > 1
` + "```" + `
`

func TestParse(t *testing.T) {
	got, err := Parse("/etc/x/disk-full.md", []byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := &Playbook{
		ID: "disk-full", Title: "The file system of $LOGDIR is full",
		Intro: "First paragraph, wrapped.\n\nSecond one.",
		Rule:  "- alert: Full\n  expr: x{a=\"$labels\"} > 1",
		Steps: []Step{
			{Section: Confirm, Risk: ReadOnly, Text: "Look at it, over two lines.", Line: 10, Watch: []string{"dir-full", "dir-nearly-full"},
				Commands: []string{"df -h $LOGDIR", "kafka-log-dirs.sh --bootstrap-server $BOOTSTRAP \\\n    --describe"}},
			{Section: Fix, Risk: Config, Text: "Keep less.", Undo: "Set it back.", Line: 21},
			{Section: Prevent, Risk: ReadOnly, Text: "Watch it.", Line: 27},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	const head = "# T\n\n## Confirm\n\n"
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `x.md:1: expected "# " and the title first`},
		{"no title", "hello", `x.md:1: expected "# " and the title first`},
		{"section first", "## Confirm", `x.md:1: expected "# " and the title first`},
		{"two titles", "# A\n# B", `x.md:2: a second title`},
		{"no steps", "# A\n\nText", `no steps`},
		{"risk", head + `- readonly: look`, `x.md:5: unknown risk "readonly", expected one of read-only, config, restart, data-loss`},
		{"no risk", head + `- look`, `x.md:5: unknown risk "look"`},
		{"step before a section", "# T\n\n- read-only: look", `x.md:3: expected text or a heading`},
		{"section", "# T\n## Repair", `x.md:2: unknown section "Repair", expected one of Confirm, Contain, Fix, Verify, Prevent`},
		{"order", "# T\n## Fix\n- read-only: a\n## Confirm", `x.md:4: section Confirm after Fix`},
		{"twice", "# T\n## Fix\n- read-only: a\n## Fix", `x.md:4: section Fix after Fix`},
		{"no undo", head + "- config: set\n- read-only: look", `x.md:5: step of risk config without undo`},
		{"no undo at the end", head + "- read-only: look\n- restart: set\n", `x.md:6: step of risk restart without undo`},
		{"empty undo", head + "- config: set\n  - undo:", `x.md:6: empty undo`},
		{"empty step", head + "- read-only:", `x.md:5: empty step`},
		{"two undos", head + "- config: set\n  - undo: a\n  - undo: b", `x.md:7: a second undo`},
		{"part", head + "- config: set\n  - redo: a", `x.md:6: unknown part "redo" of a step, expected undo or watch`},
		{"watch", head + "- read-only: set\n  - watch: Lag grows", `x.md:6: watch: "Lag grows" is no id of a sign`},
		{"placeholder", head + "- read-only: see $BROKERS", `x.md:5: unknown placeholder $BROKERS, expected one of $BROKER, `},
		{"placeholder in a command", head + "- read-only: see\n  ```sh\n  ls $HOME\n  ```", `x.md:7: unknown placeholder $HOME`},
		{"quoted placeholder", head + "- read-only: see\n  ```sh\n  ls \"$LOGDIR\"\n  ```", `x.md:7: $LOGDIR within quotes`},
		{"open block", head + "- read-only: see\n  ```sh\n  ls", `x.md:6: block never closed`},
		{"empty block", head + "- read-only: see\n  ```sh\n  ```\n", `x.md:7: command block ends without a whole command`},
		{"half a command", head + "- read-only: see\n  ```sh\n  ls \\\n  ```\n", `x.md:8: command block ends without a whole command`},
		{"two blocks", head + "- read-only: see\n  ```sh\n  ls\n  ```\n  ```sh\n", `x.md:9: a second command block`},
		{"block", head + "- read-only: see\n  ```bash\n", "x.md:6: unknown block \"```bash\""},
		{"comment", head + "- read-only: see\n  ```sh\n  # here\n", `x.md:7: a comment among commands`},
		{"prose after a block", head + "- read-only: see\n  ```sh\n  ls\n  ```\n  and more", `x.md:9: expected a step`},
		{"not indented", head + "- read-only: see\nmore", `x.md:6: expected a step`},
		{"prose", head + "text", `x.md:5: expected a step: "- read-only: …"`},
		{"rule elsewhere", head + "- read-only: see\n```yaml\na\n```", `x.md:6: a rule under Confirm, expected it under Prevent`},
		{"empty rule", "# T\n## Prevent\n- read-only: a\n```yaml\n```", `x.md:5: empty rule`},
		{"step after the rule", "# T\n## Prevent\n- read-only: a\n```yaml\nb\n```\n- read-only: c", `x.md:7: a step after the rule`},
		{"control character", "# T\x1b[2J", `x.md:1: control character '\x1b'`},
		{"not UTF-8", "# T\xff", `x.md:1: not UTF-8 text`},
		{"too large", strings.Repeat("x", maxBytes+1), `x.md:1: file of 262145 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			book, err := Parse("dir/x.md", []byte(c.text))
			if err == nil {
				t.Fatalf("no error, expected %q; got %+v", c.want, book)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, expected %q in it", err, c.want)
			}
		})
	}
}

// FuzzParse: no text makes the parser panic, errors name file and line, and
// what parses keeps the promises of the types.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("# T\n## Confirm\n- read-only: a\n  ```sh\n  x \\\n  ```"))
	f.Add([]byte("# T\n\n## Fix\n\n- config: a `$GROUP\n  - undo: \xff"))
	f.Add([]byte("# T\r\n## Prevent\r\n- read-only: a $\n```yaml\n```"))
	for _, id := range IDs() {
		text, err := builtIn.ReadFile(id + ".md")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		book, err := Parse("x.md", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.md:") {
				t.Fatalf("error %q names no line", err)
			}
			return
		}
		last := 0
		for _, s := range book.Steps {
			if s.Text == "" || s.Line <= last || s.Risk != ReadOnly && s.Undo == "" {
				t.Fatalf("broken step %+v", s)
			}
			last = s.Line
		}
		for _, s := range book.Fill(nil).Steps {
			for _, c := range s.Commands {
				if _, name, _ := cutPlaceholder(c); name != "" {
					t.Fatalf("$%s left in %q", name, c)
				}
			}
		}
	})
}
