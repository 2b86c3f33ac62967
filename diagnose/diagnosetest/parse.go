package diagnosetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// source is the probe that every observation of a case claims to be from.
const source = "case"

// Parse reads a case. An error begins with "file:line: ".
func Parse(file string, text []byte) (*Case, error) {
	p := &parser{file: &Case{File: file}, now: start, seen: map[place]int{}}
	line := 0
	for text := range strings.SplitSeq(string(text), "\n") {
		line++
		if err := p.read(line, strings.TrimSpace(text)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
	p.close()
	switch {
	case len(p.file.Batches) == 0:
		return nil, fmt.Errorf("%s:%d: nothing observed", file, line)
	case len(p.file.Wants) == 0:
		return nil, fmt.Errorf("%s:%d: nothing wanted, expected lines like \"want status clear\"", file, line)
	}
	Silence(p.file.Batches)
	return p.file, nil
}

// Silence says in the first batch of every key that none of the batches mentions
// why: what Kafka would tell does not exist there, nor does the host side where
// the case is set on a broker's host; else that is another host. Without it nothing would be clear, since nobody has looked yet.
func Silence(batches []fact.Batch) {
	mentioned := map[*fact.Def]bool{}
	for _, b := range batches {
		for _, o := range b.Observations {
			mentioned[o.Key] = true
		}
	}
	for _, k := range fact.Keys {
		because := &fact.Unknown{Reason: fact.Absent, Detail: notMentioned}
		if k.Def().HostSide() && !mentioned[fact.LocalBrokers.Def()] {
			because.Reason = fact.NotObserved
		}
		if !mentioned[k.Def()] {
			batches[0].Observations = append(batches[0].Observations, fact.UnknownEverywhere(k, because))
		}
	}
}

const notMentioned = "not in this case"

// parser builds batches line by line.
type parser struct {
	file  *Case
	now   time.Time
	batch []fact.Observation
	short shorthands

	seen   map[place]int // into latest
	latest []fact.Observation
}

// place is what an observation is about.
type place struct {
	key     string
	subject fact.Subject
}

func (p *parser) read(number int, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	if word == "want" {
		p.close()
		w, err := parseWant(rest)
		w.Line, w.Text = number, line
		p.file.Wants = append(p.file.Wants, w)
		return err
	}
	if len(p.file.Wants) > 0 {
		return errors.New("an observation after a want, expected all wants at the end")
	}
	if strings.HasPrefix(line, "+") {
		return p.advance(line[1:])
	}
	if short := words[word]; short != nil {
		args, err := split(rest)
		if err != nil {
			return err
		}
		return short(p, args)
	}
	o, err := observation(line)
	if err != nil {
		return err
	}
	p.see(o)
	return nil
}

// advance closes the batch and moves the clock on.
func (p *parser) advance(text string) error {
	by, err := time.ParseDuration(text)
	if err != nil || by <= 0 {
		return fmt.Errorf("%q is no time to go on by, expected one like \"+30s\"", text)
	}
	p.close()
	p.now = p.now.Add(by)
	return nil
}

// see adds an observation to the batch, in place of one of the same thing.
func (p *parser) see(o fact.Observation) {
	o.At, o.Source = p.now, source
	at := place{o.Key.Name, o.Subject}
	if i, ok := p.seen[at]; ok {
		p.latest[i] = o
	} else {
		p.seen[at] = len(p.latest)
		p.latest = append(p.latest, o)
	}
	for i := range p.batch {
		if p.batch[i].Key == o.Key && p.batch[i].Subject == o.Subject {
			p.batch[i] = o
			return
		}
	}
	p.batch = append(p.batch, o)
}

// close ends the batch, if anything is in it.
func (p *parser) close() {
	p.short.flush(p)
	if len(p.batch) == 0 {
		return
	}
	p.file.Batches = append(p.file.Batches, fact.Batch{At: p.now, Observations: p.batch})
	p.batch = nil
}

// again observes once more everything that was observed last, so that it does
// not grow stale.
func (p *parser) again(args []string) error {
	if len(args) > 0 {
		return errors.New("expected nothing after \"again\"")
	}
	for _, o := range p.latest {
		p.see(o)
	}
	return nil
}
