package tui

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range [][2]string{
		{"orders", "orders"},
		{"a\x1b[31mb", "a[31mb"},
		{"a\nb\tc\rd\x00e", "a b cde"},
		{"a\u202eb\u200bc\u2028d", "abcd"},
		{"a\xffb", "a?b"},
		{"\u009b31m", "31m"},
		{"日志目录", "日志目录"},
	} {
		if got := clean(c[0]); got != c[1] {
			t.Errorf("clean(%q) is %q, want %q", c[0], got, c[1])
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"orders", "\x1b]52;c;eA==\x07", "a\xc3\x28", "\u202e", "日志\n目录", strings.Repeat("x", 300)} {
		f.Add(seed, 20)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		got := clean(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("clean(%q) is %q", s, got)
		}
		if clean(got) != got {
			t.Errorf("cleaning %q twice gives something else", s)
		}
		w = max(1, min(w, 300))
		for _, line := range []string{middle(got, w), cut(got, w)} {
			if width(line) > w {
				t.Errorf("%q is wider than %d", line, w)
			}
		}
		for _, color := range []bool{false, true} {
			p := painter{color: false, ascii: color}
			drawn := p.draw(row{{s, red}, {s, plain}}, w)
			if strings.ContainsFunc(drawn, unicode.IsControl) || width(drawn) > w {
				t.Errorf("drawn as %q at width %d", drawn, w)
			}
		}
		wrap(s, w)
		wrapCommand(s, w)
	})
}

func TestMiddle(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"orders", 10, "orders"},
		{"payments.transactions.v2", 13, "paymen…ons.v2"},
		{"abcdef", 4, "abc…"},
		{"目录目录目录", 8, "目…目录"},
	} {
		if got := middle(c.in, c.w); got != c.want {
			t.Errorf("middle(%q, %d) is %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

func TestWrapCommand(t *testing.T) {
	const command = `kafka-topics.sh --bootstrap-server b1:9092 --describe --topic 'two words here'`
	got := wrapCommand(command, 40)
	want := []string{`kafka-topics.sh --bootstrap-server \`, `    b1:9092 --describe --topic \`, `    'two words here'`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got = wrapCommand(`grep -n -m 3 -E 'No space left on device|Disk quota exceeded|Stopping serving logs in dir' server.log`, 40)
	want = []string{`grep -n -m 3 -E \`, `    'No space left on device|Disk quota exceeded|Stopping serving logs in dir' \`, `    server.log`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := wrapCommand("a \\\n    --b", 40); !slices.Equal(got, []string{`a \`, `    --b`}) {
		t.Errorf("got %q", got)
	}
	if got := wrapCommand("df -h /x", 40); !slices.Equal(got, []string{"df -h /x"}) {
		t.Errorf("got %q", got)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 35 * time.Second: "35 s", 130 * time.Second: "2 min 10 s", 5 * time.Minute: "5 min",
		3*time.Hour + 4*time.Minute: "3 h 4 min", 72 * time.Hour: "3 days",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%s) is %q, want %q", d, got, want)
		}
	}
}

func TestDrawsUnicode(t *testing.T) {
	for _, c := range []struct {
		term, lcAll, lang string
		want              bool
	}{
		{"xterm", "", "en_GB.UTF-8", true}, {"xterm", "C", "en_GB.UTF-8", false}, {"linux", "", "C.UTF-8", false},
		{"dumb", "", "C.UTF-8", false}, {"screen", "", "", false}, {"screen", "de_DE.utf8", "", true},
	} {
		got := drawsUnicode(func(name string) string {
			return map[string]string{"TERM": c.term, "LC_ALL": c.lcAll, "LANG": c.lang}[name]
		})
		if got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
