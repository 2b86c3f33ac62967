package gclog

import "bytes"

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseDecimal reads a number with a point or a comma before its fraction, times
// unit. Digits beyond 18 do not fit.
func parseDecimal(b []byte, unit int64) (int64, bool) {
	whole, i := int64(0), 0
	for ; i < len(b) && isDigit(b[i]); i++ {
		if whole > 1e17 {
			return 0, false
		}
		whole = whole*10 + int64(b[i]-'0')
	}
	if i == 0 || (unit > 1 && whole > 9e18/unit) {
		return 0, false
	}
	n := whole * unit
	if i == len(b) {
		return n, true
	}
	if (b[i] != '.' && b[i] != ',') || i+1 == len(b) {
		return 0, false
	}
	scale := unit
	for _, c := range b[i+1:] {
		if !isDigit(c) {
			return 0, false
		}
		scale /= 10
		n += int64(c-'0') * scale
	}
	return n, true
}

// parseSeconds reads 0.0470136 or 0,0470136.
func parseSeconds(b []byte) (float64, bool) {
	ns, ok := parseDecimal(b, 1e9)
	return float64(ns) / 1e9, ok
}

// parseSize reads 240M, 64K, 16.0M, 0.0B, 29.9G, 26M(10%): bytes, and what
// follows.
func parseSize(b []byte) (bytes int64, rest []byte, ok bool) {
	end := 0
	for end < len(b) && (isDigit(b[end]) || b[end] == '.' || b[end] == ',') {
		end++
	}
	unit, next := int64(1), end
	if end < len(b) {
		next++
		switch b[end] {
		case 'K', 'k':
			unit = 1 << 10
		case 'M':
			unit = 1 << 20
		case 'G':
			unit = 1 << 30
		case 'T':
			unit = 1 << 40
		case 'B':
		default:
			next = end
		}
	}
	n, ok := parseDecimal(b[:end], unit)
	if !ok {
		return 0, b, false
	}
	rest = b[next:]
	if len(rest) > 1 && rest[0] == '(' { // ZGC's share of the heap
		if close := skipPercent(rest); close > 0 {
			rest = rest[close:]
		}
	}
	return n, rest, true
}

// skipPercent is the length of (10%) at the beginning of b, or 0.
func skipPercent(b []byte) int {
	i := 1
	for i < len(b) && isDigit(b[i]) {
		i++
	}
	if i > 1 && i+1 < len(b) && b[i] == '%' && b[i+1] == ')' {
		return i + 2
	}
	return 0
}

var arrow = []byte("->")

// parseSizes finds 240M->225M(256M) in a text: in use before and after, and the
// heap's size then; -1 for what is not told.
func parseSizes(b []byte) (before, after, capacity int64) {
	before, after, capacity = -1, -1, -1
	at := bytes.Index(b, arrow)
	if at < 0 {
		return
	}
	begin := at
	for begin > 0 && b[begin-1] != ' ' && b[begin-1] != ':' && b[begin-1] != '\n' && b[begin-1] != ']' {
		begin--
	}
	n, rest, ok := parseSize(b[begin:at])
	if ok && len(rest) > 0 && rest[0] == '(' { // 16.0M(1552.0M)->…
		rest = nil
	}
	if !ok || len(rest) > 0 {
		return
	}
	before = n
	if n, rest, ok = parseSize(b[at+2:]); !ok {
		return
	}
	after = n
	if len(rest) > 1 && rest[0] == '(' {
		if n, rest, ok = parseSize(rest[1:]); ok && len(rest) > 0 && rest[0] == ')' {
			capacity = n
		}
	}
	return
}
