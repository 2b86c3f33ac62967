package text

import (
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

// Everything that the catalogue knows of a cause is told: its signs with how they
// speak for it, what drops it, what it leads to, and its playbook.
func TestExplainTellsAllOfACause(t *testing.T) {
	for _, c := range diagnose.All.Causes {
		var b strings.Builder
		if err := Explain(&b, diagnose.All, c.ID); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		tells := func(what string) {
			if !strings.Contains(text, strings.Join(strings.Fields(what), " ")) {
				t.Errorf("%s: %q is not told", c.ID, what)
			}
		}
		for _, l := range c.Signs {
			tells(l.Sign.ID + ": " + l.Sign.Title)
			tells(linkWords(l))
			tells(l.Sign.Doc)
		}
		for _, s := range c.RulesOut {
			tells(s.ID + ": " + s.Title)
		}
		for _, lead := range c.Leads {
			tells(lead.ID + ": " + lead.Title)
		}
		tells(c.Doc)
		for _, section := range []string{"Confirm", "Fix", "Verify", "playbook:"} {
			tells(section)
		}
	}
}

func TestExplainLinkWords(t *testing.T) {
	got := linkWords(diagnose.Link{Strength: diagnose.Often, Decisive: true, Must: true, Follows: true})
	if want := "often, decisive, a no drops the cause, does not point at it by itself"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
