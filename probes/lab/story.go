package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Story is a recording of an incident from before it to after its end.
type Story struct {
	Fault   *Fault
	File    string // must not exist
	Ktriage *Ktriage
	Before  time.Duration // of healthy work
	Broken  time.Duration // from the oracle's word to healing
	After   time.Duration // from healed to the end
}

// Tell starts a cluster and records it with `ktriage record` while a fault is
// injected and healed. Just before it heals it sends SIGUSR1, the mark "fix applied".
func (s *Story) Tell(ctx context.Context, o Options) (err error) {
	if _, err := os.Stat(s.File); err == nil {
		return fmt.Errorf("record to %s: it exists", s.File)
	}
	o.Shape, o.Owner = s.Fault.Shape, "demo"
	c, err := Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if s.Fault.Prepare != nil {
		if err := s.Fault.Prepare(ctx, c); err != nil {
			return fmt.Errorf("prepare %s: %w", s.Fault.Name, err)
		}
	}
	cmd := exec.Command(s.Ktriage.Path, append([]string{"record", "--bootstrap-server", strings.Join(c.Bootstrap(), ","), s.File}, s.Ktriage.Args...)...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := start(cmd); err != nil {
		return fmt.Errorf("run ktriage record: %w", err)
	}
	recorder := make(chan error, 1)
	go func() { recorder <- cmd.Wait() }()
	acts := s.acts(ctx, c, cmd.Process, recorder)
	// The recording is closed whatever came of the acts.
	cmd.Process.Signal(os.Interrupt)
	select {
	case err = <-recorder:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill()
		err = errors.New("it did not end within 20 s of SIGINT")
	}
	if err != nil {
		err = fmt.Errorf("run ktriage record: %w: %s", err, lastLines(said.String(), 3))
	}
	return errors.Join(acts, err)
}

func (s *Story) acts(ctx context.Context, c *Cluster, recorder *os.Process, ended chan error) error {
	rest := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			ended <- err
			return errors.New("ktriage record ended early")
		}
	}
	c.Say("recording; healthy for %s", s.Before)
	if err := rest(s.Before); err != nil {
		return err
	}
	saw, err := s.Fault.Break(ctx, c)
	if err != nil {
		return err
	}
	c.Say("%s: %s", s.Fault.Name, saw)
	if err := rest(s.Broken); err != nil || s.Fault.Heal == nil {
		return err
	}
	// The mark goes first: what stands before it in the recording is the
	// incident at its worst, what comes after it the repair at work.
	if err := recorder.Signal(syscall.SIGUSR1); err != nil {
		return fmt.Errorf("mark the fix: %w", err)
	}
	c.Say("healing")
	if err := s.Fault.Heal(ctx, c); err != nil {
		return fmt.Errorf("heal %s: %w", s.Fault.Name, err)
	}
	return rest(s.After)
}
