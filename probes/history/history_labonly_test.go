//go:build lab

package history

import (
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// TestLabHistory: thirty changes of a cluster of combined nodes are told back.
func TestLabHistory(t *testing.T) { tell(t, lab.DefaultVersion, lab.Shape{}) }

// TestLabGroupHistory: what befell groups and transactions of a broker is told
// back, live and dead.
func TestLabGroupHistory(t *testing.T) {
	tellGroups(t, lab.DefaultVersion, lab.Shape{Single: true})
}
