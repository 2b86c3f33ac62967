//go:build labmore

package history

import (
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
)

// TestLabHistoryApart: the same where controllers are nodes of their own.
func TestLabHistoryApart(t *testing.T) {
	tell(t, lab.DefaultVersion, lab.Shape{OwnController: true})
}

// TestLabHistory392: the same with Kafka 3.9.2.
func TestLabHistory392(t *testing.T) { tell(t, "3.9.2", lab.Shape{}) }

// TestLabGroupHistory392: the same of groups and transactions with Kafka 3.9.2.
func TestLabGroupHistory392(t *testing.T) { tellGroups(t, "3.9.2", lab.Shape{Single: true}) }

// TestLabGroupHistory282: and where ZooKeeper leads.
func TestLabGroupHistory282(t *testing.T) {
	tellGroups(t, "2.8.2", lab.Shape{ZooKeeper: true, Single: true})
}
