package text

import (
	"fmt"
	"time"
)

// Moment reads a time as an operator writes one: whole, of today, or ago. The zero
// time stands for no text. The error says what was expected.
func Moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago <= 0 {
		return now.Add(ago), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if when, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return when, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		when, err := time.ParseInLocation(layout, text, time.UTC)
		if err != nil {
			continue
		}
		today := now.UTC().Truncate(24 * time.Hour)
		when = today.Add(when.Sub(when.Truncate(24 * time.Hour)))
		if when.After(now) { // a night has two days
			when = when.Add(-24 * time.Hour)
		}
		return when, nil
	}
	return time.Time{}, fmt.Errorf("%q, expected 2026-11-25T02:06:17Z, 02:06:17 (UTC) or -90m", text)
}
