package kafka

import (
	"fmt"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// pointAtStuck points at partitions with a replica that is not in sync although
// its broker lives, where the other replicas of that broker are: the fetcher of
// that partition alone has stopped, and damage is one reason why.
func pointAtStuck(s *probe.Suspects, view *fact.MetadataView) {
	placed, missing := map[int32]int{}, map[int32]int{}
	for i := range view.Partition {
		isr := view.ISR.At(i)
		for _, id := range view.Replicas.At(i) {
			placed[id]++
			if !slices.Contains(isr, id) {
				missing[id]++
			}
		}
	}
	const most = 100 // of many nobody can say which is the one
	pointed := 0
	for i := range view.Partition {
		isr := view.ISR.At(i)
		for _, id := range view.Replicas.At(i) {
			if pointed < most && view.Lives(id) && !slices.Contains(isr, id) && missing[id]*2 <= placed[id] && int(view.Topic[i]) < len(view.Topics) {
				s.Add(fmt.Sprintf("broker %d does not follow it", id), fmt.Sprintf("%s-%d", view.Topics[view.Topic[i]], view.Partition[i]))
				pointed++
			}
		}
	}
}
