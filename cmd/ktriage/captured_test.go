package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
)

const slowDisk = `Linux 5.14.0 (broker3) 	25.11.26 	_x86_64_	(16 CPU)

Device            r/s     rkB/s   rrqm/s  %rrqm r_await rareq-sz     w/s     wkB/s   wrqm/s  %wrqm w_await wareq-sz     d/s     dkB/s   drqm/s  %drqm d_await dareq-sz     f/s f_await  aqu-sz  %util
sdb             12,00    512,00     0,00   0,00   88,10    42,67   40,00   4800,00     1,00   2,44  140,20   120,00    0,00      0,00     0,00   0,00    0,00     0,00    2,00   12,00    6,67  98,90
`

// A colleague's paste is judged as this host's disks would be.
func TestCapturedIostatIsJudged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "iostat.txt")
	if err := os.WriteFile(file, []byte(slowDisk), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &settings{iostatFile: file, only: []string{"host.disks"}, samples: 2, every: 100 * time.Millisecond, deadline: 5 * time.Second, timeout: time.Second, output: "text", out: io.Discard, errOut: io.Discard}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	target := s.target()
	defer target.Close()
	session, _, err := s.look(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	for _, sign := range session.Verdict().Signs {
		if sign.Sign.ID != "disk-slow" {
			continue
		}
		if sign.Subject.Name != "sdb" || sign.Outcome != diagnose.Yes || !strings.Contains(sign.Text, "128") {
			t.Errorf("%+v, want yes with an await of 128 ms", sign)
		}
		return
	}
	t.Error("no such sign")
}

func TestCapturedIostatThatDoesNotFit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "iostat.txt")
	if err := os.WriteFile(file, []byte(slowDisk[:len(slowDisk)-40]), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ktriage(t, "check", "--iostat-file", file)
	if got.status != exitUsage || !strings.Contains(got.err, "iostat, line 4: expected a device and 22 numbers") {
		t.Errorf("exit %d: %s", got.status, got.err)
	}
	if got := ktriage(t, "check", "--iostat-file", file+".gone"); got.status != exitUsage {
		t.Errorf("exit %d: %s", got.status, got.err)
	}
}
