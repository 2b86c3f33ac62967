// Package hosttest starts a small JVM that looks like a broker to discovery,
// for tests of what is read of processes and JVMs.
package hosttest

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed kafka/Kafka.java
var source embed.FS

// JDK is an installed Java development kit.
type JDK struct{ Home string }

// Tool is the path of one of its programs.
func (j JDK) Tool(name string) string { return filepath.Join(j.Home, "bin", name) }

// JDKs is every JDK of this machine, each once; a test needs one.
func JDKs(t testing.TB) []JDK {
	t.Helper()
	homes, _ := filepath.Glob("/usr/lib/jvm/*")
	if path, err := exec.LookPath("jstat"); err == nil {
		homes = append(homes, filepath.Dir(filepath.Dir(path)))
	}
	seen := map[string]bool{}
	var all []JDK
	for _, home := range homes {
		real, err := filepath.EvalSymlinks(filepath.Join(home, "bin", "jstat"))
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		if _, err := os.Stat(filepath.Join(filepath.Dir(real), "javac")); err == nil {
			all = append(all, JDK{filepath.Dir(filepath.Dir(real))})
		}
	}
	if len(all) == 0 {
		t.Fatal("this test needs a JDK (java, javac, jstat) on PATH or in /usr/lib/jvm")
	}
	return all
}

// Compile compiles the class for every JDK, once for each version of its source,
// and returns its class path.
func Compile(t testing.TB) string {
	t.Helper()
	text, err := source.ReadFile("kafka/Kafka.java")
	if err != nil {
		t.Fatal(err)
	}
	final := filepath.Join(os.TempDir(), fmt.Sprintf("ktriage-hosttest-%d-%x", os.Getuid(), sha256.Sum256(text))[:40])
	if _, err := os.Stat(filepath.Join(final, "kafka", "Kafka.class")); err == nil {
		return final
	}
	dir, err := os.MkdirTemp("", "ktriage-hosttest")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "Kafka.java")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	javac := JDKs(t)[0].Tool("javac")
	if out, err := exec.Command(javac, "--release", "17", "-d", dir, file).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	if err := os.Rename(dir, final); err != nil { // another test may have been first
		if _, missing := os.Stat(final); missing != nil {
			t.Fatal(err)
		}
	}
	return final
}

// Start starts the class in dir with options of the JVM, "server.properties" as
// its argument, and waits until it is ready. It is killed with the test.
func Start(t testing.TB, jdk JDK, classPath, dir string, options ...string) *exec.Cmd {
	t.Helper()
	args := append(options, "-XX:TieredStopAtLevel=1", "-cp", classPath, "kafka.Kafka", "server.properties")
	cmd := exec.Command(jdk.Tool("java"), args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // closed with us: then it ends
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready") {
			return cmd
		}
	}
	t.Fatalf("java %v ended before it was ready", args)
	return nil
}
