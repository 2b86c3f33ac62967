package main

import (
	"context"
	"slices"
	"sync"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Bounds of what a memory keeps.
const (
	keepBatches    = 720
	keepPartitions = 4 << 20 // in all their views together
	keepNewest     = 24      // how many of the newest tell who is there
)

// memory is a source that remembers the newest batches that passed, for a
// report. It may be asked from another goroutine.
type memory struct {
	from fact.Source

	mu      sync.Mutex
	batches []fact.Batch
	weight  int
	total   int

	told   *diagnose.Verdict // of the newest few
	toldAt int               // total when it was told
}

// Next is the source's, remembered.
func (m *memory) Next(ctx context.Context) (fact.Batch, error) {
	b, err := m.from.Next(ctx)
	if err != nil {
		return b, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches = append(m.batches, b)
	m.weight += weight(b)
	m.total++
	for len(m.batches) > 1 && (len(m.batches) > keepBatches || m.weight > keepPartitions) {
		m.weight -= weight(m.batches[0])
		m.batches[0] = fact.Batch{}
		m.batches = m.batches[1:]
	}
	return b, nil
}

// all is what is remembered, oldest first.
func (m *memory) all() []fact.Batch {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.batches)
}

// verdict is what the newest few batches say: enough to know who is there.
func (m *memory) verdict() *diagnose.Verdict {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil || m.toldAt != m.total {
		session, _ := fold(m.batches[max(0, len(m.batches)-keepNewest):])
		m.told, m.toldAt = session.Verdict(), m.total
	}
	return m.told
}

// weight is roughly what a batch takes of memory, in partitions.
func weight(b fact.Batch) int {
	n := len(b.Observations) / 8
	for _, o := range b.Observations {
		switch v := o.Value.(type) {
		case fact.MetadataView:
			n += len(v.Partition)
		case fact.GroupOffsets:
			n += len(v.Partition)
		}
	}
	return n
}
