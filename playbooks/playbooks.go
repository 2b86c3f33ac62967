// Package playbooks holds what to do about each cause, and the parser of the
// strict small grammar over Markdown that playbooks are written in. The grammar
// is told in docs/playbooks.md.
package playbooks

// Playbook is what to do about one cause.
type Playbook struct {
	ID    string // the cause's id, which is the file's name without ".md"
	Title string
	Intro string // paragraphs, parted by an empty line
	Steps []Step // in the order of the file, which is that of the sections
	Rule  string // the Prometheus rule that would have told in time, as YAML; "" when there is none
}

// Step is one thing to do.
type Step struct {
	Section  Section
	Risk     Risk
	Text     string   // one paragraph; `code` stays marked
	Commands []string // for a shell, in order; a long one holds "\\\n"
	Undo     string   // how to take it back; "" only where the risk is ReadOnly
	Watch    []string // ids of the signs whose graphs belong beside this step
	Line     int      // where the step begins in its file, from 1
}

// Section is the part of a playbook that a step stands in.
type Section string

// The sections, in the order in which they stand.
const (
	Confirm Section = "Confirm" // is it really this?
	Contain Section = "Contain" // stop it from growing
	Fix     Section = "Fix"
	Verify  Section = "Verify"  // is it really gone?
	Prevent Section = "Prevent" // so that it does not come back
)

// Sections is every section, in the order in which they stand.
var Sections = []Section{Confirm, Contain, Fix, Verify, Prevent}

// Risk is what a step can break.
type Risk string

// The risks, from none to worst.
const (
	ReadOnly Risk = "read-only" // changes nothing
	Config   Risk = "config"    // changes a setting, or what clients do; can be taken back
	Restart  Risk = "restart"   // starts or stops a broker or an application
	DataLoss Risk = "data-loss" // records or committed offsets are gone for good if it is wrong
)

// Risks is every risk, from none to worst.
var Risks = []Risk{ReadOnly, Config, Restart, DataLoss}
