package diagnosetest

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// Whatever is reported, no sign reads otherwise for it, and what is confirmed
// stays so. Each case once, with another symptom each.
func TestASymptomMovesNoEvidence(t *testing.T) {
	files, err := filepath.Glob("../testdata/*/*.case")
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	all, moved := diagnose.Symptoms(diagnose.All), 0
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		k, err := Parse(file, text)
		if err != nil {
			t.Fatal(err)
		}
		_, plain := conclude(diagnose.All, k.Batches)
		batches := slices.Clone(k.Batches)
		id := all[i%len(all)]
		batches[0].Marks = append(slices.Clone(batches[0].Marks), fact.Mark{At: batches[0].At, Kind: fact.Symptom, Text: id})
		_, told := conclude(diagnose.All, batches)
		if !reflect.DeepEqual(plain.Signs, told.Signs) {
			t.Errorf("%s: signs differ when %s is reported", file, id)
		}
		if a, b := confirmed(plain), confirmed(told); !slices.Equal(a, b) {
			t.Errorf("%s: confirmed %v, and %v when %s is reported", file, a, b, id)
		}
		if describe(plain) != describe(told) {
			moved++
		}
	}
	if moved == 0 {
		t.Error("no report moved anything in any case")
	}
}

func confirmed(v *diagnose.Verdict) (all []string) {
	for _, f := range v.All() {
		if f.Band == diagnose.Confirmed {
			all = append(all, f.Cause.ID+" "+f.Subject.String())
		}
	}
	slices.Sort(all)
	return all
}
