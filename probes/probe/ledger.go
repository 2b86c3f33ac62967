package probe

import (
	"sort"
	"sync"
	"time"
)

// Ledger counts what ktriage sent, opened and ran: the proof that it only
// observed. A nil Ledger counts nothing.
type Ledger struct {
	mu      sync.Mutex
	entries map[[2]string]*Entry
}

// Entry is one kind of act on one object.
type Entry struct {
	Act    string        `json:"act"`    // "request", "open", "run"
	Object string        `json:"object"` // "Metadata v12 to broker 3", "/proc/4711/stat"
	Count  int           `json:"count"`
	Bytes  int64         `json:"bytes"`
	Time   time.Duration `json:"-"`
}

// Note adds one act.
func (l *Ledger) Note(act, object string, bytes int64, took time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.entries == nil {
		l.entries = map[[2]string]*Entry{}
	}
	e := l.entries[[2]string{act, object}]
	if e == nil {
		e = &Entry{Act: act, Object: object}
		l.entries[[2]string{act, object}] = e
	}
	e.Count++
	e.Bytes += bytes
	e.Time += took
}

// Entries is a copy of the ledger, sorted by act and object.
func (l *Ledger) Entries() []Entry {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		all = append(all, *e)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Act != all[j].Act {
			return all[i].Act < all[j].Act
		}
		return all[i].Object < all[j].Object
	})
	return all
}
