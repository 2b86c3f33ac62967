package diagnose

import (
	"fmt"

	"github.com/ktriage/ktriage/diagnose/fact"
)

var heapExhaustion = &Cause{
	ID: "heap-exhaustion", Title: "heap exhausted", Fault: memoryPressure, Severity: Critical, On: fact.Process, Prior: 0.005,
	Doc: "The heap is full of live objects: collections run one after the other and free nothing, until a thread meets OutOfMemoryError or the broker is fenced.",
	Signs: []Link{
		{Sign: heapFullAfterGC, Strength: Always, Decisive: true},
		{Sign: fullGCsRepeat, Strength: Often},
		{Sign: gcTimeShare, Strength: Often},
		{Sign: outOfMemoryLogged, Strength: Sometimes, Decisive: true},
	},
	Leads: []*Cause{gcPause, brokerCrashed},
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("the heap of broker %s is exhausted: %s", s.Name, gist(yes, heapFullAfterGC, outOfMemoryLogged))
	},
}

var gcPause = &Cause{
	ID: "gc-pause", Title: "long collections", Fault: highLatency, Severity: Major, On: fact.Process, Prior: 0.01,
	Doc: "Stop-the-world collections are long and take much of the time: every request of the broker waits for them.",
	Signs: []Link{
		{Sign: gcPausesLong, Strength: Always, Decisive: true},
		{Sign: gcTimeShare, Strength: Always, Must: true},
		{Sign: acceptsSilently, Strength: Sometimes},
	},
	Leads: []*Cause{brokerFenced, slowFollower}, // its heartbeats wait too, and its fetches
	Says: func(s fact.Subject, yes []SignState) string {
		return fmt.Sprintf("broker %s stands still for collections: %s", s.Name, gist(yes, gcTimeShare, gcPausesLong))
	},
}
