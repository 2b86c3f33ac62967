package diagnosetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// words is the shorthands for values that would be long in JSON.
var words = map[string]func(*parser, []string) error{
	"live":      (*parser).live,
	"partition": (*parser).partition,
	"view":      (*parser).view,
	"reach":     (*parser).reach,
	"offsets":   (*parser).offsets,
	"configs":   (*parser).configs,
	"log":       (*parser).log,
	"again":     (*parser).again,
}

// shorthands is what such lines have built up. It outlives the batch: a later
// line overrides an earlier one of the same name.
type shorthands struct {
	cluster clusterLines
	offsets []offsetLine
	groups  []string // whose offsets this batch speaks of
	configs []configLine
	topics  bool // this batch speaks of settings of topics
}

// flush makes observations of the lines of this batch.
func (s *shorthands) flush(p *parser) {
	s.cluster.flush(p)
	for _, group := range s.groups {
		p.see(fact.Offsets.Is(fact.Subject{Scope: fact.Group, Name: group}, s.ofGroup(group)))
	}
	if s.topics {
		p.see(fact.Configs.Is(fact.TheCluster, s.ofTopics()))
	}
	s.groups, s.topics = nil, false
}

// reach reads "ID OUTCOME [at STEP]": how far a connection to the broker came.
func (p *parser) reach(args []string) error {
	steps := map[fact.Outcome]fact.Step{
		fact.Answered: fact.APIVersions, fact.Refused: fact.Connect, fact.Silent: fact.APIVersions, fact.Unresolvable: fact.Resolve,
		fact.Closed: fact.APIVersions, fact.Garbled: fact.APIVersions, fact.Denied: fact.SASL, fact.Unroutable: fact.Connect,
	}
	if len(args) != 2 && len(args) != 4 {
		return fmt.Errorf("expected \"reach ID OUTCOME [at STEP]\"")
	}
	id, err := number(args[0])
	if err != nil {
		return err
	}
	outcome := fact.Outcome(args[1])
	step, ok := steps[outcome]
	if !ok {
		return fmt.Errorf("unknown outcome %q of a connection", args[1])
	}
	if len(args) == 4 {
		step = fact.Step(args[3])
		if args[2] != "at" || !slices.Contains([]fact.Step{fact.Resolve, fact.Connect, fact.TLS, fact.SASL, fact.APIVersions}, step) {
			return fmt.Errorf("unknown step %q of a connection", args[2]+" "+args[3])
		}
	}
	seconds := 0.004
	if outcome == fact.Silent {
		seconds = 4
	}
	p.see(fact.BrokerReach.Is(fact.BrokerOf(id), fact.Reach{Address: fmt.Sprintf("b%d:9092", id), Step: step, Outcome: outcome, Seconds: seconds}))
	return nil
}

// log reads "KEY SUBJECT count N [first -30s] [last -5s] [\"text\"]". Lines of
// which neither time is given were seen just now.
func (p *parser) log(args []string) error {
	at := slices.Index(args, "count")
	if at < 2 || at+1 >= len(args) {
		return fmt.Errorf("expected \"log KEY SUBJECT count N [first -30s] [last -5s] [\\\"text\\\"]\"")
	}
	key := fact.Lookup(args[0])
	if key == nil {
		return fmt.Errorf("unknown key %q", args[0])
	}
	subject, err := fact.ParseSubject(strings.Join(args[1:at], " "))
	if err != nil {
		return err
	}
	if key.Scope != subject.Scope {
		return fmt.Errorf("%s is known of a %s, not of a %s", key.Name, key.Scope, subject.Scope)
	}
	if !strings.HasPrefix(key.Name, "log.") {
		return fmt.Errorf("%s is no kind of log line", key.Name)
	}
	lines, err := p.lines(args[at+1:])
	if err != nil {
		return err
	}
	p.see(fact.Observation{Key: key, Subject: subject, Value: lines})
	return nil
}

// lines reads what follows "count".
func (p *parser) lines(args []string) (lines fact.LogLines, err error) {
	if lines.Count, err = strconv.Atoi(args[0]); err != nil || lines.Count < 0 {
		return lines, fmt.Errorf("count %q, expected a number", args[0])
	}
	lines.Since = p.now.Add(-time.Hour)
	for args = args[1:]; len(args) > 0; {
		if text, ok := quotedText(args[0]); ok {
			lines.Text, lines.Latest, args = text, text, args[1:]
			continue
		}
		if len(args) < 2 || args[0] != "first" && args[0] != "last" {
			return lines, fmt.Errorf("unknown word %q after the count, expected first, last or a text", args[0])
		}
		ago, err := time.ParseDuration(args[1])
		if err != nil || ago > 0 {
			return lines, fmt.Errorf("%s %q, expected a time before the batch like \"-30s\"", args[0], args[1])
		}
		if args[0] == "first" {
			lines.First = p.now.Add(ago)
		} else {
			lines.Last = p.now.Add(ago)
		}
		args = args[2:]
	}
	if lines.Count == 0 {
		return lines, nil
	}
	switch {
	case lines.First.IsZero() && lines.Last.IsZero():
		lines.First, lines.Last = p.now, p.now
	case lines.Last.IsZero():
		lines.Last = lines.First
	case lines.First.IsZero():
		lines.First = lines.Last
	}
	return lines, nil
}

// number reads a node id.
func number(word string) (int32, error) {
	n, err := strconv.ParseInt(word, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no node id", word)
	}
	return int32(n), nil
}

// numbers reads node ids "1,2,3"; "none" is none.
func numbers(word string) ([]int32, error) {
	if word == "none" {
		return nil, nil
	}
	var all []int32
	for part := range strings.SplitSeq(word, ",") {
		n, err := number(part)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

// topicPartition parts "orders-0".
func topicPartition(name string) (topic string, partition int32, err error) {
	topic, partition, ok := fact.ParsePartition(name)
	if !ok {
		return "", 0, fmt.Errorf("%q is no partition, expected one like orders-0", name)
	}
	return topic, partition, nil
}
