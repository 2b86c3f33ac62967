package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// layout is how the lines of a log begin: the time first, or the level and then
// the time, in brackets or not; or each line is a JSON object. Kafka's own
// pattern is [%d] %p %m (%c)%n, and operators have others.
type layout struct {
	level bool   // the level stands before the time
	open  string // "[" where the time is in brackets
	sep   byte   // between date and time of day: ' ' or 'T'
	json  bool
}

// stock is the layout of Kafka's own configuration.
var stock = layout{open: "[", sep: ' '}

// layouts is what is tried on a log, in this order.
var layouts = []layout{stock, {open: "[", sep: 'T'}, {sep: ' '}, {sep: 'T'}, {level: true, open: "[", sep: ' '}, {level: true, sep: ' '}, {level: true, open: "[", sep: 'T'}, {level: true, sep: 'T'}}

// layoutOf is the layout of a piece of a log, by the first line that has one.
func layoutOf(b []byte) (layout, bool) {
	for n := 0; n < 2000 && len(b) > 0; n++ {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		for _, l := range layouts {
			if l.date(line) != nil {
				return l, true
			}
		}
		if len(line) > 0 && line[0] == '{' {
			if _, ok := fromJSON(line); ok {
				return layout{open: "[", sep: 'T', json: true}, true
			}
		}
	}
	return stock, false
}

// date is a line from its date on; nil when it does not begin as all lines but
// those of a stack trace do.
func (l layout) date(line []byte) []byte {
	if l.level {
		end := 0
		for end < len(line) && 'A' <= line[end] && line[end] <= 'Z' {
			end++
		}
		if end < 4 || end > 5 {
			return nil
		}
		line = bytes.TrimLeft(line[end:], " ")
	}
	if l.open != "" {
		if len(line) == 0 || line[0] != l.open[0] {
			return nil
		}
		line = line[1:]
	}
	if len(line) < 19 || line[4] != '-' || line[7] != '-' || line[10] != l.sep || line[13] != ':' || line[16] != ':' || !digit(line[0]) || !digit(line[18]) {
		return nil
	}
	return line
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// time is when a line was written; in zone, where it does not say in which.
func (l layout) time(line []byte, zone *time.Location) (time.Time, bool) {
	date := l.date(line)
	if date == nil {
		return time.Time{}, false
	}
	text := string(date[:10]) + " " + string(date[11:19])
	at, err := time.ParseInLocation(time.DateTime, text, zone)
	rest := date[19:]
	if len(rest) > 1 && (rest[0] == ',' || rest[0] == '.') {
		unit := 100 * time.Millisecond
		for rest = rest[1:]; len(rest) > 0 && digit(rest[0]); rest = rest[1:] {
			at = at.Add(time.Duration(rest[0]-'0') * unit)
			unit /= 10
		}
	}
	if offset, says := offsetIn(rest); says && err == nil {
		_, local := at.Zone()
		at = at.Add(time.Duration(local)*time.Second - offset)
	}
	return at.UTC(), err == nil
}

// offsetIn is the offset from UTC behind a time: Z, +0100, +01:00, also after a
// blank.
func offsetIn(rest []byte) (offset time.Duration, says bool) {
	rest = bytes.TrimPrefix(rest, []byte(" "))
	if len(rest) > 0 && rest[0] == 'Z' {
		return 0, true
	}
	if len(rest) < 5 || rest[0] != '+' && rest[0] != '-' {
		return 0, false
	}
	for _, form := range []string{"-0700", "-07:00"} {
		if len(rest) >= len(form) {
			if t, err := time.Parse(form, string(rest[:len(form)])); err == nil {
				_, seconds := t.Zone()
				return time.Duration(seconds) * time.Second, true
			}
		}
	}
	return 0, false
}

// zoned says whether a line tells its zone itself.
func (l layout) zoned(line []byte) bool {
	date := l.date(line)
	if date == nil {
		return false
	}
	_, says := offsetIn(bytes.TrimLeft(date[19:], ",.0123456789"))
	return says || l.json
}

// jsonLine is the members that the JSON layouts in use have: log4j 1 and 2,
// their templates, and logstash's.
type jsonLine struct {
	Time      json.RawMessage `json:"time"`
	At        string          `json:"@timestamp"`
	Timestamp json.RawMessage `json:"timestamp"`
	Millis    int64           `json:"timeMillis"`
	Instant   struct {
		Seconds int64 `json:"epochSecond"`
		Nanos   int64 `json:"nanoOfSecond"`
	} `json:"instant"`
	Level    string          `json:"level"`
	Priority string          `json:"log.level"`
	Message  json.RawMessage `json:"message"`
	Msg      string          `json:"msg"`
	Logger   string          `json:"loggerName"`
	Thrown   json.RawMessage `json:"thrown"`
	Stack    string          `json:"stack_trace"`
	Error    string          `json:"error.stack_trace"`
	Except   json.RawMessage `json:"exception"`
}

// fromJSON is a line of a JSON layout as text, with a time in UTC and what was
// thrown below it; false when it is none.
func fromJSON(line []byte) (text []byte, ok bool) {
	var j jsonLine
	if json.Unmarshal(line, &j) != nil {
		return nil, false
	}
	message := word(j.Message)
	if message == "" {
		message = j.Msg
	}
	at, ok := j.when()
	if !ok || message == "" {
		return nil, false
	}
	level := j.Level
	if level == "" {
		level = j.Priority
	}
	out := fmt.Appendf(nil, "[%s] %s %s (%s)\n", at.UTC().Format("2006-01-02T15:04:05.000Z"), strings.ToUpper(level), message, j.Logger)
	for _, thrown := range []string{word(j.Thrown), j.Stack, j.Error, word(j.Except)} {
		if thrown != "" {
			out = append(append(out, strings.TrimRight(thrown, "\n")...), '\n')
		}
	}
	return out, true
}

// when is the time of a line, by whichever member has it.
func (j *jsonLine) when() (time.Time, bool) {
	if j.Millis > 0 {
		return time.UnixMilli(j.Millis), true
	}
	if j.Instant.Seconds > 0 {
		return time.Unix(j.Instant.Seconds, j.Instant.Nanos), true
	}
	for _, text := range []string{j.At, word(j.Timestamp), word(j.Time)} {
		for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999", "2006-01-02T15:04:05.999"} {
			if at, err := time.Parse(form, strings.Replace(text, ",", ".", 1)); err == nil {
				return at, true
			}
		}
	}
	var millis int64
	if json.Unmarshal(j.Timestamp, &millis) == nil && millis > 1e12 {
		return time.UnixMilli(millis), true
	}
	return time.Time{}, false
}

// word is a member that is a text, or an object that has one inside: what was
// thrown is either.
func word(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || json.Unmarshal(raw, &text) == nil {
		return text
	}
	var inside struct {
		Name     string `json:"name"`
		Class    string `json:"exception_class"`
		Message  string `json:"message"`
		Text     string `json:"exception_message"`
		Extended string `json:"extendedStackTrace"`
		Stack    string `json:"stacktrace"`
	}
	if json.Unmarshal(raw, &inside) != nil {
		return ""
	}
	for _, s := range []string{inside.Extended, inside.Stack} {
		if s != "" {
			return s
		}
	}
	return strings.Trim(inside.Name+inside.Class+": "+inside.Message+inside.Text, ": ")
}

// plain is whole lines of a JSON layout as text. What is no JSON stays as it is.
func plain(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		if text, ok := fromJSON(line); ok {
			out = append(out, text...)
		} else {
			out = append(append(out, line...), '\n')
		}
	}
	return out
}
