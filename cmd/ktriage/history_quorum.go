package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/probe"
)

// quorumWait is how long the quorum is waited for: its answer is beside the point
// where the past is asked for.
const quorumWait = 2 * time.Second

// committed is the high watermark of this host's quorum, and -1 where nobody tells:
// a copy of the metadata log may end with what was never committed, and no file says
// so. It is not asked for a log that only is named, which may be another cluster's.
func (s *settings) committed(ctx context.Context, t *probe.Target, paths []string) int64 {
	if len(paths)+len(s.logDirs) > 0 || len(t.Brokers()) == 0 {
		return -1
	}
	live := probes.NewLive(t, []*probe.Probe{kafka.Quorum, kafka.Voters}, probes.LiveOptions{Only: s.only, Skip: s.skip, Deadline: quorumWait})
	defer live.Close()
	b, _ := live.Round(ctx) // what did not answer is not known
	var quorum *fact.Quorum
	var voters []fact.VoterSaid
	for _, o := range b.Observations {
		switch v := o.Value.(type) {
		case fact.Quorum:
			quorum = &v
		case []fact.VoterSaid:
			voters = v
		}
	}
	return fact.CommittedBy(quorum, voters)
}

// standing says how far the copy has come beside what the quorum has committed.
func (h *toldHistory) standing() string {
	switch behind := h.committed - h.End; {
	case h.committed < 0:
		return fmt.Sprintf("ends at offset %d; how much of the end was committed is not known", h.End)
	case behind > 0:
		return fmt.Sprintf("ends at offset %d, %s behind the quorum's high watermark, %d", h.End, some(int(behind), "record"), h.committed)
	}
	return fmt.Sprintf("told up to the quorum's high watermark, offset %d", h.committed)
}
