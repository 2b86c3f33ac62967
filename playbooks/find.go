package playbooks

import (
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed *.md
var builtIn embed.FS

// IDs is the causes that have a playbook built in, sorted.
func IDs() []string {
	files, err := builtIn.ReadDir(".")
	if err != nil {
		return nil // an embedded directory can always be read
	}
	all := make([]string, 0, len(files))
	for _, f := range files {
		all = append(all, strings.TrimSuffix(f.Name(), ".md"))
	}
	slices.Sort(all)
	return all
}

// For is the playbook of a cause: the user's own from Dir, else the one built
// in. Where the user's own cannot be used, both are returned: the one built in
// (nil if there is none) and an error that names file and line.
func For(id string) (*Playbook, error) {
	if !isID(id) {
		return nil, fmt.Errorf("playbook %q: no id, expected small letters, digits and dashes", id)
	}
	own, err := fromUser(id)
	if own != nil {
		return own, nil
	}
	text, missing := builtIn.ReadFile(id + ".md")
	if missing != nil {
		if err == nil {
			err = fmt.Errorf("playbook %q: there is none", id)
		}
		return nil, err
	}
	book, broken := Parse(id+".md", text)
	if broken != nil {
		return nil, broken
	}
	return book, err
}

// Dir is where users keep their own playbooks, $XDG_CONFIG_HOME/ktriage/playbooks;
// empty when no home directory is known.
func Dir() string {
	base := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(base) { // the standard says to ignore a relative one
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".config")
	}
	return filepath.Join(base, "ktriage", "playbooks")
}

// fromUser reads the user's own playbook; nil without an error when there is
// none.
func fromUser(id string) (*Playbook, error) {
	dir := Dir()
	if dir == "" {
		return nil, nil
	}
	file := filepath.Join(dir, id+".md")
	info, err := os.Stat(file)
	switch {
	case os.IsNotExist(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("own playbook: %w", err)
	case !info.Mode().IsRegular(): // opening a pipe would wait for ever
		return nil, fmt.Errorf("own playbook %s: not a regular file", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("own playbook: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("own playbook: %w", err)
	}
	book, err := Parse(file, text)
	if err != nil {
		return nil, fmt.Errorf("own playbook in %s: %w", dir, err)
	}
	return book, nil
}
