package jstat

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCapturedOutput(t *testing.T) {
	for name, want := range map[string]map[string]float64{
		"jstat-gc.jdk17-parallel.txt":         {"S0C": 10752, "S0U": 8256.2, "OU": 153371.4, "YGC": 4, "YGCT": 0.471, "FGC": 2, "GCT": 0.989},
		"jstat-gcutil.jdk17-parallel.txt":     {"S0": 76.79, "O": 87.59, "FGCT": 0.518},
		"jstat-gccause.jdk17-parallel.txt":    {"E": 26.38, "CCS": 92.35, "GCT": 0.989},
		"jstat-gccapacity.jdk17-parallel.txt": {"NGCMX": 87040, "OGCMX": 175104, "FGC": 2},
		"jstat-gcnew.jdk17-parallel.txt":      {"TT": 7, "EU": 17442.4},
		"jstat-gcold.jdk17-parallel.txt":      {"OU": 153371.4},
	} {
		all, err := Parse(read(t, name))
		if err != nil || len(all) != 1 {
			t.Errorf("%s: %d samples, %v", name, len(all), err)
			continue
		}
		s := all[0]
		for head, v := range want {
			if s.Columns[head] != v {
				t.Errorf("%s: %s is %v, want %v", name, head, s.Columns[head], v)
			}
		}
		if _, ok := s.Columns["CGC"]; ok || name == "jstat-gc.jdk17-parallel.txt" && !s.Missing["CGC"] {
			t.Errorf("%s: a dash was read as %v", name, s.Columns["CGC"])
		}
		if cause := strings.Contains(name, "cause"); cause != (s.Last == "Allocation Failure" && s.Now == "No GC") || !math.IsNaN(s.Seconds) {
			t.Errorf("%s: %q %q at %v", name, s.Last, s.Now, s.Seconds)
		}
	}
	all, err := Parse(read(t, "jstat-gcutil-t-interval.jdk17-parallel.txt"))
	if err != nil || len(all) != 3 || all[0].Seconds != 63.7 || all[2].Seconds != 64.6 || all[2].Columns["E"] != 26.85 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestShapesOfOtherPlaces(t *testing.T) {
	all, err := Parse([]byte("  S0     E      O      YGC     YGCT   LGCC                 GCC\n  0,00  26,38  87,59      4     0,471 G1 Evacuation Pause No GC\n\n  S0     E      O      YGC     YGCT   LGCC                 GCC\n  0,00  26,38  87,59      5     0,471 G1 Evacuation Pause  G1 Humongous Allocation\n"))
	if err != nil || len(all) != 2 || all[0].Columns["O"] != 87.59 || all[0].Last != "G1 Evacuation Pause" || all[0].Now != "No GC" || all[1].Now != "G1 Humongous Allocation" || all[1].Line != 5 {
		t.Errorf("%+v, %v", all, err)
	}
	// Two tables one below the other: the capacities belong to the use.
	all, err = Parse(append(read(t, "jstat-gc.jdk17-parallel.txt"), read(t, "jstat-gccapacity.jdk17-parallel.txt")...))
	if err != nil || len(all) != 2 || all[1].Columns["OU"] != 153371.4 || all[1].Columns["OGCMX"] != 175104 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "line 1: expected output of jstat",
		"\n$ jstat -gc 1\n":           "line 2: expected the headings",
		"S0C S1C\n1 2\n1 2 3\n":       `line 3: expected 2 numbers below "S0C S1C", found 3`,
		"S0C S1C\n\n1 x\n":            `line 3: column S1C: expected a number or -: "x"`,
		"S0C S1C\n-1 2\n":             `line 2: column S0C: expected a number or -: "-1"`,
		"S0C S1C\n1 1e999\n":          "line 2: column S1C",
		"Could not attach to 4711\n":  "line 1: expected the headings",
		"S0C S1C\n4711 not found\n\n": "line 2:",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/jstat-*.txt")
	if err != nil || len(names) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range names {
		f.Add(read(f, filepath.Base(name)))
	}
	f.Add([]byte("S0 LGCC GCC\n1 a  b\n1 a b\n1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := Parse(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("no line in %v", err)
			}
			return
		}
		for _, s := range all {
			if s.Line < 1 || s.Line > len(b)+1 || len(s.Columns) > len(headings) || len(s.Last) > 60 {
				t.Errorf("%+v", s)
			}
			for head, v := range s.Columns {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					t.Errorf("%s: %v", head, v)
				}
			}
		}
	})
}
