package fact

import "fmt"

// Columns that are indexed alike must be alike in length. Probes make them so;
// a recording can come from anyone, so they are checked when read back.

// Valid says which column does not fit.
func (m MetadataView) Valid() error {
	if len(m.Internal) != len(m.Topics) {
		return fmt.Errorf("internal has %d entries, %d topics", len(m.Internal), len(m.Topics))
	}
	n := len(m.Partition)
	for name, have := range map[string]int{"topic": len(m.Topic), "leader": len(m.Leader), "epoch": len(m.Epoch), "error": len(m.Error),
		"replicas": len(m.Replicas.Ends), "isr": len(m.ISR.Ends), "offline": len(m.Offline.Ends)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	for _, t := range m.Topic {
		if t < 0 || int(t) >= len(m.Topics) {
			return fmt.Errorf("topic index %d, %d topics", t, len(m.Topics))
		}
	}
	return nil
}

// Valid says which column does not fit.
func (c TopicConfigs) Valid() error {
	if n := len(c.Topics); len(c.MinISR) != n || len(c.MinISRSource) != n || len(c.Unclean) != n {
		return fmt.Errorf("columns of %d, %d and %d entries for %d topics", len(c.MinISR), len(c.MinISRSource), len(c.Unclean), n)
	}
	for _, column := range c.Others {
		if len(column.Of) != len(c.Topics) {
			return fmt.Errorf("%s has %d entries, %d topics", column.Name, len(column.Of), len(c.Topics))
		}
	}
	return nil
}

// Valid says which column does not fit.
func (e EligibleLeaders) Valid() error {
	if n := len(e.Topic); len(e.Partition) != n || len(e.ELR.Ends) != n || len(e.LastKnown.Ends) != n {
		return fmt.Errorf("columns of %d, %d and %d entries for %d partitions", len(e.Partition), len(e.ELR.Ends), len(e.LastKnown.Ends), n)
	}
	return nil
}

// Valid says which column does not fit.
func (g GroupOffsets) Valid() error {
	n := len(g.Partition)
	for name, have := range map[string]int{"topic": len(g.Topic), "committed": len(g.Committed), "log_start": len(g.LogStart), "log_end": len(g.LogEnd), "last_stable": len(g.LastStable)} {
		if have != n {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	for name, have := range map[string]int{"commit_epoch": len(g.CommitEpoch), "metadata_bytes": len(g.MetadataBytes)} {
		if have != n && have != 0 {
			return fmt.Errorf("%s has %d entries, %d partitions", name, have, n)
		}
	}
	return nil
}
