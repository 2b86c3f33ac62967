package record

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"sort"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Redactor replaces names and addresses in batches by pseudonyms that stay the
// same: topic-1, group-2, host-3. Ids, numbers, times and Kafka's own names stay.
// A value whose key this version does not know is dropped: nobody can say what
// is in it.
type Redactor struct {
	names map[string]string // real to pseudonym
	count map[string]int    // of each kind
	text  *strings.Replacer // of all names, the longest first; nil: to be made anew
	saved int               // names in the mapping's file
}

// NewRedactor starts with no names.
func NewRedactor() *Redactor {
	return &Redactor{names: map[string]string{}, count: map[string]int{}}
}

// mapping writes which name became which pseudonym, if that has changed since.
func (r *Redactor) mapping(path string) error {
	if len(r.names) == r.saved {
		return nil
	}
	text, err := json.MarshalIndent(r.names, "", " ")
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("mapping of pseudonyms: %w", err)
	}
	r.saved = len(r.names)
	return nil
}

// Redact makes every later Write replace names and addresses by pseudonyms. The
// mapping is kept in a file that only its owner may read, and that must not
// exist yet.
func (w *Writer) Redact(mapping string) error {
	if err := Refuse(mapping, w.limits.LogDirs); err != nil {
		return err
	}
	f, err := os.OpenFile(mapping, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("mapping of pseudonyms: %w", err)
	}
	w.redactor, w.mapping = NewRedactor(), mapping
	return f.Close()
}

// Batch is the batch with pseudonyms; the one given is not changed.
func (r *Redactor) Batch(b fact.Batch) fact.Batch {
	out := fact.Batch{At: b.At}
	for _, o := range b.Observations { // first every name, then the texts that may hold them
		r.subject(o.Subject)
		if _, lines := o.Value.(fact.LogLines); !lines { // what a line speaks of may be a topic, a group or a client: the others tell
			r.value(o.Value)
		}
	}
	for _, o := range b.Observations {
		o.Subject = r.subject(o.Subject)
		if o.Because != nil {
			o.Because = r.because(o.Because)
		} else if fact.Lookup(o.Key.Name) == nil {
			continue
		}
		o.Value = r.value(o.Value)
		out.Observations = append(out.Observations, o)
	}
	for _, run := range b.Runs {
		run.Error = r.free(run.Error)
		out.Runs = append(out.Runs, run)
	}
	for _, m := range b.Marks {
		m.Text = r.free(m.Text)
		out.Marks = append(out.Marks, m)
	}
	return out
}

// name is the pseudonym of a name. Kafka's own topics keep theirs.
func (r *Redactor) name(kind, real string) string {
	if real == "" || strings.HasPrefix(real, "__") {
		return real
	}
	if known, ok := r.names[real]; ok {
		return known
	}
	r.count[kind]++
	r.names[real] = fmt.Sprintf("%s-%d", kind, r.count[kind])
	r.text = nil
	return r.names[real]
}

func (r *Redactor) all(kind string, real []string) []string {
	out := make([]string, len(real))
	for i, s := range real {
		out[i] = r.name(kind, s)
	}
	return out
}

// address is host:port with another host; the port stays.
func (r *Redactor) address(real string) string {
	host, port, err := net.SplitHostPort(real)
	if err != nil {
		return r.name("host", real)
	}
	return net.JoinHostPort(r.name("host", host), port)
}

func (r *Redactor) path(real string) string {
	if real == "" {
		return ""
	}
	return "/" + r.name("path", real)
}

func (r *Redactor) subject(s fact.Subject) fact.Subject {
	if s.Name == fact.Any {
		return s
	}
	switch s.Scope {
	case fact.Topic:
		s.Name = r.name("topic", s.Name)
	case fact.Group:
		s.Name = r.name("group", s.Name)
	case fact.Host:
		s.Name = r.name("host", s.Name)
	case fact.Partition:
		if i := strings.LastIndexByte(s.Name, '-'); i > 0 {
			s.Name = r.name("topic", s.Name[:i]) + s.Name[i:]
		}
	case fact.Broker:
		if strings.Contains(s.Name, ":") {
			s.Name = r.address(s.Name)
		}
	case fact.LogDir:
		if id, dir, ok := strings.Cut(s.Name, ":"); ok {
			s.Name = id + ":" + r.path(dir)
		}
	}
	return s
}

var (
	addresses  = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|\[[0-9a-fA-F:.%]*:[0-9a-fA-F:.%]*\]`)
	paths      = regexp.MustCompile(`(^|[\s"'=(])(/[^\s"',:)]+)`)
	principals = regexp.MustCompile(`\bUser:[^\s,)]+`)
)

// free is a text without the names known so far, addresses, paths and
// principals. Messages and secrets are in no text to begin with.
func (r *Redactor) free(s string) string {
	if s == "" {
		return ""
	}
	s = principals.ReplaceAllStringFunc(s, func(p string) string { return "User:" + r.name("user", p[len("User:"):]) })
	s = paths.ReplaceAllStringFunc(s, func(p string) string {
		i := strings.IndexByte(p, '/')
		return p[:i] + r.path(p[i:])
	})
	s = addresses.ReplaceAllStringFunc(s, func(a string) string { return r.name("host", strings.Trim(a, "[]")) })
	if r.text == nil {
		r.text = r.replacer()
	}
	return r.text.Replace(s)
}

// replacer replaces every known name that is long enough not to be a word of
// the sentence by chance.
func (r *Redactor) replacer() *strings.Replacer {
	var real []string
	for name := range r.names {
		if len(name) > 2 {
			real = append(real, name)
		}
	}
	sort.Slice(real, func(i, j int) bool {
		if len(real[i]) != len(real[j]) {
			return len(real[i]) > len(real[j])
		}
		return real[i] < real[j]
	})
	var pairs []string
	for _, name := range real {
		pairs = append(pairs, name, r.names[name])
	}
	return strings.NewReplacer(pairs...)
}
