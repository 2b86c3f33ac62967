package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/record"
)

const examDir = "testdata/exam"

// TestExam grades again, by the rules of the exam, what was recorded in it: rows
// that were right on a real Kafka, in full sight and without the probes that
// decided. `make cases` takes new recordings over.
func TestExam(t *testing.T) {
	began := time.Now()
	all := examCases(t)
	t.Run("cases", func(t *testing.T) {
		for _, k := range all {
			t.Run(k.Name, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(examDir, k.Name+".ktr")
				sighted := replayed(t, file)
				if err := k.Judge(sighted); err != nil {
					t.Error(err)
				}
				if k.Without == "" {
					return
				}
				less := blindfolded(t, file, strings.Split(k.Without, ","))
				if err := k.JudgeLess(sighted, replayed(t, less), diagnose.All.Follows); err != nil {
					t.Error(err)
				}
			})
		}
	})
	t.Logf("%d cases in %.1f s", len(all), time.Since(began).Seconds())
}

// examCases is the cases, each with its recording, and no recording without one.
func examCases(t *testing.T) []*lab.Case {
	t.Helper()
	f, err := os.Open(filepath.Join(examDir, "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := lab.ReadCases(f.Name(), f)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(examDir, "*.ktr"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 || len(all) != len(files) {
		t.Fatalf("%d cases, and %d recordings", len(all), len(files))
	}
	return all
}

// replayed is what `ktriage replay -o json` says of a recording.
func replayed(t *testing.T, file string) *lab.Report {
	t.Helper()
	var out, errOut bytes.Buffer
	if status := run(t.Context(), []string{"replay", "-o", "json", file}, &out, &errOut); status != 0 || errOut.Len() > 0 {
		t.Fatalf("replay %s: exit %d: %s", file, status, errOut.String())
	}
	r, err := lab.ReadReport(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blindfolded is a recording without what some probes saw.
func blindfolded(t *testing.T, file string, skip []string) string {
	t.Helper()
	r, err := record.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	less := filepath.Join(t.TempDir(), "less.ktr")
	w, err := record.Create(less, r.Header(), record.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(probes.Unseen(b, probes.All, skip)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return less
}

// TestExamIsRedacted holds that no recording tells where it was made, that they are
// small, and that what was replaced is not kept beside them.
func TestExamIsRedacted(t *testing.T) {
	total := int64(0)
	for _, k := range examCases(t) {
		file := filepath.Join(examDir, k.Name+".ktr")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		if told, err := lab.Tells(t.Context(), file); err != nil || told != "" {
			t.Errorf("%s: it tells %q, %v", file, told, err)
		}
	}
	if total > 1_500_000 {
		t.Errorf("the recordings have %d bytes, 1.5 MB at most are carried", total)
	}
	if names, _ := filepath.Glob(filepath.Join(examDir, "*.names.json")); len(names) > 0 {
		t.Errorf("what was replaced is kept: %v", names)
	}
}
