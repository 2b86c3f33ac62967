package diagnosetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var (
	bands    = []string{string(diagnose.Confirmed), string(diagnose.Likely), string(diagnose.Possible), string(diagnose.CannotTell)}
	outcomes = []string{string(diagnose.Yes), string(diagnose.No), string(diagnose.Unknown)}
	roles    = []string{string(diagnose.Root), string(diagnose.Consequence)}
	statuses = []string{string(diagnose.StatusFault), string(diagnose.StatusIncomplete), string(diagnose.StatusAdvice), string(diagnose.StatusClear)}
	alerts   = []string{diagnose.Firing, diagnose.AlertPending, diagnose.AlertUnknown, diagnose.Inactive}
	branches = []string{string(diagnose.PerformanceBranch), string(diagnose.AvailabilityBranch), string(diagnose.DataBranch), "none"}
)

// parseWant reads what follows "want".
func parseWant(text string) (Want, error) {
	args, err := split(text)
	if err != nil {
		return Want{}, err
	}
	w := Want{}
	if len(args) > 0 && args[0] == "no" {
		w.No, args = true, args[1:]
	}
	if n := len(args); w.No && n == 4 && args[2] == "even" && args[3] == "possible" {
		w.AtAll, args = true, args[:2]
	}
	if len(args) < 2 || w.No && (len(args) != 2 || args[0] != string(Cause) && (args[0] != string(Context) || w.AtAll)) {
		return w, errors.New("expected \"want cause|sign|status|branch|first|context|alert|next …\", \"want no cause ID [even possible]\" or \"want no context ID\"")
	}
	w.What, w.ID = What(args[0]), args[1]
	if w.No {
		return w, nil
	}
	switch w.What {
	case Cause:
		return w, w.about(args[2:], bands)
	case Sign:
		return w, w.about(args[2:], outcomes)
	case Status:
		return w, w.one(args[1:], statuses)
	case Branch:
		return w, w.one(args[1:], branches)
	case First:
		return w, w.one(args[1:], nil)
	case Context, Next:
		ok := len(args) == 2
		if len(args) == 3 {
			w.Part, ok = quotedText(args[2])
		}
		if !ok {
			return w, errors.New("expected \"want context|next ID [\\\"part of what it says\\\"]\"")
		}
		return w, nil
	case Alert:
		return w, w.one(args[2:], alerts)
	}
	return w, fmt.Errorf("unknown want %q, expected cause, sign, status, branch, first, context, alert or next", args[0])
}

// one reads a single word, of a set where there is one.
func (w *Want) one(args, of []string) error {
	if len(args) != 1 || of != nil && !slices.Contains(of, args[0]) {
		return fmt.Errorf("%s %v, expected one of %v", w.What, args, of)
	}
	w.Word = args[0]
	return nil
}

// about reads "on SUBJECT WORD [as ROLE] [\"part\"]".
func (w *Want) about(args, words []string) error {
	if n := len(args); n > 0 {
		if text, ok := quotedText(args[n-1]); ok {
			w.Part, args = text, args[:n-1]
		}
	}
	if n := len(args); w.What == Cause && n > 2 && args[n-2] == "as" {
		if !slices.Contains(roles, args[n-1]) {
			return fmt.Errorf("unknown role %q, expected one of %v", args[n-1], roles)
		}
		w.Role, args = diagnose.Role(args[n-1]), args[:n-2]
	}
	n := len(args)
	if n < 3 || args[0] != "on" {
		return fmt.Errorf("expected \"on SUBJECT\" and one of %v", words)
	}
	if !slices.Contains(words, args[n-1]) {
		return fmt.Errorf("%q, expected one of %v", args[n-1], words)
	}
	w.Word = args[n-1]
	var err error
	w.Subject, err = fact.ParseSubject(join(args[1 : n-1]))
	return err
}
