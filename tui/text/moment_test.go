package text

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 25, 1, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-25T01:02:03Z": "2026-11-25T01:02:03Z", "2026-11-24 23:10": "2026-11-24T23:10:00Z",
		"01:02:03": "2026-11-25T01:02:03Z", "23:10": "2026-11-24T23:10:00Z", "-90m": "2026-11-25T00:00:00Z", "2026-11-24 23:10:05.250": "2026-11-24T23:10:05Z", "90m": "", "noon": "",
	} {
		when, err := Moment(text, now)
		if got := when.UTC().Format(time.RFC3339); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s: %s, error %v, want %s", text, got, err, want)
		}
	}
}

// FuzzMoment: whatever is typed, there is a time that lies not before the year 0,
// or a sentence that says what was typed.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{"", "02:06:17", "-90m", "2026-11-25T02:06:17Z", "2026-11-24 23:10:05.250", "24:00", "-9999999h", "9e9"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 25, 1, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, typed string) {
		when, err := Moment(typed, now)
		switch {
		case err != nil && !strings.Contains(err.Error(), strconv.Quote(typed)):
			t.Errorf("%q: %v", typed, err)
		case err == nil && when.Year() < 0:
			t.Errorf("%q is %s", typed, when)
		}
	})
}
