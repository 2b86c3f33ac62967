package diagnosetest

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

// TestEveryArrowHasACase wants, for each consequence that the catalogue gives a cause, a
// case where it stands under that cause, or with it under what brought both about; or
// where it is dropped beside that cause, for a log dir is not to blame for a full table
// of descriptors.
func TestEveryArrowHasACase(t *testing.T) {
	type arrow struct{ from, to *diagnose.Cause }
	drawn := map[arrow]bool{}
	for _, k := range allCases(t) {
		v := k.verdict
		for _, root := range v.Findings {
			for _, out := range v.RuledOut {
				a, _ := out.Subject.Owner()
				if b, ok := root.Subject.Owner(); ok && a == b && root.Band.Sure() && out.By.Sign.ID == "dir-other-error-logged" {
					drawn[arrow{root.Cause, out.Cause}] = true
				}
			}
			for _, f := range root.Under {
				drawn[arrow{root.Cause, f.Cause}] = true
				for _, other := range root.Under {
					drawn[arrow{other.Cause, f.Cause}] = true
				}
			}
		}
	}
	for _, c := range diagnose.All.Causes {
		for _, lead := range c.Leads {
			if !drawn[arrow{c, lead}] {
				t.Errorf("no case where %s stands under %s", lead.ID, c.ID)
			}
		}
	}
}
