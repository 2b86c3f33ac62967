package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestColleaguesPasteIsTriaged: captured output alone, of a heap that full
// collections cannot empty, names the cause.
func TestColleaguesPasteIsTriaged(t *testing.T) {
	var text strings.Builder
	text.WriteString("   NGCMN    NGCMX     NGC     S0C   S1C       EC      OGCMN      OGCMX       OGC         OC       YGC    FGC\n     87040.0  87040.0  87040.0 10752.0 10752.0  65536.0   175104.0   175104.0   175104.0   175104.0      4      2\n")
	for i := range 10 {
		if i%4 == 0 {
			text.WriteString("Timestamp   S0C    S1C    S0U    S1U      EC       EU        OC         OU       YGC     YGCT    FGC    FGCT     GCT\n")
		}
		fmt.Fprintf(&text, "%10.1f 10752.0 10752.0  0.0 10000.0  65536.0  65000.0   175104.0   175000.0    4    0.471   %d    %.3f    %.3f\n", 100+2*float64(i), 2+5*i, 0.5+1.8*float64(i), 1.0+1.8*float64(i))
	}
	file := filepath.Join(t.TempDir(), "paste.txt")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ktriage(t, "check", "--only", "jvm.perf", "--jstat-file", file, "--samples", "1", "-o", "json")
	if !strings.Contains(got.out, `"heap-exhaustion"`) || !strings.Contains(got.out, "full collections in 18") {
		t.Errorf("exit %d: %s%s", got.status, got.out, got.err)
	}
	cmd := program(t, nil, "check", "--only", "jvm.perf", "--jstat-file", "-", "--samples", "1")
	cmd.Stdin = strings.NewReader(text.String() + "jstat: 4711 not found\n")
	if got := finish(t, cmd); got.status != exitUsage || !strings.Contains(got.err, "--jstat-file: -: line 16: expected") {
		t.Errorf("exit %d: %s", got.status, got.err)
	}
}
