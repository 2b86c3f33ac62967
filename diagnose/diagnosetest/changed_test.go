package diagnosetest

import (
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

// TestChangedForAGroup: what befell a group before its own finding began is told
// with that, and neither the finding itself nor what befell other groups.
func TestChangedForAGroup(t *testing.T) {
	c, err := Parse("changed.case", []byte(`group fraud kafka.group.state "Stable"
group fraud kafka.group.members 1
group fraud kafka.group.generation 2
offsets fraud payments-0 2000 0 3100
group fraud disk.group {"partition":9,"first":"2026-02-28T20:00:00Z","last":"2026-03-01T00:59:58Z","state":"stable","generations":{"at":[],"number":[],"members":[]},"rewinds":[{"at":"2026-03-01T00:20:00Z","topic":"payments","partition":0,"from":3013,"to":0,"now":2000}]}
cluster disk.groups.changes {"copy":{"node":1,"dir":"/data","last":"2026-03-01T00:59:58Z","end":0},"from":"2026-02-28T19:00:00Z","all":[{"at":"2026-03-01T00:18:00Z","kind":"generation-changed","scope":"group","name":"fraud","broker":-1,"before":"1","after":"2","count":1,"text":"group fraud rebalanced: generation 2, 1 member"},{"at":"2026-03-01T00:19:00Z","kind":"offsets-deleted","scope":"group","name":"billing","topic":"payments","broker":-1,"before":"7","after":"","count":1,"text":"group billing: committed offset of payments-0 was deleted, it was 7"},{"at":"2026-03-01T00:20:00Z","kind":"offset-rewound","scope":"group","name":"fraud","topic":"payments","broker":-1,"before":"3013","after":"0","count":1,"text":"group fraud: committed offset of payments-0 went back from 3013 to 0"}]}
+10s
again
offsets fraud payments-0 2060 0 3110
want first offset-rewind
`))
	if err != nil {
		t.Fatal(err)
	}
	s := diagnose.NewSession(diagnose.All)
	for _, b := range c.Batches {
		s.Apply(b)
	}
	var texts []string
	for _, one := range s.Verdict().Changed {
		if one.Of.Cause.ID == "offset-rewind" {
			texts = append(texts, one.Text)
		}
	}
	if !slices.Equal(texts, []string{"group fraud rebalanced: generation 2, 1 member"}) {
		t.Errorf("changed before it: %q", texts)
	}
}
