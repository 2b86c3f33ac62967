package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/tui/text"
)

func newExplain(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "explain ID", Short: "What a cause, sign, fault or box of the flowchart is", Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return text.IDs(diagnose.All), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var b strings.Builder
			if err := text.Explain(&b, diagnose.All, args[0]); err != nil {
				return asked(fmt.Errorf("explain: %w", err))
			}
			_, err := io.WriteString(s.out, b.String())
			return err
		},
	}
}
