package lab

import (
	"fmt"
	"strings"
	"testing"
)

// blinded is a report that names signs as not asked: "sign drop --skip x", and
// looks at one of them next.
func blinded(t *testing.T, status, next string, unknown []string, findings ...string) *Report {
	t.Helper()
	var all []string
	for _, u := range unknown {
		sign, how, _ := strings.Cut(u, " ")
		all = append(all, fmt.Sprintf(`{"sign":%q,"reason":"not-asked","how":%q}`, sign, how))
	}
	look := "null"
	if next != "" {
		look = fmt.Sprintf(`{"sign":%q,"text":"…"}`, next)
	}
	return report(t, fmt.Sprintf(`{"verdict":{"status":%q},"findings":[%s],"coverage":{"unknown":[%s]},"next":%s}`,
		status, strings.Join(findings, ","), strings.Join(all, ","), look))
}

// none is a catalogue in which nothing follows from anything.
func none(cause, other string) bool { return false }

// What the catalogue says that follows from a cause is not wrong, though it was not
// there yet in full sight; it is honest only where it names what may be behind it.
func TestWithoutJudgeFollows(t *testing.T) {
	sighted := reported(t, "fault", root("heap-exhaustion", "critical", "confirmed", "broker", "3", "out-of-memory-logged from logs.lines"))
	follows := func(cause, other string) bool { return cause == "heap-exhaustion" && other == "broker-crashed" }
	asked := []string{"out-of-memory-logged drop --skip logs.lines", "fatal-logged drop --skip logs.lines"}
	behind := func(cause, sign string) string {
		crash := root("broker-crashed", "critical", "confirmed", "broker", "3", "process-gone from host.process")
		return strings.TrimSuffix(crash, "}") + fmt.Sprintf(`,"behind":[%q],"unknown":[{"sign":%q,"reason":"not-asked","how":"drop --skip logs.lines"}]}`, cause, sign)
	}
	other := root("disk-full", "critical", "confirmed", "logdir", "3:/l3", "dir-full from host.dirs")
	for _, x := range []struct {
		name, next string
		roots      []string
		answer     string
	}{
		{"what may be behind it is named, and next", "out-of-memory-logged", []string{behind("heap-exhaustion", "out-of-memory-logged")}, MayFollow},
		{"the step is that of another sign", "fatal-logged", []string{behind("heap-exhaustion", "out-of-memory-logged")}, MayFollow},
		{"there is no step", "", []string{behind("heap-exhaustion", "out-of-memory-logged")}, Consequence},
		{"something else may be behind it", "out-of-memory-logged", []string{behind("disk-full", "out-of-memory-logged")}, Consequence},
		{"by a sign that it does not have", "out-of-memory-logged", []string{behind("heap-exhaustion", "fatal-logged")}, Consequence},
		{"nothing is named at the finding", "out-of-memory-logged", []string{root("broker-crashed", "critical", "confirmed", "broker", "3")}, Consequence},
		{"what does not follow beside it", "out-of-memory-logged", []string{behind("heap-exhaustion", "out-of-memory-logged"), other}, WrongNow},
	} {
		w := Without{What: "decisive", Skip: "logs.lines"}
		w.judge(heapExhaustion, sighted, blinded(t, "fault", x.next, asked, x.roots...), follows)
		if w.Answer != x.answer || w.Honest() != (x.answer == MayFollow) {
			t.Errorf("%s: %q, want %q (%+v)", x.name, w.Answer, x.answer, w)
		}
	}
}

func TestWithoutJudge(t *testing.T) {
	sighted := reported(t, "fault",
		root("disk-full", "critical", "confirmed", "logdir", "3:/l3", "dir-full from host.dirs", "no-space-logged from logs.lines"),
		finding("consequence", "log-dir-offline", "critical", "confirmed", "logdir", "3:/l3", "dir-offline from kafka.logdirs"),
		finding("consequence", "under-min-isr", "critical", "confirmed", "cluster", "cluster", "partitions-under-min-isr from kafka.metadata"))
	asked := []string{"dir-full drop --skip host.dirs", "mount-risks-data drop --skip host.dirs", "bad-batches it is heavy"}
	other := []string{"process-gone drop --skip host.process"}
	guess := root("disk-full", "critical", "cannot-tell", "logdir", "3:/l3", "no-space-logged from logs.lines")
	told := root("disk-full", "critical", "likely", "logdir", "3:/l3", "no-space-logged from logs.lines")
	for _, x := range []struct {
		name   string
		blind  *Report
		answer string
	}{
		{"told by the log", blinded(t, "fault", "", asked, told), StillTold},
		{"told, with a consequence beside it", blinded(t, "fault", "", asked, told, root("under-min-isr", "critical", "confirmed", "cluster", "cluster")), StillTold},
		{"told of another disk", blinded(t, "fault", "", asked, strings.Replace(told, "3:/l3", "1:/l1", 1)), WrongNow},
		{"told by nothing", blinded(t, "fault", "", asked, root("disk-full", "critical", "likely", "logdir", "3:/l3")), WrongNow},
		{"told by what was skipped", blinded(t, "fault", "", asked, root("disk-full", "critical", "likely", "logdir", "3:/l3", "dir-full from host.dirs")), WrongNow},
		{"told, and a wrong root too", blinded(t, "fault", "", asked, told, root("gc-pause", "major", "confirmed", "broker", "3")), WrongNow},
		{"another cause", blinded(t, "fault", "dir-full", asked, root("gc-pause", "major", "likely", "broker", "3")), WrongNow},
		{"its consequence as the root", blinded(t, "fault", "dir-full", asked, root("under-min-isr", "critical", "confirmed", "cluster", "cluster")), Consequence},
		{"what the fault expects below it as the root", blinded(t, "fault", "dir-full", asked, root("broker-crashed", "critical", "confirmed", "broker", "3")), Consequence},
		{"cannot tell, the sign named and next", blinded(t, "incomplete", "dir-full", asked, guess), CannotTell},
		{"cannot tell, the same step by another sign", blinded(t, "incomplete", "mount-risks-data", asked, guess), CannotTell},
		{"cannot tell, the cause not mentioned", blinded(t, "incomplete", "dir-full", asked), CannotTell},
		{"only another cause's sign named", blinded(t, "incomplete", "process-gone", other, guess), Silent},
		{"only what is heavy named, as always", blinded(t, "incomplete", "bad-batches", asked[2:], guess), Silent},
		{"nothing named", blinded(t, "incomplete", "", nil, guess), Silent},
		{"named, and called healthy", blinded(t, "clear", "dir-full", asked), Silent},
		{"named, and called advice", blinded(t, "advice", "dir-full", asked), Silent},
		{"no step", blinded(t, "incomplete", "", asked, guess), NoStep},
		{"a step that does not settle it", blinded(t, "incomplete", "bad-batches", asked, guess), NoStep},
	} {
		w := Without{What: "decisive", Skip: "host.dirs,host.disks"}
		w.judge(diskFull, sighted, x.blind, none)
		if w.Answer != x.answer {
			t.Errorf("%s: %q, want %q (missing %v, next %q, wrong %v, follows %v)", x.name, w.Answer, x.answer, w.Missing, w.Next, w.Wrong, w.Follows)
		}
		if honest := x.answer == StillTold || x.answer == CannotTell; w.Honest() != honest {
			t.Errorf("%s: honest is %v", x.name, w.Honest())
		}
	}
}

// In a mixture the other fault may be told as ever, and its root is not wrong.
func TestWithoutJudgeMixture(t *testing.T) {
	group := root("group-stopped", "major", "confirmed", "group", "billing", "group-empty from kafka.groups")
	sighted := reported(t, "fault", root("broker-crashed", "critical", "confirmed", "broker", "2", "process-gone from host.process"), group)
	w := Without{What: "decisive", Skip: "host.process"}
	w.judge(crashAndStoppedGroup, sighted, blinded(t, "fault", "process-gone", []string{"process-gone drop --skip host.process"}, group), none)
	if w.Answer != CannotTell || w.Cause != "broker-crashed" || len(w.Missing) != 1 {
		t.Errorf("%+v", w)
	}
	w.judge(crashAndStoppedGroup, sighted, blinded(t, "fault", "", nil, group), none)
	if w.Answer != Silent {
		t.Errorf("what was not asked is not named, and the answer is %q", w.Answer)
	}
}

// What an older exam called honest without saying what was named is not.
func TestHonestWantsItsReasons(t *testing.T) {
	for _, w := range []Without{{Answer: CannotTell}, {Answer: CannotTell, Missing: []string{"dir-full"}}, {Answer: CannotTell, Next: "dir-full"}, {Answer: Silent}, {Answer: NoStep}, {Answer: Consequence}, {Answer: WrongNow}, {}} {
		if w.Honest() {
			t.Errorf("%+v is called honest", w)
		}
	}
}

func TestDecided(t *testing.T) {
	e := &Examiner{Decisive: func(cause, sign string) bool { return cause == "disk-full" && sign == "dir-full" }}
	r := report(t, `{"findings":[
		{"cause":"disk-full","evidence":[
			{"sign":"dir-full","outcome":"yes","source":"host.dirs"},
			{"sign":"no-space-logged","outcome":"yes","source":"logs.lines"},
			{"sign":"dir-read-only","outcome":"no","source":"host.disks"},
			{"sign":"dir-full","outcome":"yes","source":null}]},
		{"cause":"gc-pause","evidence":[
			{"sign":"long-pauses","outcome":"yes","source":"jvm.perf"},
			{"sign":"pauses-logged","outcome":"yes","source":"jvm.gclog"},
			{"sign":"long-pauses","outcome":"yes","source":"jvm.perf"},
			{"sign":"heap-full","outcome":"unknown","source":"jvm.threads"}]}]}`)
	for cause, want := range map[string]string{
		"disk-full":      "host.dirs",          // what decides, and it alone
		"gc-pause":       "jvm.gclog,jvm.perf", // nothing decides: all that say yes, each once, in order
		"broker-crashed": "",
	} {
		if got := e.decided(r, cause); got != want {
			t.Errorf("%s was decided by %q, want %q", cause, got, want)
		}
	}
}
