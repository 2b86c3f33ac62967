package probe

import (
	"fmt"
	"testing"
)

func TestSuspects(t *testing.T) {
	var s Suspects
	if got := s.All(); len(got) != 0 {
		t.Fatalf("%v before anyone pointed at anything", got)
	}
	s.Add("corrupt record in the log", "orders-3", "orders-4")
	s.Add("its follower has stopped", "orders-3")
	want := []Suspect{{"orders-3", "corrupt record in the log"}, {"orders-4", "corrupt record in the log"}}
	if got := s.All(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, expected %v", got, want)
	}
	for i := range mostSuspects {
		s.Add("many", fmt.Sprintf("many-%d", i))
	}
	got := s.All()
	if len(got) != mostSuspects || got[0].Partition != fmt.Sprintf("many-%d", mostSuspects-1) || got[len(got)-1].Partition != "many-0" {
		t.Errorf("%d kept, from %v to %v", len(got), got[0], got[len(got)-1])
	}
}
