package diagnose

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// BenchmarkInference concludes from readings of the first 64 signs, and of all
// signs, on 50 subjects each: most of them no, some unknown, and trouble on one
// broker in five. At most 5 ms are allowed for it.
func BenchmarkInference(b *testing.B) {
	for _, n := range []int{64, len(All.Signs)} {
		b.Run(fmt.Sprintf("%dx50", n), func(b *testing.B) {
			states := manyReadings(All.Signs[:n], 50)
			began := processor(b)
			for b.Loop() {
				for _, g := range All.groups(states) {
					g.weigh()
				}
			}
			b.ReportMetric((processor(b)-began).Seconds()*1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// processor is the processor time that this process has had: on a busy host the
// clock says nothing.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// manyReadings is a reading of each sign on each of so many subjects of its scope.
func manyReadings(signs []*Sign, subjects int) (all []SignState) {
	now := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	for i, sign := range signs {
		of := subjects
		if sign.On == fact.Cluster {
			of = 1
		}
		for s := range of {
			name := fmt.Sprint(s)
			if sign.On == fact.LogDir {
				name += ":/data"
			}
			if sign.On == fact.Cluster {
				name = fact.TheCluster.Name
			}
			st := SignState{Sign: sign, Subject: fact.Subject{Scope: sign.On, Name: name}, At: now}
			switch {
			case s%5 == 0 && i%7 == s/5%7:
				st.Reading = yes("yes")
			case (i+s)%11 == 0:
				st.Reading = notYet("wants two samples")
			default:
				st.Reading = no("no")
			}
			all = append(all, st)
		}
	}
	return all
}
