package lab

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Sight is a fact that the probes must see while a fault lasts.
type Sight struct {
	Key     string // name of a fact
	Subject string // as fact.Subject writes it, $LOGDIR3 and its like replaced; "" any
	// Want is conditions that all hold on one row of the value, separated by
	// "; ": NAME=TEXT, NAME!=TEXT, NAME~PART, NAME>NUMBER, NAME<NUMBER, NAME moves,
	// NAME stays, row=ROW; or "no " and one of these, which then must hold on no
	// row; or "no ROW" for a row that must be absent. Names are
	// those of the recording's JSON; "value" of a plain one, "unknown" for the
	// reason of one that could not be had. `lab facts` prints them all.
	Want string
}

func (s Sight) String() string {
	if s.Subject == "" {
		return s.Key + ": " + s.Want
	}
	return s.Key + " on " + s.Subject + ": " + s.Want
}

// place is where a reading stands.
type place struct {
	Key, Subject, Row, Name string
}

// Seen is what a recording told: of each reading its texts, in the order of time.
type Seen struct {
	texts    map[place][]string
	times    map[place][]time.Time // of each text
	counters map[string]bool       // keys that only ever grow
	places   []place               // sorted
}

// take adds an observation of a moment.
func (s *Seen) take(o fact.Observation, at time.Time) error {
	leaves, err := leavesOf(o)
	if err != nil {
		return err
	}
	if s.texts == nil {
		s.texts, s.times, s.counters = map[place][]string{}, map[place][]time.Time{}, map[string]bool{}
	}
	if o.Key.Kind == fact.CounterKind {
		s.counters[o.Key.Name] = true
	}
	subject := o.Subject.String()
	// A value takes the place of the one before: rows that went are gone.
	for p := range s.texts {
		if p.Key == o.Key.Name && p.Subject == subject && !slices.ContainsFunc(leaves, func(l leaf) bool { return l.Row == p.Row && l.Name == p.Name }) {
			delete(s.texts, p)
			delete(s.times, p)
		}
	}
	for _, l := range leaves {
		p := place{o.Key.Name, subject, l.Row, l.Name}
		s.texts[p], s.times[p] = append(s.texts[p], l.Text), append(s.times[p], at)
	}
	return nil
}

// rows is the readings that a sight is about, by subject and row, then by name.
func (s *Seen) rows(want Sight) map[[2]string]map[string][]string {
	rows := map[[2]string]map[string][]string{}
	for p, texts := range s.texts {
		if p.Key != want.Key || want.Subject != "" && p.Subject != want.Subject {
			continue
		}
		at := [2]string{p.Subject, p.Row}
		if rows[at] == nil {
			rows[at] = map[string][]string{}
		}
		rows[at][p.Name] = texts
	}
	return rows
}

// Check says what of a sight is missing; nil when it was seen.
func (s *Seen) Check(want Sight) error {
	rows := s.rows(want)
	if len(rows) == 0 {
		return fmt.Errorf("%s: not observed", want)
	}
	conditions := strings.Split(want.Want, "; ")
	if row, absent := strings.CutPrefix(want.Want, "no "); absent {
		for at, readings := range rows {
			if _, holds, err := test(row, at[1], readings); at[1] == row || err == nil && holds {
				return fmt.Errorf("%s: %s", want, strings.TrimSpace(strings.Join(at[:], " ")))
			}
		}
		return nil
	}
	var errs []string
	for at, readings := range rows {
		err := holds(conditions, at[1], readings)
		if err == nil {
			return nil
		}
		errs = append(errs, strings.TrimSpace(at[0]+" "+at[1])+": "+err.Error())
	}
	slices.Sort(errs)
	return fmt.Errorf("%s: %s", want, some(errs, 6))
}

// holds says which condition does not hold on a row.
func holds(conditions []string, row string, readings map[string][]string) error {
	for _, c := range conditions {
		name, ok, err := test(c, row, readings)
		if err != nil {
			return err
		}
		if !ok {
			texts, seen := readings[name]
			if !seen {
				return fmt.Errorf("no %s", name)
			}
			return fmt.Errorf("%s is %q", name, texts[len(texts)-1])
		}
	}
	return nil
}

// test is one condition; name is the reading that it asks for.
func test(condition, row string, readings map[string][]string) (name string, ok bool, err error) {
	if name, found := strings.CutSuffix(condition, " moves"); found {
		texts := readings[name]
		return name, !steady(texts), nil
	}
	if name, found := strings.CutSuffix(condition, " stays"); found {
		return name, len(readings[name]) > 1 && steady(readings[name]), nil
	}
	for _, op := range []string{"!=", "=", "~", ">", "<"} {
		name, operand, found := strings.Cut(condition, op)
		if !found {
			continue
		}
		texts := readings[name]
		if name == "row" {
			texts = []string{row}
		}
		if len(texts) == 0 {
			return name, false, nil
		}
		return compare(name, texts[len(texts)-1], op, operand)
	}
	return "", false, errors.New("condition " + strconv.Quote(condition) + ": = != ~ > < moves or stays is expected")
}

func compare(name, text, op, operand string) (string, bool, error) {
	switch op {
	case "=":
		return name, text == operand, nil
	case "!=":
		return name, text != operand, nil
	case "~":
		return name, strings.Contains(text, operand), nil
	}
	limit, err := strconv.ParseFloat(operand, 64)
	if err != nil {
		return name, false, fmt.Errorf("condition %s%s%s: a number is expected", name, op, operand)
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil { // a reading that is no number is neither above nor below
		return name, false, nil
	}
	return name, op == ">" && number > limit || op == "<" && number < limit, nil
}

// steady says whether all texts are alike.
func steady(texts []string) bool { return len(slices.Compact(slices.Clone(texts))) <= 1 }
