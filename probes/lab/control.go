package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
)

// Serve takes commands for a cluster from other processes until the context
// ends: "prepare FAULT", "break FAULT" and "heal", a line each over a unix
// socket named in the state file. It answers with lines of progress, then "ok"
// or "error: …".
func (c *Cluster) Serve(ctx context.Context) error {
	path := strings.TrimSuffix(c.state.path, ".json") + ".sock"
	os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("listen for commands: %w", err)
	}
	defer l.Close()
	c.state.Socket = path
	if err := c.state.write(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	d := &director{cluster: c}
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept a command: %w", err)
		}
		go d.serve(ctx, conn)
	}
}

// director carries out commands one after another, and remembers what is broken.
type director struct {
	cluster *Cluster

	mu     sync.Mutex
	busy   *Fault // whose workload runs
	broken []*Fault
}

func (d *director) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(io.LimitReader(conn, 1000)).ReadString('\n')
	if err != nil {
		return // whoever called has gone
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err := d.do(ctx, conn, verb, rest); err != nil {
		fmt.Fprintf(conn, "error: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	fmt.Fprintln(conn, "ok")
}

func (d *director) do(ctx context.Context, w io.Writer, verb, name string) error {
	switch verb {
	case "prepare", "break":
		faults, err := FaultOf(name)
		if err != nil {
			return err
		}
		if err := faults[0].Fits(d.cluster); err != nil {
			return err
		}
		if err := d.prepare(ctx, faults[0]); err != nil || verb == "prepare" {
			return err
		}
		d.broken = append(d.broken, faults[0]) // also when it fails half way: heal it then
		saw, err := faults[0].Break(ctx, d.cluster)
		fmt.Fprintln(w, saw)
		return err
	case "heal":
		return d.heal(ctx, w)
	}
	return fmt.Errorf("command %q: prepare, break or heal is expected", verb)
}

func (d *director) prepare(ctx context.Context, f *Fault) error {
	if d.busy != nil || f.Prepare == nil {
		return nil
	}
	d.busy = f
	if err := f.Prepare(ctx, d.cluster); err != nil {
		return fmt.Errorf("prepare %s: %w", f.Name, err)
	}
	return nil
}

func (d *director) heal(ctx context.Context, w io.Writer) error {
	var errs []error
	for len(d.broken) > 0 {
		last := d.broken[len(d.broken)-1]
		d.broken = d.broken[:len(d.broken)-1]
		if last.Heal == nil {
			continue
		}
		if err := last.Heal(ctx, d.cluster); err != nil {
			errs = append(errs, fmt.Errorf("heal %s: %w", last.Name, err))
			continue
		}
		fmt.Fprintf(w, "%s healed\n", last.Name)
	}
	return errors.Join(errs...)
}

// Command sends a command to the owner of a running cluster, and copies its
// progress to w.
func Command(ctx context.Context, s State, w io.Writer, command string) error {
	if !s.Ready {
		return fmt.Errorf("the cluster of lab %s, pid %d, is still starting", s.Command, s.Owner.PID)
	}
	if s.Socket == "" {
		return fmt.Errorf("the cluster of lab %s, pid %d, takes no commands", s.Command, s.Owner.PID)
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", s.Socket)
	if err != nil {
		return fmt.Errorf("call the owner of the cluster: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := fmt.Fprintln(conn, command); err != nil {
		return fmt.Errorf("call the owner of the cluster: %w", err)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if text, failed := strings.CutPrefix(lines.Text(), "error: "); failed {
			return errors.New(text)
		}
		if lines.Text() == "ok" {
			return nil
		}
		fmt.Fprintln(w, lines.Text())
	}
	return errors.Join(errors.New("the owner of the cluster has gone"), lines.Err())
}
