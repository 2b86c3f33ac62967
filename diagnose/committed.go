package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// A copy of the metadata log may end with records that the quorum never committed
// and that will be cut off again; no file says where they begin. The quorum does,
// where it answers.

// highWatermark is the offset before which the quorum has committed everything, as
// its leader told it last; known is false where no leader tells.
func highWatermark(r fact.Reader) (at int64, known bool) {
	var quorum *fact.Quorum
	if q, told := fact.QuorumState.Latest(r, fact.TheCluster); told {
		quorum = &q
	}
	voters, _ := fact.QuorumVoters.Latest(r, fact.TheCluster)
	at = fact.CommittedBy(quorum, voters)
	return at, at >= 0
}

// Happened is the changes that the metadata log on this host tells, without those
// that the quorum, where it answers, has not said to be committed: these are told
// once it has. known is false where no metadata log tells.
func Happened(r fact.Reader) (list fact.ChangeList, known bool) {
	list, known = fact.Changed.Latest(r, fact.TheCluster)
	if at, told := highWatermark(r); told {
		open := func(c fact.Change) bool { return c.Through >= at }
		if slices.ContainsFunc(list.All, open) {
			list.All = slices.DeleteFunc(slices.Clone(list.All), open)
		}
	}
	return list, known
}

// Standing is how far the copy of the metadata log on this host has come.
type Standing struct {
	fact.LogCopy
	Age       time.Duration // of its newest record
	Committed int64         // the quorum's high watermark; -1: no leader of it tells
}

// standingOf is that; nil where no metadata log is read here.
func standingOf(v *View) *Standing {
	c, known := fact.LastSeen.Latest(v, fact.TheCluster)
	if !known {
		return nil
	}
	s := &Standing{LogCopy: c.Copy, Age: max(0, v.Now().Sub(c.Copy.Last)), Committed: -1}
	if at, told := highWatermark(v); told {
		s.Committed = at
	}
	return s
}

// Text says so in a line.
func (s *Standing) Text() string {
	who := "this host"
	if s.Node >= 0 {
		who = fmt.Sprintf("node %d", s.Node)
	}
	text := fmt.Sprintf("metadata log of %s: ends at offset %d, newest record %s UTC, %s before now", who, s.End, clock(s.Last), duration(s.Age.Seconds()))
	switch behind := s.Committed - s.End; {
	case s.Committed < 0:
		return text + "; the quorum does not answer: how much of the end was committed is not known"
	case behind > 0:
		return text + fmt.Sprintf("; %s behind the quorum's high watermark, %d", plural(int(behind), "record"), s.Committed)
	case behind < 0:
		return text + fmt.Sprintf("; %s past the quorum's high watermark, %d, when that was asked for: not told as happened", plural(int(-behind), "record"), s.Committed)
	}
	return text + ", which is the quorum's high watermark"
}
