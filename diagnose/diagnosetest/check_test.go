package diagnosetest

import (
	"strings"
	"testing"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

// full is the sign of a catalogue made for these tests.
var full = &diagnose.Sign{
	ID: "full", On: fact.LogDir, Needs: []fact.Key{fact.DirUsed}, Trouble: true, Leak: 0.001,
	Test: func(v *diagnose.View) diagnose.Reading {
		used, _ := fact.DirUsed.Latest(v, v.Subject)
		r := diagnose.Reading{Outcome: diagnose.No, Text: "room left"}
		if used > 90 {
			r = diagnose.Reading{Outcome: diagnose.Yes, Text: "over 90 used"}
		}
		return r
	},
}

// misdeclared reads one key that it does not declare, and the reverse.
var misdeclared = &diagnose.Sign{
	ID: "misdeclared", On: fact.LogDir, Needs: []fact.Key{fact.DirUsed}, Uses: []fact.Key{fact.DirTotal},
	Test: func(v *diagnose.View) diagnose.Reading {
		fact.DirUsed.Latest(v, v.Subject)
		fact.DirAvailable.Latest(v, v.Subject)
		return diagnose.Reading{Outcome: diagnose.Yes}
	},
}

var toy = &diagnose.Catalogue{
	Signs: []*diagnose.Sign{full},
	Causes: []*diagnose.Cause{{
		ID: "dir-full", Fault: &diagnose.Fault{ID: "disk", Category: diagnose.Availability}, Severity: diagnose.Critical,
		On: fact.LogDir, Prior: 0.01, Signs: []diagnose.Link{{Sign: full, Strength: diagnose.Always, Decisive: true}},
	}},
}

func parse(t *testing.T, file, text string) *Case {
	t.Helper()
	k, err := Parse(file, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCheck(t *testing.T) {
	const seen = "logdir 1:/a host.dir.used 95\nlogdir 1:/b host.dir.used 10\nlogdir 1:/c host.dir.used unknown not-allowed EACCES\n"
	const named = "want cause dir-full on logdir 1:/a confirmed\n"
	for _, c := range []struct{ name, wants, failure string }{
		{"as it is", named + `want first dir-full
want no cause dir-full`, "found: dir-full on logdir 1:/a"},
		{"all true", named + `want first dir-full
want status fault
want branch availability
want cause dir-full on logdir 1:/a confirmed as root "over 90"
want sign full on logdir 1:/a yes "over 90"
want sign full on logdir 1:/b no "room"
want sign full on logdir 1:/c unknown "not-allowed: EACCES"`, ""},
		{"unexpected finding", "want status fault", "x.case: unexpected: dir-full on logdir 1:/a confirmed"},
		{"missing finding", named + "want cause dir-full on logdir 1:/b likely", "x.case:5: want cause dir-full on logdir 1:/b likely: not found"},
		{"other band", "want cause dir-full on logdir 1:/a likely", "found otherwise: dir-full on logdir 1:/a confirmed"},
		{"other role", named + "want cause dir-full on logdir 1:/a confirmed as consequence", "found otherwise"},
		{"other sentence", named + `want cause dir-full on logdir 1:/a confirmed "80 used"`, `it says "over 90 used"`},
		{"unknown cause", named + "want no cause dir-ful", "no such cause in the catalogue"},
		{"unknown sign", named + "want sign ful on logdir 1:/a yes", "no such sign in the catalogue"},
		{"other outcome", named + "want sign full on logdir 1:/b yes", `it reads no: "room left"`},
		{"other reason", named + `want sign full on logdir 1:/c unknown "timed-out"`, "it reads unknown (not-allowed: EACCES)"},
		{"sign not asked", named + "want sign full on logdir 1:/d yes", "it was not asked of that subject"},
		{"other status", named + "want status clear", "it is fault"},
		{"other branch", named + "want branch data", "it is availability"},
		{"other first", named + "want first broker-crashed", "it is dir-full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := parse(t, "x.case", seen+c.wants+"\n")
			_, v := conclude(toy, k.Batches)
			got := strings.Join(check(toy, k, v), "\n")
			if c.failure == "" && got != "" || !strings.Contains(got, c.failure) {
				t.Errorf("got %q, want %q in it\n%s", got, c.failure, describe(v))
			}
		})
	}
}

func TestCheckNothingFound(t *testing.T) {
	k := parse(t, "x.case", "logdir 1:/b host.dir.used 10\nwant branch none\nwant status clear\nwant first dir-full\n")
	_, v := conclude(toy, k.Batches)
	if got := check(toy, k, v); len(got) != 1 || !strings.Contains(got[0], "nothing was found") {
		t.Errorf("got %q", got)
	}
}

func TestAuditCases(t *testing.T) {
	const seen = "logdir 1:/a host.dir.used 95\n"
	positive := parse(t, "dir-full/positive-a.case", seen+"want cause dir-full on logdir 1:/a likely\n")
	near := parse(t, "dir-full/near-miss.case", seen+"want no cause dir-full\n")
	open := parse(t, "dir-full/unknown.case", seen+"want sign full on logdir 1:/a unknown\nwant no cause dir-full\n")
	for _, c := range []struct {
		name, want string
		cases      []*Case
	}{
		{"whole", "", []*Case{positive, near, open}},
		{"no positive", "cause dir-full has no positive case", []*Case{near, open}},
		{"no near miss", "cause dir-full has no near-miss case", []*Case{positive, open}},
		{"no unknown", "cause dir-full has no unknown case", []*Case{positive, near}},
		{"no such cause", "directory disk is no cause", []*Case{parse(t, "disk/positive.case", seen+"want status clear\n")}},
		{"no such kind", "the name begins with none of", []*Case{parse(t, "dir-full/other.case", seen+"want status clear\n")}},
		{"positive without its cause", "a positive case must want dir-full", []*Case{parse(t, "dir-full/positive.case", seen+"want no cause dir-full\n")}},
		{"near miss that hits", "a near miss must want", []*Case{parse(t, "dir-full/near-miss.case", seen+"want cause dir-full on logdir 1:/a likely\n")}},
		{"unknown that sees all", "must want a sign to be unknown", []*Case{parse(t, "dir-full/unknown.case", seen+"want no cause dir-full\n")}},
		{"unknown and confirmed", "it cannot be confirmed", []*Case{parse(t, "dir-full/unknown.case", seen+"want sign full on logdir 1:/a unknown\nwant cause dir-full on logdir 1:/a confirmed\n")}},
	} {
		got := strings.Join(auditCases(toy, c.cases), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.name, got, c.want)
		}
	}
}

func TestAuditSigns(t *testing.T) {
	c := &diagnose.Catalogue{Signs: []*diagnose.Sign{full, misdeclared}}
	seen := newObserved()
	seen.note(c, parse(t, "x.case", "logdir 1:/a host.dir.used 95\nwant status clear\n"))
	want := "sign misdeclared declares host.dir.total and never read it\n" +
		"sign misdeclared read host.dir.available and does not declare it"
	if got := strings.Join(auditReads(c, seen), "\n"); got != want {
		t.Errorf("reads: got %q, want %q", got, want)
	}
	want = "sign full never said no in any case\nsign misdeclared never said no in any case"
	if got := strings.Join(auditOutcomes(c, seen), "\n"); got != want {
		t.Errorf("outcomes: got %q, want %q", got, want)
	}
}

// A sign that leans on something outside the batches is found out.
func TestDeterministicFindsWhatIsNot(t *testing.T) {
	n := 0.0
	fickle := &diagnose.Sign{ID: "fickle", On: fact.LogDir, Needs: []fact.Key{fact.DirUsed},
		Test: func(v *diagnose.View) diagnose.Reading {
			n++
			return diagnose.Reading{Outcome: diagnose.Yes, Value: n}
		}}
	c := &diagnose.Catalogue{Signs: []*diagnose.Sign{fickle}}
	k := parse(t, "x.case", "logdir 1:/a host.dir.used 95\nwant status clear\n")
	_, v := conclude(c, k.Batches)
	if err := deterministic(c, k, v); err == nil {
		t.Error("a sign that counts its calls passed")
	}
	k = parse(t, "x.case", "logdir 1:/a host.dir.used 95\nwant status fault\n")
	_, v = conclude(toy, k.Batches)
	if err := deterministic(toy, k, v); err != nil {
		t.Error(err)
	}
	if err := recordable(toy, k, v); err != nil {
		t.Error(err)
	}
}
