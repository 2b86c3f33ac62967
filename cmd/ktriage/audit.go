package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/tui/text"
)

func newAudit(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "audit", Short: "What an observation sends, opens and runs", Args: cobra.NoArgs,
		Long: "Runs every probe once and lists what was sent, opened and run, with count, bytes and time.",
		RunE: func(cmd *cobra.Command, _ []string) error { return s.audit(cmd.Context()) },
	}
}

// audit runs one round and prints the ledger.
func (s *settings) audit(ctx context.Context) error {
	t := s.target()
	defer t.Close()
	live := s.live(t)
	defer live.Close()
	if _, err := live.Round(ctx); err != nil {
		return err
	}
	if err := ambiguous(t); err != nil {
		return err
	}
	entries := gathered(t.Ledger.Entries(), t.Brokers())
	if s.output == "json" {
		return s.auditJSON(entries)
	}
	_, err := io.WriteString(s.out, auditText(entries))
	return err
}

// auditText is a table of acts. A file's name can hold anything: whoever has an
// account here gives names under /tmp.
func auditText(entries []probe.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-8s %6s %10s %9s  %s\n", "act", "count", "bytes", "ms", "object")
	for _, e := range entries {
		fmt.Fprintf(&b, "%-8s %6d %10d %9.1f  %s\n", text.Clean(e.Act), e.Count, e.Bytes, e.Time.Seconds()*1000, text.Clean(e.Object))
	}
	return b.String()
}

// gathered joins the acts on processes that are no brokers: discovery looks at
// every process there is, and which ones is of no interest.
func gathered(all []probe.Entry, brokers []fact.LocalBroker) []probe.Entry {
	own := map[string]bool{"self": true}
	for _, b := range brokers {
		own[strconv.Itoa(b.PID)] = true
	}
	byName := map[[2]string]*probe.Entry{}
	var out []*probe.Entry
	for _, e := range all {
		if rest, ok := strings.CutPrefix(e.Object, "/proc/"); ok {
			pid, file, _ := strings.Cut(rest, "/")
			if _, err := strconv.Atoi(pid); err == nil && !own[pid] {
				e.Object = "/proc/PID/" + file
			}
		}
		key := [2]string{e.Act, e.Object}
		if known := byName[key]; known != nil {
			known.Count += e.Count
			known.Bytes += e.Bytes
			known.Time += e.Time
			continue
		}
		byName[key] = &e
		out = append(out, &e)
	}
	joined := make([]probe.Entry, 0, len(out))
	for _, e := range out {
		joined = append(joined, *e)
	}
	return joined
}

func (s *settings) auditJSON(entries []probe.Entry) error {
	type act struct {
		probe.Entry
		Seconds float64 `json:"duration_seconds"`
	}
	all := []act{}
	for _, e := range entries {
		all = append(all, act{e, e.Time.Seconds()})
	}
	return json.NewEncoder(s.out).Encode(struct {
		Schema string `json:"schema"`
		Acts   []act  `json:"acts"`
	}{"ktriage.audit/v1", all})
}
