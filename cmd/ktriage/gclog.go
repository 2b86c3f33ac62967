package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/probes/gclog"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/tui/text"
)

func newGCLog(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "gclog FILE...", Short: "Pauses, throughput and causes of a GC log, against the limits", Args: cobra.MinimumNArgs(1),
		Long: "Pauses, throughput, full collections and causes of a GC log, against the limits.\n" +
			"Unified logs (JDK 9 and later) and those of JDK 8; the rotated files of one JVM can\n" +
			"be given together, in any order. - is standard input. Exit status: 0 clean, 1 a limit\n" +
			"is passed, 2 usage, or a file that is no GC log, 3 something could not be told.",
		RunE: func(cmd *cobra.Command, args []string) error { return s.gclog(cmd.InOrStdin(), args) },
	}
}

// gclog reads the files as one log and says what it tells.
func (s *settings) gclog(in io.Reader, names []string) error {
	names, err := ordered(names)
	if err != nil {
		return asked(err)
	}
	var p gclog.Parser
	r := text.GCLogReading{Files: names}
	for _, name := range names {
		err := readGCLog(&p, in, name)
		switch {
		case err != nil && (errors.Is(err, gclog.ErrNotGCLog) || !p.Known()):
			return asked(err)
		case err != nil:
			r.Unread = append(r.Unread, err.Error())
		}
	}
	r.Log = p.Log()
	if s.output == "json" {
		err = text.GCLogJSON(s.out, r, text.About{Version: version()})
	} else {
		err = text.GCLog(s.out, r)
	}
	if err != nil {
		return err
	}
	if code := r.Exit(); code != 0 {
		return exit(code)
	}
	return nil
}

func readGCLog(p *gclog.Parser, in io.Reader, name string) error {
	if name == "-" {
		return p.Read(in, "standard input")
	}
	f, err := (&probe.Target{}).Open(name)
	if err != nil {
		return fmt.Errorf("read GC log: %w", err)
	}
	defer f.Close()
	return p.Read(f, name)
}

// ordered is the files in the order in which they were written.
func ordered(names []string) ([]string, error) {
	if len(names) == 1 {
		return names, nil
	}
	var heads []gclog.Head
	for _, name := range names {
		h := gclog.Head{Name: name}
		if name != "-" {
			f, err := (&probe.Target{}).Open(name)
			if err != nil {
				return nil, fmt.Errorf("read GC log: %w", err)
			}
			var b bytes.Buffer
			_, err = io.Copy(&b, io.LimitReader(f, 64<<10))
			f.Close()
			if err != nil {
				return nil, fmt.Errorf("read GC log %s: %w", name, err)
			}
			h.Text = b.Bytes()
		}
		heads = append(heads, h)
	}
	return gclog.Order(heads), nil
}
