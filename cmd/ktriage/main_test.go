package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary the program itself: what is run is what is
// built, flags, signals, exit status and all.
const asProgram = "TEST_RUNS_KTRIAGE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "1" {
		main()
		return
	}
	// Under nohup, or in the background of a shell, these are ignored, and the
	// programs that are run here would inherit that. What is caught they do not.
	for _, sig := range []os.Signal{syscall.SIGHUP, os.Interrupt} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
	os.Exit(m.Run())
}

// program is ktriage, ready to start, in an environment of its own.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Dir = t.TempDir()
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "KTRIAGE_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(append(cmd.Env, asProgram+"=1", "XDG_CONFIG_HOME="+cmd.Dir), env...)
	return cmd
}

// ended is what a finished program left.
type ended struct {
	status   int
	out, err string
	took     time.Duration
}

func finish(t *testing.T, cmd *exec.Cmd) ended {
	t.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	began := time.Now()
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), errOut.String(), time.Since(began)}
}

func ktriage(t *testing.T, args ...string) ended {
	t.Helper()
	return finish(t, program(t, nil, args...))
}

func TestMistakesAreOneLineAndExit2(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	bad := file("bad.properties", "# a comment\nsecurity.protocol=SSL\nssl.key.password=\\u12G4secret\n")
	binary := file("binary.properties", "a=b\n\x00\n")
	kerberos := file("kerberos.properties", "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\nsasl.jaas.config=secret\n")
	noise := file("noise.ktr", "this is no recording\n")
	for _, tc := range []struct {
		name string
		args []string
		env  string
		want string // the whole of standard error
	}{
		{"unknown flag", []string{"check", "--frob"}, "", "unknown flag: --frob"},
		{"unknown command", []string{"frob"}, "", `unknown command "frob" for "ktriage"`},
		{"too many arguments", []string{"check", "now"}, "", `unknown command "now" for "ktriage check"`},
		{"an unknown shell", []string{"completion", "bash", "tcsh"}, "", `unknown command "tcsh" for "ktriage completion bash"`},
		{"missing argument", []string{"explain"}, "", "accepts 1 arg(s), received 0"},
		{"malformed duration", []string{"check", "--timeout", "5x"}, "", `invalid argument "5x" for "--timeout" flag: time: unknown unit "x" in duration "5x"`},
		{"malformed variable", []string{"check"}, "KTRIAGE_EVERY=often", `KTRIAGE_EVERY: invalid argument "often" for "--every" flag: time: invalid duration "often"`},
		{"negative duration", []string{"check", "--deadline", "-1s"}, "", "--deadline: -1s, expected between 1ms and 24h"},
		{"no samples", []string{"check", "--samples", "0"}, "", "--samples: 0, expected between 1 and 1000"},
		{"address without port", []string{"check", "--bootstrap-server", "kafka1"}, "", `--bootstrap-server: "kafka1", expected HOST:PORT`},
		{"address with a bad port", []string{"check", "--bootstrap-server", "a:9092,b:99999"}, "", `--bootstrap-server: "b:99999", expected HOST:PORT`},
		{"unknown format", []string{"check", "-o", "xml"}, "", `--output: "xml", expected text or json`},
		{"no such file", []string{"check", "--command-config", dir + "/none"}, "", "--command-config: open " + dir + "/none: no such file or directory"},
		{"a directory as a file", []string{"check", "--broker-config", dir}, "", "--broker-config: read " + dir + ": is a directory"},
		{"malformed properties", []string{"check", "--command-config", bad}, "", "--command-config: " + bad + ":3: invalid unicode literal, expected KEY=VALUE"},
		{"binary properties", []string{"check", "--command-config", binary}, "", "--command-config: " + binary + ":2: a zero byte, expected text"},
		{"properties not supported", []string{"check", "--command-config", kerberos}, "", ""},
		{"no such log dir", []string{"check", "--log-dir", dir + "/none"}, "", "--log-dir: " + dir + "/none is not a directory"},
		{"no such recording", []string{"replay", dir + "/none.ktr"}, "", "open " + dir + "/none.ktr: no such file or directory"},
		{"no recording", []string{"report", noise}, "", noise + ": not a recording: no zstd data here"},
		{"bad size", []string{"record", "--max-size", "7 elephants", dir + "/x.ktr"}, "", `invalid argument "7 elephants" for "--max-size" flag: "7 elephants", expected a size as 500000, 64MiB or 1GB`},
		{"existing file", []string{"record", "--for", "1s", "--only", "host.usage", noise}, "", "record: open " + noise + ": file exists"},
		{"no such demo", []string{"demo", "--check", "no-such-demo"}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var env []string
			if tc.env != "" {
				env = []string{tc.env}
			}
			got := finish(t, program(t, env, tc.args...))
			if got.status != 2 || strings.Count(got.err, "\n") != 1 || got.out != "" {
				t.Errorf("exit %d, output %q, error %q; want 2, nothing and one line", got.status, got.out, got.err)
			}
			if tc.want != "" && got.err != "ktriage: "+tc.want+"\n" {
				t.Errorf("error %q\nwant  %q", got.err, "ktriage: "+tc.want)
			}
			if strings.Contains(got.err, "secret") {
				t.Errorf("a secret is printed: %q", got.err)
			}
		})
	}
}

// TestFailuresAreExit4 is what no other words on the command line would mend.
func TestFailuresAreExit4(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	recorded := incident(t, t.TempDir())
	for _, args := range [][]string{{"explain", "broker-down"}, {"version"}, {"demo", "--list"}, {"demo", "--check", "healthy"},
		{"replay", "-o", "json", recorded}, {"report", recorded}, {"audit", "--only", "host.usage"}, {"check", "--only", "host.usage", "--samples", "1"}} {
		cmd := program(t, nil, args...)
		var errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errOut
		if cmd.Run(); cmd.ProcessState.ExitCode() != exitInternal || !strings.Contains(errOut.String(), "no space left on device") {
			t.Errorf("%v onto a full disk: exit %d, %q", args, cmd.ProcessState.ExitCode(), errOut.String())
		}
	}
}

func TestUnknownProbeIsNamed(t *testing.T) {
	got := ktriage(t, "check", "--skip", "kafka.metadat")
	if got.status != 2 || !strings.HasPrefix(got.err, `ktriage: --skip: no probe "kafka.metadat", expected one of host.brokers `) {
		t.Errorf("exit %d, %q", got.status, got.err)
	}
}

func TestFlagWinsOverVariable(t *testing.T) {
	got := finish(t, program(t, []string{"KTRIAGE_OUTPUT=xml"}, "explain", "broker-down"))
	if got.status != 2 || !strings.Contains(got.err, `--output: "xml"`) {
		t.Errorf("the variable is not read: exit %d, %q", got.status, got.err)
	}
	got = finish(t, program(t, []string{"KTRIAGE_OUTPUT=xml"}, "explain", "broker-down", "-o", "text"))
	if got.status != 0 || !strings.Contains(got.out, "broker-crashed") {
		t.Errorf("the flag does not win: exit %d, %q", got.status, got.err)
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"version"}} {
		if got := ktriage(t, args...); got.status != 0 || !strings.HasPrefix(got.out, "ktriage ") || got.err != "" {
			t.Errorf("%v: exit %d, %q, %q", args, got.status, got.out, got.err)
		}
	}
}

func TestExplainSuggests(t *testing.T) {
	got := ktriage(t, "explain", "broker-crash")
	if got.status != 2 || !strings.Contains(got.err, "broker-crashed") {
		t.Errorf("exit %d, %q", got.status, got.err)
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := ktriage(t, "completion", shell); got.status != 0 || !strings.Contains(got.out, "ktriage") {
			t.Errorf("%s: exit %d, %q", shell, got.status, got.err)
		}
	}
}

func TestPanicIsExit4(t *testing.T) {
	var out, errOut bytes.Buffer
	status := run(context.Background(), []string{"version"}, panics{}, &errOut)
	if status != exitInternal || !strings.HasPrefix(errOut.String(), "ktriage: internal error: broken pipe of dreams") {
		t.Errorf("exit %d, %q, %q", status, out.String(), errOut.String())
	}
}

type panics struct{}

func (panics) Write([]byte) (int, error) { panic("broken pipe of dreams") }
