package diagnose

import (
	"fmt"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Readings, as the tests of signs make them.

func yes(format string, args ...any) Reading {
	return Reading{Outcome: Yes, Text: fmt.Sprintf(format, args...)}
}

func no(format string, args ...any) Reading {
	return Reading{Outcome: No, Text: fmt.Sprintf(format, args...)}
}

// cannotTell is an unknown whose reason a fact gave.
func cannotTell(because *fact.Unknown) Reading { return Reading{Outcome: Unknown, Because: because} }

// notYet is an unknown that another sample resolves.
func notYet(detail string) Reading {
	return cannotTell(&fact.Unknown{Reason: fact.NotYet, Detail: detail, How: "wait for the next sample"})
}

func notApplicable(why string) Reading { return Reading{Outcome: NotApplicable, Text: why} }

// atLeast is yes where a value is at or over its limit.
func atLeast(value, limit float64, unit fact.Unit, format string, args ...any) Reading {
	r := Reading{Outcome: No, Text: fmt.Sprintf(format, args...), Value: value, Unit: unit, Limit: limit}
	if value >= limit {
		r.Outcome = Yes
	}
	return r
}

// percent is a ratio as an operator reads it.
func percent(ratio float64) string {
	p := ratio * 100
	if p > 0 && p < 10 {
		return fmt.Sprintf("%.1f%%", p)
	}
	return fmt.Sprintf("%.0f%%", p)
}

// size is bytes as an operator reads them.
func size(bytes float64) string {
	for _, u := range []struct {
		name  string
		bytes float64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if bytes >= u.bytes {
			return fmt.Sprintf("%.1f %s", bytes/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%.0f B", bytes)
}

// duration is seconds as an operator reads them.
func duration(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)); {
	case seconds >= 10:
		return d.Round(time.Second).String()
	case seconds >= 1:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(100 * time.Microsecond).String()
	}
}

// clock is a time of day in UTC, as every time on the screen.
func clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// plural is "1 partition", "2 partitions".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// ids is "2 and 3", "1, 2 and 3".
func ids(all []int32) string {
	text := make([]string, len(all))
	for i, id := range all {
		text[i] = fmt.Sprint(id)
	}
	return listed(text)
}

// listed is "a", "a and b", "a, b and c"; a long list ends in a count.
func listed(all []string) string {
	const most = 4
	switch n := len(all); {
	case n == 0:
		return "none"
	case n == 1:
		return all[0]
	case n > most:
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", n-most)
	default:
		return strings.Join(all[:n-1], ", ") + " and " + all[n-1]
	}
}
