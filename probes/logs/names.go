package logs

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// What lines speak of. Each of these is nothing where the line is not as
// expected: the line still counts.

// after is the word behind the first of some texts that is in the line, or in
// the line with a time that it belongs to.
func after(texts ...string) func(hit) []string {
	return func(h hit) []string {
		for _, line := range [][]byte{h.line, h.head} {
			for _, text := range texts {
				if word := wordAfter(line, text); word != "" {
					return []string{word}
				}
			}
		}
		return nil
	}
}

// wordAfter is what follows a text up to what ends a word in a log line.
func wordAfter(line []byte, text string) string {
	_, rest, ok := bytes.Cut(line, []byte(text))
	if !ok {
		return ""
	}
	if end := bytes.IndexAny(rest, " ,;)]\t\r\n"); end >= 0 {
		rest = rest[:end]
	}
	return strings.TrimRight(string(rest), ".:'")
}

// partition is the partition that a line speaks of. Kafka 4.3 writes the
// topic's id before the name.
func partition(h hit) []string {
	for _, line := range [][]byte{h.line, h.head} {
		for _, text := range beforePartition {
			name := wordAfter(line, text)
			if i := strings.LastIndexByte(name, ':'); i >= 0 {
				name = name[i+1:]
			}
			if isPartition(name) {
				return []string{name}
			}
		}
		// "Partition [orders,0] on broker 1", as Kafka wrote up to 1.0.
		if topic, number, ok := strings.Cut(between(line, "Partition [", "]"), ","); ok && isPartition(topic+"-"+number) {
			return []string{topic + "-" + number}
		}
		if name := path.Base(path.Dir(wordAfter(line, "log segment "))); isPartition(name) {
			return []string{name}
		}
	}
	return nil
}

// between is what stands between two texts; empty where they are not there.
func between(line []byte, text, end string) string {
	_, rest, _ := bytes.Cut(line, []byte(text))
	word, _, ok := bytes.Cut(rest, []byte(end))
	if !ok || len(word) > 260 {
		return ""
	}
	return string(word)
}

// beforePartition is what stands before the name of a partition.
var beforePartition = []string{"[Partition ", "[LogLoader partition=", "[UnifiedLog partition=", "[Log partition=", "Truncating partition ", " for partition ", " partition ", "Partition ", " its partition (", "partition="}

// isPartition says whether a word is a topic and the number of a partition.
func isPartition(name string) bool {
	_, _, ok := fact.ParsePartition(name)
	return ok
}

// always names the same, whatever else the line says.
func always(name string) func(hit) []string {
	return func(hit) []string { return []string{name} }
}

// address is the host of a client, without its port and the slash that Java
// puts before it.
func address(h hit) []string {
	all := after("authentication with ", "Unexpected error from ", "Rejected connection from ")(h)
	if len(all) == 0 {
		return nil
	}
	host := all[0][strings.IndexByte(all[0], '/')+1:]
	if i := strings.LastIndexByte(host, ':'); i > 0 && strings.Count(host, ":") == 1 {
		host = host[:i]
	}
	return []string{host}
}

// denied is who was denied what, of both authorizers.
func denied(h hit) []string {
	who := wordAfter(h.line, "Principal = ")
	what := wordAfter(h.line, "peration = ")
	from := wordAfter(h.line, "from host = ")
	resource := wordAfter(h.line, "on resource = ")
	if who == "" {
		return nil
	}
	return []string{fmt.Sprintf("%s %s %s from %s", who, strings.ToUpper(what), resource, from)}
}

// thread is the name in brackets, of a thread that says what it dies of.
func thread(h hit) []string {
	for _, text := range []string{" ERROR [", " in thread '"} {
		if _, rest, ok := bytes.Cut(h.line, []byte(text)); ok {
			if end := bytes.IndexAny(rest, "]'"); end > 0 {
				return []string{string(rest[:end])}
			}
		}
	}
	return nil
}

// followers is the brokers that a line puts out of an ISR.
func followers(h hit) []string {
	var all []string
	for _, m := range outOfSync.FindAllSubmatch(h.line, 100) {
		all = append(all, string(m[1]))
	}
	return all
}

var outOfSync = regexp.MustCompile(`\(brokerId: (\d+), endOffset: (-?\d+)(?:, lastCaughtUpTimeMs: (-?\d+))?\)`)

// received is what somebody sent whose bytes are no request: the size that
// Kafka makes of the first four of them tells.
func received(h hit) []string {
	n, err := strconv.ParseInt(wordAfter(h.line, "(size = "), 10, 64)
	switch {
	case err != nil:
		return nil
	case n>>8 == 0x474554 || n>>8 == 0x484541 || n>>8 == 0x504f53 || n>>8 == 0x505554:
		return []string{"http"}
	case n>>16 == 0x1603:
		return []string{"tls"}
	case n>>16 == 0x1503:
		return []string{"tls-alert"}
	case n == 0x5353482d:
		return []string{"ssh"}
	}
	return []string{"oversized"}
}

// reason is why a group rebalances, without the ids of members.
func reason(h hit) []string {
	_, why, ok := bytes.Cut(h.line, []byte("(reason: "))
	if !ok {
		return nil
	}
	for _, r := range reasons {
		if bytes.HasPrefix(why, []byte(r.begins)) {
			if r.holds == "" || bytes.Contains(why, []byte(r.holds)) {
				return []string{r.name}
			}
		}
	}
	return []string{"other"}
}

var reasons = []struct{ begins, holds, name string }{
	{"Adding new member", "", "new member"},
	{"removing member", "heartbeat expiration", "heartbeat expired"},
	{"Removing member", "heartbeat expiration", "heartbeat expired"},
	{"removing member", "", "member removed"},
	{"Removing member", "LeaveGroup", "member left"},
	{"explicit `LeaveGroup`", "", "member left"},
	{"Updating metadata", "", "member changed"},
	{"Leader ", "re-joining", "leader joined again"},
	{"Member ", "joining group", "member joined again"},
}
