package gclog

import (
	"bytes"
	"time"
)

// stamp is when a line was written: by the calendar, by the JVM's uptime, both,
// or neither.
type stamp struct {
	wall  int64 // ns since 1970; 0 not told
	up    int64 // ns since the JVM began
	hasUp bool
}

func (s stamp) known() bool { return s.wall != 0 || s.hasUp }

// back is the stamp of an earlier moment.
func (s stamp) back(seconds float64) stamp {
	ns := int64(seconds * 1e9)
	if s.wall != 0 {
		s.wall -= ns
	}
	if s.hasUp {
		s.up = max(0, s.up-ns)
	}
	return s
}

// unifiedLine says whether a line is one of unified logging: decorations in
// brackets that begin with a small letter or a digit, or none and GC(n). The
// older logs have a capital letter in their brackets.
func unifiedLine(line []byte) bool {
	switch {
	case len(line) < 4:
		return false
	case line[0] == '[':
		c := line[1]
		return (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') && bytes.IndexByte(line, ']') > 0
	case line[0] == 'G':
		return line[1] == 'C' && line[2] == '(' && isDigit(line[3])
	case line[0] == 'U':
		return bytes.HasPrefix(line, using)
	}
	return false
}

var using = []byte("Using ")

// decorations takes the brackets off a line of unified logging.
//
//	[2026-11-23T02:26:34.337+0000][4.710s][info][gc,start    ] GC(0) Pause Young (Normal) (G1 Evacuation Pause)
func decorations(line []byte) (s stamp, msg []byte) {
	for len(line) > 0 && line[0] == '[' {
		end := bytes.IndexByte(line, ']')
		if end < 0 {
			break
		}
		if in := line[1:end]; len(in) > 1 && isDigit(in[0]) {
			s.decoration(in)
		}
		line = line[end+1:]
	}
	if len(line) > 0 && line[0] == ' ' {
		line = line[1:]
	}
	return s, line
}

// decoration reads a bracket by its shape: a date, an uptime in s, ms or ns, or
// a number that is none of these.
func (s *stamp) decoration(in []byte) {
	if in[len(in)-1] != 's' {
		if wall, ok := parseTime(in); ok {
			s.wall = wall
		}
		return
	}
	unit, digits := int64(time.Second), in[:len(in)-1]
	switch in[len(in)-2] {
	case 'm':
		unit, digits = int64(time.Millisecond), in[:len(in)-2]
	case 'n':
		unit, digits = 1, in[:len(in)-2]
	}
	ns, ok := parseDecimal(digits, unit)
	switch {
	case !ok:
	case ns > int64(1e18): // since 1970, not since the JVM began
		s.wall = ns
	default:
		s.up, s.hasUp = ns, true
	}
}

// parseTime reads 2026-11-23T02:26:34.337+0000, nanoseconds since 1970. A comma
// before the fraction is a locale's; the fraction and the zone may be missing.
func parseTime(b []byte) (int64, bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	var f [6]int
	for i, at := range [6]int{0, 5, 8, 11, 14, 17} {
		n := 2
		if i == 0 {
			n = 4
		}
		for _, c := range b[at : at+n] {
			if !isDigit(c) {
				return 0, false
			}
			f[i] = f[i]*10 + int(c-'0')
		}
	}
	if f[0] < 1990 || f[0] > 2200 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > 31 || f[3] > 23 || f[4] > 59 || f[5] > 60 {
		return 0, false
	}
	ns := (daysSince1970(f[0], f[1], f[2])*86400 + int64(f[3]*3600+f[4]*60+f[5])) * 1e9
	rest := b[19:]
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		scale := int64(1e8)
		rest = rest[1:]
		for len(rest) > 0 && isDigit(rest[0]) {
			ns += int64(rest[0]-'0') * scale
			scale /= 10
			rest = rest[1:]
		}
	}
	return ns - zone(rest), true
}

// zone reads +0200 or +02:00; 0 for anything else.
func zone(b []byte) int64 {
	if len(b) == 6 && b[3] == ':' {
		b = []byte{b[0], b[1], b[2], b[4], b[5]}
	}
	if len(b) != 5 || (b[0] != '+' && b[0] != '-') {
		return 0
	}
	for _, c := range b[1:] {
		if !isDigit(c) {
			return 0
		}
	}
	ns := (int64(b[1]-'0')*10+int64(b[2]-'0'))*3600e9 + (int64(b[3]-'0')*10+int64(b[4]-'0'))*60e9
	if b[0] == '-' {
		return -ns
	}
	return ns
}

// daysSince1970 counts by the Gregorian calendar with years that begin in March.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year, month = year-1, month+12
	}
	return int64(365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468)
}
