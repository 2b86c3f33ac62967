package history

import "testing"

func TestAddressIn(t *testing.T) {
	for text, want := range map[string]string{"b1.example:9092": "b1.example:9092", "fd00::1:9092": "[fd00::1]:9092", "[fd00::1]:9092": "[fd00::1]:9092",
		":9092": "", "b1:0": "", "": "", "b1": "", "[]:9092": ""} {
		if got := addressIn(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
