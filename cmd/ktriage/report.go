package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/probes/record"
	"github.com/ktriage/ktriage/tui/text"
)

func newReport(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "report [FILE]", Short: "Markdown incident report, live or from a recording", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return s.reportLive(cmd.Context())
			}
			return s.reportFile(cmd.Context(), args[0])
		},
	}
}

func (s *settings) reportLive(ctx context.Context) error {
	t := s.target()
	defer t.Close()
	session, worst, err := s.look(ctx, t)
	if err != nil {
		return err
	}
	title := ""
	if len(s.bootstrap)+len(t.Brokers()) > 0 {
		title = place(s, t)
	}
	return text.Report(s.out, session, worst, text.About{Version: version(), Title: title})
}

func (s *settings) reportFile(ctx context.Context, name string) error {
	r, err := record.Open(name)
	if err != nil {
		return asked(err)
	}
	defer r.Close()
	session, worst, err := s.fold(ctx, r)
	if err != nil {
		return err
	}
	return text.Report(s.out, session, worst, text.About{Version: version(), Title: "from " + name})
}
