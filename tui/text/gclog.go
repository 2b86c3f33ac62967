package text

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// GCLogSchema is the name of the object that GCLogJSON writes;
// docs/gclog.schema.json describes it.
const GCLogSchema = "ktriage.gclog/v1"

// GCLogReading is what was read of GC logs, and what could not be.
type GCLogReading struct {
	Files  []string
	Log    fact.GCLog
	Unread []string // errors of files that broke off; nil: everything was read
}

// Exit is the exit status: 0 clean, 1 a limit is passed, 3 something could not
// be told.
func (r GCLogReading) Exit() int {
	code := 0
	if len(r.Unread) > 0 {
		code = 3
	}
	for _, l := range diagnose.GCLimits(r.Log) {
		switch l.Outcome {
		case diagnose.Yes:
			return 1
		case diagnose.Unknown:
			code = 3
		}
	}
	return code
}

// gclogDocument is a GCLog, with null for what is not told, and what is made of
// it.
type gclogDocument struct {
	Schema string   `json:"schema"`
	Tool   tool     `json:"tool"`
	Files  []string `json:"files"`
	fact.GCLog
	JDK        *string    `json:"jdk"`
	Collector  *string    `json:"collector"`
	From       *time.Time `json:"from"`
	To         *time.Time `json:"to"`
	Throughput *float64   `json:"throughput_ratio"`
	Limits     []gcLimit  `json:"limits"`
	Unread     []string   `json:"unread"`
}

type gcLimit struct {
	Name    string           `json:"name"`
	Value   *float64         `json:"value"`
	Limit   float64          `json:"limit"`
	Unit    fact.Unit        `json:"unit"`
	Outcome diagnose.Outcome `json:"outcome"`
	Text    string           `json:"text,omitempty"`
}

// GCLogJSON writes one object.
func GCLogJSON(w io.Writer, r GCLogReading, about About) error {
	l := r.Log
	doc := gclogDocument{
		Schema: GCLogSchema, Tool: tool{about.Version}, Files: append([]string{}, r.Files...), GCLog: l,
		JDK: word(l.JDK), Collector: word(l.Collector), From: moment(l.From), To: moment(l.To), Unread: append([]string{}, r.Unread...),
	}
	if share, ok := diagnose.GCThroughput(l); ok {
		doc.Throughput = &share
	}
	for _, x := range diagnose.GCLimits(l) {
		doc.Limits = append(doc.Limits, gcLimit{x.Name, number(x.Value), x.Limit, x.Unit, x.Outcome, x.Text})
	}
	if err := json.NewEncoder(w).Encode(doc); err != nil {
		return fmt.Errorf("write the GC log's numbers: %w", err)
	}
	return nil
}

// GCLog writes what a GC log tells as text of 80 columns.
func GCLog(w io.Writer, r GCLogReading) error {
	var b strings.Builder
	l := r.Log
	gclogHead(&b, r)
	fmt.Fprintf(&b, "\n%-22s %12s %12s  %s\n", "LIMIT", "VALUE", "ALLOWED", "")
	for _, x := range diagnose.GCLimits(l) {
		sign := "<"
		if x.Name == "throughput" {
			sign = ">"
		}
		value, says := "-", "ok"
		switch x.Outcome {
		case diagnose.Yes:
			says = "BEYOND IT"
		case diagnose.Unknown:
			says = "cannot tell: " + x.Text
		case diagnose.NotApplicable:
			says = "-  " + x.Text
		}
		if v := number(x.Value); v != nil {
			value = gcValue(*v, x.Unit)
		}
		fmt.Fprintf(&b, "%-22s %12s %12s  %s\n", x.Name, value, sign+" "+gcValue(x.Limit, x.Unit), says)
	}
	gclogPauses(&b, l)
	gclogHeap(&b, l)
	for _, u := range r.Unread {
		b.WriteString(wrap("NOT READ  ", "          ", u))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the GC log's numbers: %w", err)
	}
	return nil
}

func gclogHead(b *strings.Builder, r GCLogReading) {
	l := r.Log
	b.WriteString(wrap("GC LOG    ", "          ", strings.Join(r.Files, ", ")))
	b.WriteString(wrap("JVM       ", "          ", fmt.Sprintf("%s, JDK %s, %s format, %s", or(l.Collector, "collector not told"), or(l.JDK, "not told"), or(l.Format, "no"), plural(l.Runs, "start"))))
	span := "no time stamps"
	if l.Span != nil {
		span = gcValue(*l.Span, fact.Seconds)
		if !l.From.IsZero() {
			span += ", " + stamp(l.From) + " to " + stamp(l.To)
		}
	}
	b.WriteString(wrap("SPAN      ", "          ", span))
	if l.Broken > 0 {
		b.WriteString(wrap("BROKEN    ", "          ", plural(l.Broken, "record")+" not understood"))
	}
}

func gclogPauses(b *strings.Builder, l fact.GCLog) {
	fmt.Fprintf(b, "\n%-34s %7s %12s\n", "PAUSES", "COUNT", "TOTAL")
	fmt.Fprintf(b, "%-34s %7d %12s\n", "all", l.Pauses.Count, gcValue(l.Pauses.Total, fact.Seconds))
	for _, k := range l.Kinds {
		fmt.Fprintf(b, "  %-32s %7d %12s\n", Clean(k.Name), k.Count, gcValue(k.Total, fact.Seconds))
	}
	fmt.Fprintf(b, "by cause\n")
	for _, k := range l.Causes {
		fmt.Fprintf(b, "  %-32s %7d %12s\n", cut(Clean(k.Name), 32), k.Count, gcValue(k.Total, fact.Seconds))
	}
	if l.Stalls.Count > 0 {
		fmt.Fprintf(b, "%-34s %7d %12s\n", "threads stalled for memory", l.Stalls.Count, gcValue(l.Stalls.Total, fact.Seconds))
	}
	if l.Stops != nil {
		fmt.Fprintf(b, "%-34s %7d %12s\n", "safepoints, for any reason", l.Stops.Count, gcValue(l.Stops.Total, fact.Seconds))
	}
	if l.Evac > 0 {
		fmt.Fprintf(b, "%-34s %7d\n", "evacuation or promotion failed", l.Evac)
	}
	for i, p := range l.Longest {
		if i == 3 {
			break
		}
		at := ""
		switch {
		case !p.At.IsZero():
			at = stamp(p.At)
		case p.Uptime != nil:
			at = fmt.Sprintf("%.3f s after the start", *p.Uptime)
		}
		b.WriteString(wrap("longest   ", "          ", fmt.Sprintf("%s %s (%s) %s", gcValue(p.Seconds, fact.Seconds), p.Kind, p.Cause, at)))
	}
}

func gclogHeap(b *strings.Builder, l fact.GCLog) {
	h := l.Heap
	if h.After == nil {
		return
	}
	says := []string{gcValue(*h.After, fact.Bytes) + " after the last collection", gcValue(*h.AfterPeak, fact.Bytes) + " at most after one"}
	if h.AfterFull != nil {
		says = append(says, gcValue(*h.AfterFull, fact.Bytes)+" after the last full one")
	}
	if most := h.Max; most != nil {
		says = append(says, "of "+gcValue(*most, fact.Bytes))
	} else if h.Capacity != nil {
		says = append(says, "of "+gcValue(*h.Capacity, fact.Bytes))
	}
	if l.Span != nil && *l.Span > 0 {
		says = append(says, fmt.Sprintf("allocates %s/s, promotes %s/s", gcValue(h.Allocated / *l.Span, fact.Bytes), gcValue(h.Promoted / *l.Span, fact.Bytes)))
	}
	b.WriteString(wrap("\nHEAP      ", "          ", strings.Join(says, ", ")))
}

// gcValue is a value in the unit that people read.
func gcValue(v float64, unit fact.Unit) string {
	switch {
	case unit == fact.Ratio:
		return fmt.Sprintf("%.2f%%", v*100)
	case unit == fact.Bytes && v >= 1<<30:
		return fmt.Sprintf("%.1f GiB", v/(1<<30))
	case unit == fact.Bytes:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	case unit == fact.Seconds && v >= 1:
		return fmt.Sprintf("%.2f s", v)
	case unit == fact.Seconds:
		return fmt.Sprintf("%.3f ms", v*1000)
	}
	return fmt.Sprintf("%.4g", v)
}
