package probe

import (
	"context"
	"testing"
	"time"
)

func TestRollIsAwaitedWhileItIsRead(t *testing.T) {
	var r Roll
	began := time.Now()
	if _, all := r.Await(t.Context()); len(all) != 0 || time.Since(began) > 5*begins {
		t.Errorf("nobody reads: %v after %s", all, time.Since(began))
	}
	end := r.Begin()
	go func() {
		time.Sleep(50 * time.Millisecond)
		r.Tell(3, []Registration{{ID: 1}})
		end()
		end() // once more is no harm
	}()
	if from, all := r.Await(t.Context()); from != 3 || len(all) != 1 {
		t.Errorf("read: %d %v", from, all)
	}
	r.Begin() // and never ends
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	began = time.Now()
	if _, all := r.Await(short); len(all) != 1 || time.Since(began) > time.Second {
		t.Errorf("a reader that hangs: %v after %s", all, time.Since(began))
	}
}
