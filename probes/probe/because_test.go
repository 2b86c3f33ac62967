package probe

import "testing"

// A probe that asks why, and had no error, is told that nothing is known.
func TestBecauseOfNothing(t *testing.T) {
	if u := Because(nil); u == nil || u.Reason == "" || u.Detail == "" {
		t.Errorf("%+v", u)
	}
}
