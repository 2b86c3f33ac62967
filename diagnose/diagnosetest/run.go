package diagnosetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Run runs every case under dir, which holds a directory for each cause, as
// subtests, and then the audits: each cause of the catalogue has a positive, a
// near-miss and an unknown case, and each sign reads exactly what it declares
// and is seen to say both yes and no.
func Run(t *testing.T, c *diagnose.Catalogue, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.case"))
	if err != nil {
		t.Fatal(err)
	}
	seen := newObserved()
	for _, file := range files {
		name := strings.TrimSuffix(filepath.ToSlash(strings.TrimPrefix(file, dir+string(filepath.Separator))), ".case")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			k, err := Parse(file, text)
			if err != nil {
				t.Fatal(err)
			}
			runCase(t, c, k)
			seen.note(c, k)
		})
	}
	t.Run("audit", func(t *testing.T) {
		for _, failure := range slices.Concat(auditCases(c, seen.cases), auditReads(c, seen), auditOutcomes(c, seen)) {
			t.Error(failure)
		}
	})
}

func runCase(t *testing.T, c *diagnose.Catalogue, k *Case) {
	t.Helper()
	_, v := conclude(c, k.Batches)
	failures := check(c, k, v)
	for _, failure := range failures {
		t.Error(failure)
	}
	if len(failures) > 0 {
		t.Logf("the verdict:\n%s", describe(v))
	}
	if err := deterministic(c, k, v); err != nil {
		t.Error(err)
	}
	if err := recordable(c, k, v); err != nil {
		t.Error(err)
	}
}

// deterministic concludes some more times: the verdict must be the same, to the
// last number. Go's maps give another order each time.
func deterministic(c *diagnose.Catalogue, k *Case, want *diagnose.Verdict) error {
	for range 4 {
		if _, v := conclude(c, k.Batches); !reflect.DeepEqual(v, want) {
			return fmt.Errorf("%s: two runs differ:\n%s\nand\n%s", k.File, describe(want), describe(v))
		}
	}
	return nil
}

// recordable concludes from the batches as a recording would give them back.
func recordable(c *diagnose.Catalogue, k *Case, want *diagnose.Verdict) error {
	line, err := json.Marshal(k.Batches)
	if err != nil {
		return fmt.Errorf("%s: recording: %w", k.File, err)
	}
	var batches []fact.Batch
	if err := json.Unmarshal(line, &batches); err != nil {
		return fmt.Errorf("%s: replaying: %w", k.File, err)
	}
	if _, v := conclude(c, batches); describe(v) != describe(want) {
		return fmt.Errorf("%s: a replay differs:\n%s\nand\n%s", k.File, describe(want), describe(v))
	}
	return nil
}
