package playbooks_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/playbooks"
)

// builtIn is every playbook, unmixed with those of whoever runs the tests.
func builtIn(t *testing.T) []*playbooks.Playbook {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var all []*playbooks.Playbook
	for _, id := range playbooks.IDs() {
		book, err := playbooks.For(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, book)
	}
	return all
}

func causes() []*diagnose.Cause {
	return append(slices.Clone(diagnose.All.Causes), diagnose.All.None)
}

func TestEveryCauseHasAPlaybook(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var ids []string
	for _, c := range causes() {
		ids = append(ids, c.Playbook())
		if _, err := playbooks.For(c.Playbook()); err != nil {
			t.Error(err)
		}
	}
	for _, id := range playbooks.IDs() {
		if !slices.Contains(ids, id) {
			t.Errorf("playbook %s is of no cause", id)
		}
	}
}

func TestEveryWatchedSignExists(t *testing.T) {
	for _, book := range builtIn(t) {
		for _, s := range book.Steps {
			for _, id := range s.Watch {
				if !slices.ContainsFunc(diagnose.All.Signs, func(x *diagnose.Sign) bool { return x.ID == id }) {
					t.Errorf("%s.md:%d: watch: no sign %q in the catalogue", book.ID, s.Line, id)
				}
			}
		}
	}
}

// A playbook begins with a look, ends with one, and shows what must move back.
func TestShape(t *testing.T) {
	for _, book := range builtIn(t) {
		watched := map[playbooks.Section]int{}
		for _, s := range book.Steps {
			watched[s.Section] += len(s.Watch)
			if s.Section == playbooks.Confirm && s.Risk != playbooks.ReadOnly {
				t.Errorf("%s.md:%d: %s while confirming", book.ID, s.Line, s.Risk)
			}
		}
		for _, section := range playbooks.Sections {
			if _, any := watched[section]; !any {
				t.Errorf("%s.md has no step under %s", book.ID, section)
			}
		}
		if watched[playbooks.Confirm] == 0 || watched[playbooks.Verify] == 0 {
			t.Errorf("%s.md watches no sign under Confirm or Verify", book.ID)
		}
		if book.Intro == "" {
			t.Errorf("%s.md has no introduction", book.ID)
		}
	}
}

// tools is the words and options of Kafka's own tools, as their --help printed
// them.
func tools(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/kafka-options.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			all[f[0]] = f[1:]
		}
	}
	return all
}

var kafkaTool = regexp.MustCompile("kafka-[a-z-]+\\.sh[^|>`]*")

// Every Kafka command, also those within text, has a tool and options that exist.
func TestKafkaCommandsExist(t *testing.T) {
	known := tools(t)
	seen := 0
	for _, book := range builtIn(t) {
		for _, s := range book.Steps {
			for _, command := range kafkaTool.FindAllString(strings.Join(append(s.Commands, inCode(s.Text)...), "|")+"|"+strings.Join(inCode(s.Undo), "|"), -1) {
				seen++
				words := strings.Fields(command)
				options, ok := known[words[0]]
				if !ok {
					t.Errorf("%s.md:%d: no tool %s", book.ID, s.Line, words[0])
				}
				for _, w := range words[1:] {
					if strings.HasPrefix(w, "-") && !slices.Contains(options, w) {
						t.Errorf("%s.md:%d: %s has no option %s", book.ID, s.Line, words[0], w)
					}
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands seen", seen)
	}
}

// inCode is the parts of a text between backquotes.
func inCode(text string) []string {
	var all []string
	for i, part := range strings.Split(text, "`") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// The risk word of a step is at least what its commands do.
func TestRiskIsHonest(t *testing.T) {
	rank := func(r playbooks.Risk) int { return slices.Index(playbooks.Risks, r) }
	for _, book := range builtIn(t) {
		for _, s := range book.Steps {
			for _, command := range s.Commands {
				least := playbooks.ReadOnly
				for _, p := range []struct {
					does string
					risk playbooks.Risk
				}{
					{`--alter|leader-election|tune2fs|sysctl -w|--add-config`, playbooks.Config},
					{`systemctl (start|stop|restart)|\bkill\b|heap_dump`, playbooks.Restart},
					{`unclean\.leader\.election\.enable=true|(?i:election-type unclean)|--execute|retention\.bytes=|min\.insync\.replicas=1|^mv |storage.sh format|\brm\b|umount`, playbooks.DataLoss},
				} {
					if regexp.MustCompile(p.does).MatchString(command) {
						least = p.risk
					}
				}
				if rank(s.Risk) < rank(least) {
					t.Errorf("%s.md:%d: %q is called %s, and is %s", book.ID, s.Line, command, s.Risk, least)
				}
			}
		}
	}
}
