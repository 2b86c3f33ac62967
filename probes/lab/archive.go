package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// archiveClasses lets the JVM write the classes of a started broker to a file
// that later starts map instead of loading and verifying 10,000 classes: half
// the CPU time of a start. It is an optimisation: a JVM that cannot do it
// leaves in.archive empty.
func (in *Install) archiveClasses(ctx context.Context) error {
	version, err := run(exec.CommandContext(ctx, in.java, "-version"))
	if err != nil {
		return fmt.Errorf("ask java for its version: %w", err)
	}
	m := regexp.MustCompile(`version "([^"]+)"`).FindStringSubmatch(version)
	if m == nil {
		return nil
	}
	final := filepath.Join(in.Dir, "classes-"+m[1]+".jsa")
	if _, err := os.Stat(final); err == nil {
		in.archive = final
		return nil
	}
	work, err := os.MkdirTemp(in.Dir, "archive")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "classes.jsa")
	c := &Cluster{Version: in.Version, install: in, Dir: work}
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	n := &Node{ID: 1, Roles: "broker,controller", Dir: filepath.Join(work, "b1"), Host: "127.0.0.1", Port: ports[0], ControllerPort: ports[1],
		install: in, jvm: []string{"-XX:ArchiveClassesAtExit=" + made}}
	n.LogDir = filepath.Join(n.Dir, "data")
	c.Nodes = []*Node{n}
	if err := c.prepare(n, newID()); err != nil {
		return err
	}
	if err := n.Start(); err != nil {
		return err
	}
	defer n.kill()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err = poll(ctx, func(context.Context) error {
		line, err := n.InLog("server.log", "Kafka Server started")
		if err == nil && line == "" {
			err = fmt.Errorf("node %d has not started", n.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := n.End(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	if err := os.Rename(made, final); err == nil {
		in.archive = final
	}
	return nil
}
