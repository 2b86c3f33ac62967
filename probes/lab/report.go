package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Report is what the lab reads of `ktriage check -o json`, schema
// ktriage.check/v1. It has types of its own: the lab judges what scripts see,
// not what the code means.
type Report struct {
	Schema  string `json:"schema"`
	Verdict struct {
		Status, Branch, Headline string
	} `json:"verdict"`
	Findings []Finding `json:"findings"`
	Context  []struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	} `json:"context"`
	Coverage struct {
		Unknown []Unknown `json:"unknown"`
	} `json:"coverage"`
	Next   *Next `json:"next"`
	Probes []struct {
		Name, Status string
		Error        *string
	} `json:"probes"`
}

// Finding of a Report.
type Finding struct {
	Cause, Role, Severity, Band string
	Subject                     struct{ Scope, Name string }
	Unknown                     []Unknown
	Behind                      []string // causes that may have brought it about and were not looked for
	Evidence                    []struct {
		Sign, Outcome string
		Source        *string
	}
}

// Unknown is a sign that could not be read.
type Unknown struct{ Sign, Reason, Detail, How string }

// Next is the sign that a report would look at next, and how.
type Next struct{ Sign, Text string }

func (f Finding) sure() bool { return sure(f.Band) }

func sure(band string) bool { return band == "confirmed" || band == "likely" }

func (f Finding) grave() bool { return f.Severity == "critical" || f.Severity == "major" }

func (f Finding) subject() string {
	if f.Subject.Scope == "cluster" {
		return "cluster"
	}
	return f.Subject.Scope + " " + f.Subject.Name
}

func (f Finding) String() string {
	return fmt.Sprintf("%s on %s (%s, %s)", f.Cause, f.subject(), f.Role, f.Band)
}

// Ktriage is a compiled ktriage.
type Ktriage struct {
	Path    string
	Args    []string // appended to every check
	Through []string // a command to run it through; nil: none
}

// BuildKtriage compiles cmd/ktriage of the module in the working directory
// into a directory.
func BuildKtriage(ctx context.Context, dir string) (*Ktriage, error) {
	root, err := run(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}"))
	if err != nil {
		return nil, fmt.Errorf("find the module: %w: %s", err, lastLines(root, 3))
	}
	k := &Ktriage{Path: filepath.Join(dir, "ktriage")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", k.Path, "./cmd/ktriage")
	build.Dir = strings.TrimSpace(root)
	if out, err := run(build); err != nil {
		return nil, fmt.Errorf("compile ktriage: %w: %s", err, lastLines(out, 10))
	}
	return k, nil
}

// Check runs `ktriage check -o json` on a cluster, as an operator does on a
// host of brokers. args are appended; $CONFIG3 and its like are replaced.
func (k *Ktriage) Check(ctx context.Context, c *Cluster, args ...string) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	line := append([]string{"check", "-o", "json", "--bootstrap-server", strings.Join(c.Bootstrap(), ",")}, k.Args...)
	for _, a := range args {
		line = append(line, c.expand(a))
	}
	whole := append(append(append([]string{}, k.Through...), k.Path), line...)
	cmd := exec.CommandContext(ctx, whole[0], whole[1:]...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && (exit.ExitCode() == 1 || exit.ExitCode() == 3) {
		err = nil // fault, incomplete: answers
	}
	if err != nil {
		return nil, fmt.Errorf("run ktriage check: %w: %s", err, lastLines(stderr.String(), 5))
	}
	return ReadReport([]byte(stdout.String()))
}

// ReadReport reads what `ktriage check -o json` prints, or replay.
func ReadReport(text []byte) (*Report, error) {
	r := &Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read what ktriage printed: %w", err)
	}
	if r.Schema != "ktriage.check/v1" {
		return nil, fmt.Errorf("read what ktriage printed: schema %q, ktriage.check/v1 is expected", r.Schema)
	}
	return r, nil
}

// Replay runs `ktriage replay -o json` on a recording.
func (k *Ktriage) Replay(ctx context.Context, file string) (*Report, error) {
	cmd := exec.CommandContext(ctx, k.Path, "replay", "-o", "json", file)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run ktriage replay: %w: %s", err, lastLines(stderr.String(), 5))
	}
	return ReadReport([]byte(stdout.String()))
}
