package lab

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed java/LabAgent.java
var agentSource []byte

const agentManifest = "Agent-Class: LabAgent\nPremain-Class: LabAgent\n"

// agentJar compiles the agent, once for each version of its source.
func agentJar(ctx context.Context) (string, error) {
	final := filepath.Join(cacheDir(), fmt.Sprintf("agent-%x.jar", sha256.Sum256(agentSource))[:22]+".jar")
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	work, err := os.MkdirTemp(cacheDir(), "agent")
	if err != nil {
		return "", fmt.Errorf("compile the agent: %w", err)
	}
	defer os.RemoveAll(work)
	for name, text := range map[string][]byte{"LabAgent.java": agentSource, "manifest": []byte(agentManifest)} {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o644); err != nil {
			return "", fmt.Errorf("compile the agent: %w", err)
		}
	}
	for _, line := range [][]string{
		{"javac", "--release", "17", "-d", "classes", "LabAgent.java"},
		{"jar", "cfm", "agent.jar", "manifest", "-C", "classes", "."},
	} {
		cmd := exec.CommandContext(ctx, line[0], line[1:]...)
		cmd.Dir = work
		if out, err := run(cmd); err != nil {
			return "", fmt.Errorf("compile the agent: %s: %w: %s", line[0], err, lastLines(out, 5))
		}
	}
	if err := os.Rename(filepath.Join(work, "agent.jar"), final); err != nil {
		return "", fmt.Errorf("compile the agent: %w", err)
	}
	return final, nil
}

// LoadAgent loads the agent into a running broker; see LabAgent.java for what
// the arguments may be. Only a restart of the broker takes it out again.
func (c *Cluster) LoadAgent(ctx context.Context, n *Node, arguments string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	jar, err := agentJar(ctx)
	if err != nil {
		return err
	}
	// jcmd wants arguments with commas quoted.
	jcmd := exec.CommandContext(ctx, "jcmd", fmt.Sprint(n.PID()), "JVMTI.agent_load", jar, `"`+arguments+`"`)
	if out, err := run(jcmd); err != nil {
		return fmt.Errorf("load the agent into node %d: %w: %s", n.ID, err, lastLines(out, 3))
	}
	return nil
}
