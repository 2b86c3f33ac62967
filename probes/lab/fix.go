package lab

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Fix is how an operator ends a fault by a playbook. It is a literal of Fixes;
// who runs it finds the cause with ktriage, and takes the steps from the
// playbook as the console shows it.
type Fix struct {
	Fault *Fault
	Cause string            // whose playbook; "": that of the fault's first Expect
	Take  []Take            // in this order
	Fill  map[string]string // what the operator puts in place of "<unit>" and its like, which no finding knows

	// Over says by Kafka's own tools that the fault is over, or with an error what
	// is still missing. nil: every replica is in sync.
	Over   func(context.Context, *Cluster) (string, error)
	Within time.Duration // from the first command to FIXED; 0: 90 s
}

// Take is one step of a playbook.
type Take struct {
	Step string // how its text begins

	// Hand is what the step leaves to a human, and By does that, before the step's
	// commands. "": commands are all there is to it.
	Hand string
	By   func(context.Context, *Cluster, *Toolbox) error

	Fill   map[string]string // of this step alone, over the Fix's
	Status int               // what a command may end with beside 0, as the step says

	// Read is what the operator reads off the outputs of the playbook's looks, to be
	// filled in as well. nil: nothing.
	Read func(context.Context, *Cluster, *Toolbox) (map[string]string, error)
}

// Book is the cause whose playbook is followed.
func (f *Fix) Book() string {
	switch {
	case f.Cause != "":
		return f.Cause
	case len(f.Fault.Expect) > 0:
		return f.Fault.Expect[0].Cause
	case len(f.Fault.Context) > 0:
		return f.Fault.Context[0]
	}
	return f.Fault.Name
}

// FixOf finds fixes by the names of their faults; no names are all of Fixes.
func FixOf(names ...string) ([]*Fix, error) {
	var found []*Fix
	for _, name := range names {
		i := slices.IndexFunc(Fixes, func(f *Fix) bool { return f.Fault.Name == name })
		if i < 0 {
			var all []string
			for _, f := range Fixes {
				all = append(all, f.Fault.Name)
			}
			return nil, fmt.Errorf("fix of fault %q: one of %s is expected", name, strings.Join(all, ", "))
		}
		found = append(found, Fixes[i])
	}
	if len(names) == 0 {
		return Fixes, nil
	}
	return found, nil
}

// placeholder is a value that a human knows, "<client-id>".
var placeholder = regexp.MustCompile("<[a-z][a-z-]*>")

// Values is what the operator fills in at a step, by placeholder.
func (f *Fix) Values(ctx context.Context, c *Cluster, t *Toolbox, step Take) (map[string]string, error) {
	all := maps.Clone(f.Fill)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, step.Fill)
	for name, value := range all {
		all[name] = c.expand(value)
	}
	if step.Read != nil {
		read, err := step.Read(ctx, c, t)
		if err != nil {
			return nil, fmt.Errorf("read what to fill in: %w", err)
		}
		maps.Copy(all, read)
	}
	return all, nil
}

// FillIn is a command with values in place of placeholders, and which of them
// were wanted. It is an error when one is left.
func FillIn(command string, values map[string]string) (filled string, used map[string]string, err error) {
	used = map[string]string{}
	filled = placeholder.ReplaceAllStringFunc(command, func(name string) string {
		value, known := values[name]
		if !known {
			err = fmt.Errorf("%s: nobody says what %s is", command, name)
		}
		used[name] = value
		return value
	})
	return filled, used, err
}

// Expand replaces $LOGDIR3, $CONFIG3 and their like.
func (c *Cluster) Expand(text string) string { return c.expand(text) }

// Over waits until a fix has ended its fault by Kafka's own word, for at most
// a minute and a half.
func (c *Cluster) Over(ctx context.Context, f *Fix) (saw string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	over := f.Over
	if over == nil {
		over = whole
	}
	err = poll(ctx, func(ctx context.Context) error {
		saw, err = over(ctx, c)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("%s is not over: %w", f.Fault.Name, err)
	}
	return saw, nil
}
