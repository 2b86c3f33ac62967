package tui

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// points is one value every five seconds; NaN stands for unknown.
func points(values ...float64) []diagnose.Point {
	var all []diagnose.Point
	for i, v := range values {
		all = append(all, diagnose.Point{At: time.Unix(int64(5*i), 0), Value: v, Known: !math.IsNaN(v)})
	}
	return all
}

// TestPeakStays puts one high point among many more than there are columns.
func TestPeakStays(t *testing.T) {
	values := make([]float64, 720)
	values[333] = 99
	c, ok := sample(points(values...), 40, 50, false)
	if !ok || c.max != 99 || c.hi != 100 || !contains(c.values, 99) {
		t.Errorf("the peak is gone: %+v", c)
	}
	for i := range values {
		values[i] = 50 - values[i]/2
	}
	if c, ok := sample(points(values...), 40, 10, true); !ok || !contains(c.values, 0.5) {
		t.Errorf("the trough is gone: %+v", c)
	}
}

func contains(values []float64, want float64) bool {
	for _, v := range values {
		if v == want {
			return true
		}
	}
	return false
}

// TestGap leaves out what nobody saw.
func TestGap(t *testing.T) {
	nan := math.NaN()
	c, ok := sample(points(1, 1, nan, nan, 2, 2), 60, 3, false)
	if !ok || !math.IsNaN(c.values[30]) || c.values[10] != 1 || c.values[59] != 2 {
		t.Errorf("got %v", c.values)
	}
	late := append(points(1, 1), diagnose.Point{At: time.Unix(600, 0), Value: 1, Known: true})
	if c, _ := sample(late, 60, 3, false); !math.IsNaN(c.values[30]) {
		t.Error("ten silent minutes are drawn as if someone had looked")
	}
	if c, _ := sample(points(1, nan), 10, 3, false); !math.IsNaN(c.now) {
		t.Error("now is known although the newest sample is not")
	}
}

// TestGraphTraps is what the library stumbles over: nothing, one point, no known
// point, infinities, huge and tiny values.
func TestGraphTraps(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, values := range [][]float64{{}, {1}, {nan}, {nan, nan}, {inf, -inf}, {inf, 1}, {1e300, -1e300}, {math.MaxFloat64, -math.MaxFloat64}, {5e-324}, {0, 0}, {nan, 1, nan}, {-5, -3}} {
		for _, limit := range []float64{0, 1, nan, inf, -1e300} {
			for _, ascii := range []bool{false, true} {
				c, ok := sample(points(values...), 20, limit, false)
				if !ok {
					continue
				}
				lines := plot(c, fact.Count, 5, ascii)
				if len(lines) != 5 {
					t.Errorf("%v, limit %v: %d lines", values, limit, len(lines))
				}
				for _, line := range lines {
					if width(line) > 20+axisWide || strings.Contains(line, "NaN") || strings.Contains(line, "Inf") {
						t.Errorf("%v, limit %v: %q", values, limit, line)
					}
				}
			}
		}
	}
	for _, values := range [][]float64{{}, {nan}, {inf}} {
		if _, ok := sample(points(values...), 20, 1, false); ok {
			t.Errorf("%v makes a graph", values)
		}
	}
}

func TestGraphASCII(t *testing.T) {
	c, _ := sample(points(0, 1, 2, 3, 4, 5, 4, 3), 30, 4, false)
	got := "\n" + strings.Join(plot(c, fact.Count, 6, true), "\n")
	const want = `
        5 |                    *****
        4 +----------------*****---*****-
        3 |           ******           **
        2 |       *****
        1 |   *****
        0 +****`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct{ low, high, lo, hi float64 }{
		{0.8, 0.97, 0, 1}, {0, 0, 0, 1}, {3, 12, 0, 20}, {-3, 7, -5, 10}, {0, 100, 0, 100}, {math.NaN(), math.Inf(1), 0, 1},
	} {
		if lo, hi := scale(c.low, c.high); lo != c.lo || hi != c.hi {
			t.Errorf("scale(%v, %v) is %v…%v, want %v…%v", c.low, c.high, lo, hi, c.lo, c.hi)
		}
	}
}

func TestNumber(t *testing.T) {
	for want, got := range map[string]string{
		"85 %": number(0.85, fact.Ratio), "0.5 %": number(0.005, fact.Ratio), "1.5 GiB": number(1.5*(1<<30), fact.Bytes), "0 B": number(0, fact.Bytes),
		"12": number(12, fact.Count), "12.3 k": number(12345, fact.Count), "3.5 ms": number(0.0035, fact.Seconds), "2.5 s": number(2.5, fact.Seconds),
		"5 min": number(300, fact.Seconds), "none": number(math.NaN(), fact.Count),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, v := range []float64{math.MaxFloat64, -math.MaxFloat64, math.Inf(1), 5e-324} {
		for _, unit := range []fact.Unit{fact.Bytes, fact.Seconds, fact.Ratio, fact.Count} {
			_ = fmt.Sprint(number(v, unit)) // no panic
		}
	}
}
