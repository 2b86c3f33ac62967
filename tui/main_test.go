package tui

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var update = flag.Bool("update", false, "write the golden files and docs/keys.md anew")

// TestMain lets the test binary be the console itself: the tests of the whole
// program start it on a pseudo-terminal.
func TestMain(m *testing.M) {
	switch os.Getenv("KTRIAGE_TEST_CONSOLE") {
	case "":
		os.Exit(m.Run())
	case "exit": // what --version does: nothing
		fmt.Println("exit")
		os.Exit(0)
	}
	if err := testConsole(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// testConsole runs the console over the incident as the environment asks.
func testConsole() error {
	pause, _ := time.ParseDuration(os.Getenv("KTRIAGE_TEST_PAUSE"))
	batches, err := readIncident()
	if err != nil {
		return err
	}
	live := os.Getenv("KTRIAGE_TEST_CONSOLE") == "live"
	if live { // the fault stays, and now is now
		batches = batches[:worst+1]
		by := time.Since(batches[worst].At)
		for i := range batches {
			batches[i].At = batches[i].At.Add(by)
			for j := range batches[i].Observations {
				o := &batches[i].Observations[j]
				o.At = batches[i].At
				if lines, ok := o.Value.(fact.LogLines); ok && lines.Count > 0 {
					lines.First, lines.Last = lines.First.Add(by), lines.Last.Add(by)
					o.Value = lines
				}
			}
		}
	}
	return Run(context.Background(), Options{
		Source: &reel{batches: batches, pause: pause, live: live}, Replay: !live,
		Title: "replay of disk-full.ktr", Catalogue: diagnose.All,
		Report: func(*diagnose.Session, *diagnose.Verdict) (string, error) {
			return "", fmt.Errorf("the test writes none")
		},
	})
}
