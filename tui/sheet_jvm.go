package tui

import (
	"fmt"
	"math"
	"slices"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// jvmMeasures are of a broker's JVM.
var jvmMeasures = []measure{
	{title: "heap in use, share", of: numbers{fact.HeapUsed}, per: numbers{fact.HeapMax}, unit: fact.Ratio},
	{title: "heap in use", of: numbers{fact.HeapUsed}, unit: fact.Bytes},
	{title: "heap in use, least share", of: numbers{fact.HeapLow}, per: numbers{fact.HeapMax}, unit: fact.Ratio, sign: "heap-full-after-gc"},
	{title: "heap after a collection", of: numbers{fact.HeapAfterGC}, per: numbers{fact.HeapMax}, unit: fact.Ratio},
	{title: "old generation in use", of: numbers{fact.OldUsed}, per: numbers{fact.OldMax}, unit: fact.Ratio},
	{title: "old generation after one", of: numbers{fact.OldAfterGC}, per: numbers{fact.OldMax}, unit: fact.Ratio},
	{title: "eden in use", of: numbers{fact.EdenUsed}, unit: fact.Bytes},
	{title: "metaspace in use", of: numbers{fact.MetaspaceUsed}, unit: fact.Bytes},
	{title: "time in collections", of: numbers{fact.GCYoungSeconds, fact.GCFullSeconds}, rate: true, unit: fact.Ratio, sign: "gc-time-share"},
	{title: "time in young collections", of: numbers{fact.GCYoungSeconds}, rate: true, unit: fact.Ratio},
	{title: "young pause", of: numbers{fact.GCYoungSeconds}, rate: true, per: numbers{fact.GCYoungCount}, unit: fact.Seconds, sign: "gc-pauses-long"},
	{title: "young collections", of: numbers{fact.GCYoungCount}, rate: true, unit: fact.Count, sign: "young-pauses-pile"},
	{title: "full collections", of: numbers{fact.GCFullCount}, unit: fact.Count},
	{title: "full pause", of: numbers{fact.GCFullSeconds}, rate: true, per: numbers{fact.GCFullCount}, unit: fact.Seconds, sign: "gc-pauses-long"},
	{title: "pause of a concurrent cycle", of: numbers{fact.GCConcurrentSeconds}, rate: true, per: numbers{fact.GCConcurrentCount}, unit: fact.Seconds, sign: "gc-pauses-long"},
	{title: "standing still, any reason", of: numbers{fact.SafepointSeconds}, rate: true, unit: fact.Ratio},
	{title: "a stop of any reason", of: numbers{fact.SafepointSeconds}, rate: true, per: numbers{fact.SafepointCount}, unit: fact.Seconds},
	{title: "CPUs used by the collector", of: numbers{fact.GCThreadSeconds}, rate: true},
	{title: "live threads", of: numbers{fact.JavaThreads}, unit: fact.Count},
	{title: "GC log: time in pauses", of: numbers{fact.GCPauseSeconds}, rate: true, unit: fact.Ratio},
	{title: "GC log: a pause", of: numbers{fact.GCPauseSeconds}, rate: true, per: numbers{fact.GCPauseCount}, unit: fact.Seconds},
	{title: "GC log: humongous of all", of: numbers{fact.GCHumongousCount}, rate: true, per: numbers{fact.GCYoungLogged}, unit: fact.Ratio, sign: "humongous-pauses"},
	{title: "GC log: allocated", of: numbers{fact.GCAllocated}, rate: true, unit: fact.Bytes},
	{title: "GC log: promoted", of: numbers{fact.GCPromoted}, rate: true, unit: fact.Bytes},
	{title: "GC log: evacuation failures", of: numbers{fact.GCEvacuationFailures}, unit: fact.Count},
	{title: "GC log: allocation stalls", of: numbers{fact.GCStallCount}, rate: true, unit: fact.Count},
	{title: "GC log: heap after", of: numbers{fact.GCHeapAfter}, unit: fact.Bytes},
	{title: "GC log: old after", of: numbers{fact.GCOldAfter}, unit: fact.Bytes},
}

// jvmSheet is the JVMs of the brokers: heap, pauses and their causes, threads.
func jvmSheet(s *material) sheet {
	var entries []entry
	for _, on := range s.subjects(jvmMeasures) {
		entries = append(entries, s.entriesOn(jvmMeasures, on, processName(on))...)
		entries = append(entries, s.causeEntries(on)...)
		entries = append(entries, s.roleEntries(on)...)
	}
	if len(entries) == 0 {
		entries = append(entries, s.nobody("jvm", fact.HeapUsed))
	}
	var about []string
	for _, on := range fact.JVMVersion.Subjects(s.facts) {
		if version, ok := fact.JVMVersion.Latest(s.facts, on); ok {
			collector, _ := fact.JVMCollector.Latest(s.facts, on)
			about = append(about, fmt.Sprintf("%s: %s %s", processName(on), version, collector))
		}
	}
	return listed("JVM", some(about), "nothing has looked at a JVM yet", measured, entries, measuredOrders(entries)...)
}

// causeEntries is the pauses of a GC log by cause, most time first.
func (s *material) causeEntries(on fact.Subject) []entry {
	log, ok := fact.GCLogged.Latest(s.facts, on)
	if !ok {
		return nil
	}
	var all []entry
	for _, c := range log.Causes[:min(len(log.Causes), 6)] {
		e := s.plain(on, "pauses: "+c.Name, number(c.Total, fact.Seconds))
		e.cells[3] = plural(c.Count, "time")
		e.say = []string{fmt.Sprintf("%s pauses because of %s took %s in all, by the GC log.", number(float64(c.Count), fact.Count), c.Name, number(c.Total, fact.Seconds))}
		all = append(all, e)
	}
	return all
}

// roleEntries is the threads of a process by role, those with most CPU first.
func (s *material) roleEntries(on fact.Subject) []entry {
	roles, ok := fact.JVMThreadRoles.Latest(s.facts, on)
	if !ok {
		return nil
	}
	var all []entry
	for _, r := range roles {
		f, role := s.facts, r.Role
		points := func() []diagnose.Point { return roleRate(f, on, role) }
		e := s.plain(on, "threads: "+r.Role, "")
		if p := points(); len(p) > 0 && p[len(p)-1].Known {
			e.rank[0] = p[len(p)-1].Value / 1e9 // beside what has a limit it does not count
			e.cells[2], e.cells[4] = number(p[len(p)-1].Value, fact.None)+" CPU", trend(p, s.glyphs.steps, false)
		}
		e.say = []string{fmt.Sprintf("%s of role %s, %d running, %d in state D at the moment; CPUs that they use (jvm.threads.roles).", plural(r.Count, "thread"), r.Role, r.Running, r.Blocked)}
		e.curve = &curve{title: "CPUs used by " + r.Role + " threads", on: on, points: points}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		switch {
		case a.rank[0] > b.rank[0]:
			return -1
		case a.rank[0] < b.rank[0]:
			return 1
		}
		return 0
	})
	return all
}

// roleRate is how many CPUs the threads of a role used.
func roleRate(f diagnose.Facts, on fact.Subject, role string) []diagnose.Point {
	var all []diagnose.Point
	var before *fact.Sample
	cpu := -1.0
	for _, s := range f.Past(fact.JVMThreadRoles.Def(), on) {
		roles, _ := s.Value.([]fact.ThreadRole)
		at := slices.IndexFunc(roles, func(r fact.ThreadRole) bool { return r.Role == role })
		if at < 0 {
			before = nil
			continue
		}
		if before != nil && roles[at].CPU >= cpu && s.At.After(before.At) {
			all = append(all, diagnose.Point{At: s.At, Value: (roles[at].CPU - cpu) / s.At.Sub(before.At).Seconds(), Known: true})
		}
		before, cpu = &s, roles[at].CPU
	}
	return all
}

// plain is a line that no sign looks at.
func (s *material) plain(on fact.Subject, what, now string) entry {
	return entry{key: what + on.String(), mark: span{s.glyphs.neutral, dim}, name: 1, rank: []float64{math.Inf(-1)}, cells: []string{processName(on), what, now, "", "", ""}}
}
