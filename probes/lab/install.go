package lab

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"
)

// DefaultVersion is the Kafka that a lab runs when none is asked for.
const DefaultVersion = "4.3.1"

//go:embed pom.xml
var pomText string

var versionPattern = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)$`)

// Install is one version of Kafka's jars on this machine, and what can be made
// of them once and used by every cluster.
type Install struct {
	Version string
	Major   int
	minor   int
	Dir     string // holds jars/, bootstrap.checkpoint, the class archive
	java    string // path of the java command
	classes string // class path: every jar, sorted
	archive string // class data archive that halves the CPU time of a start; "" when the JVM made none
}

// Need names what a lab needs of this machine and cannot find: nil when all is
// there. Each entry says what is missing and how to get it.
func Need() []string {
	var missing []string
	for _, tool := range []struct{ name, how string }{
		{"java", "apt-get install openjdk-17-jdk-headless"},
		{"javac", "apt-get install openjdk-17-jdk-headless"},
		{"jar", "apt-get install openjdk-17-jdk-headless"},
		{"mvn", "apt-get install maven"},
		{"ip", "apt-get install iproute2"},
	} {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing = append(missing, fmt.Sprintf("%s is not on the PATH: %s", tool.name, tool.how))
		}
	}
	if os.Geteuid() != 0 {
		missing = append(missing, "not root: neither a tmpfs can be mounted nor a network namespace made")
	}
	return missing
}

// Find makes sure that the jars of a version are in the cache, fetching them
// with Maven when they are not.
func Find(ctx context.Context, version string) (*Install, error) { return find(ctx, version, "") }

// find is Find for the JDK at home; "" is that of the PATH.
func find(ctx context.Context, version, home string) (*Install, error) {
	m := versionPattern.FindStringSubmatch(version)
	if m == nil {
		return nil, fmt.Errorf("kafka version %q: three numbers are expected, as in %s", version, DefaultVersion)
	}
	in := &Install{Version: version, Dir: filepath.Join(cacheDir(), version)}
	in.Major, _ = strconv.Atoi(m[1])
	in.minor, _ = strconv.Atoi(m[2])
	if in.Major < 2 || in.Major == 2 && in.minor < 8 {
		return nil, fmt.Errorf("kafka version %s: 2.8 or later is expected", version)
	}
	var err error
	if in.java, err = exec.LookPath("java"); err != nil {
		return nil, fmt.Errorf("find a JVM for Kafka: %w", err)
	}
	if err := in.fetch(ctx); err != nil {
		return nil, fmt.Errorf("fetch the jars of Kafka %s: %w", version, err)
	}
	jars, err := filepath.Glob(filepath.Join(in.Dir, "jars", "*.jar"))
	if err != nil || len(jars) == 0 {
		return nil, fmt.Errorf("no jars in %s: delete the directory to fetch them again", in.Dir)
	}
	in.classes = strings.Join(jars, ":")
	if !in.kraft() {
		return in, nil
	}
	if err := in.template(ctx); err != nil {
		return nil, fmt.Errorf("format a storage template of Kafka %s: %w", version, err)
	}
	if home != "" { // for a single test: making an archive takes longer than it saves
		in.java = filepath.Join(home, "bin", "java")
		return in, nil
	}
	if err := in.archiveClasses(ctx); err != nil {
		return nil, fmt.Errorf("archive the classes of Kafka %s: %w", version, err)
	}
	return in, nil
}

// kraft says whether KRaft is ready for production.
func (in *Install) kraft() bool { return in.Major > 3 || in.Major == 3 && in.minor >= 3 }

// fetch lets Maven copy the jars into a directory of its own, which gets its
// final name only when it is whole.
func (in *Install) fetch(ctx context.Context) error {
	final := filepath.Join(in.Dir, "jars")
	if _, err := os.Stat(final); err == nil {
		return nil
	}
	if err := os.MkdirAll(in.Dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(in.Dir, "fetch")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var pom bytes.Buffer
	data := struct {
		Version string
		Log4j2  bool // 3.x brings its own binding; two of them would fight
	}{in.Version, in.Major >= 4}
	if err := template.Must(template.New("pom").Parse(pomText)).Execute(&pom, data); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), pom.Bytes(), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(work, "jars"))
	mvn.Dir = work
	if out, err := run(mvn); err != nil {
		return fmt.Errorf("mvn dependency:copy-dependencies: %w: %s", err, lastLines(out, 5))
	}
	if err := os.Rename(filepath.Join(work, "jars"), final); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// template formats one storage directory, whose bootstrap.checkpoint (the
// feature levels) serves every node: only meta.properties differs, and that is
// written by hand. It saves a JVM start for each node.
func (in *Install) template(ctx context.Context) error {
	final := filepath.Join(in.Dir, "formatted")
	if _, err := os.Stat(final); err == nil {
		return nil
	}
	work, err := os.MkdirTemp(in.Dir, "format")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	data := filepath.Join(work, "data")
	n := &Node{ID: 1, Roles: "broker,controller", Dir: work, Host: "127.0.0.1", LogDir: data, Port: 9092, ControllerPort: 9093}
	if err := os.WriteFile(n.properties(), []byte(serverProperties(n, []*Node{n}, nil)), 0o644); err != nil {
		return err
	}
	out, err := in.Java(ctx, "kafka.tools.StorageTool", "format", "-t", newID(), "-c", n.properties())
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(out, 5))
	}
	if err := os.Rename(data, final); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// tool is the main class of a command line tool: most have moved from Kafka's
// core to its tools.
func (in *Install) tool(class string) string {
	moved := map[string]int{"org.apache.kafka.tools.TopicCommand": 7, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand": 8, "org.apache.kafka.tools.reassign.ReassignPartitionsCommand": 7}
	if minor, is := moved[class]; is && (in.Major < 3 || in.Major == 3 && in.minor < minor) {
		return "kafka.admin" + class[strings.LastIndex(class, "."):]
	}
	return class
}

// Java runs a main class of the installation and returns what it printed on
// standard output and error. It is stopped with its context, or after 30 s.
func (in *Install) Java(ctx context.Context, class string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// The tool is no broker: without perf data it is not taken for one.
	line := append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx256m", "-cp", in.classes, class}, args...)
	out, err := run(exec.CommandContext(ctx, in.java, line...))
	if err != nil {
		return out, fmt.Errorf("run %s: %w", class, err)
	}
	return out, nil
}

// cacheDir is where jars and state files live.
func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil { // no HOME
		base = filepath.Join(os.TempDir(), fmt.Sprintf("cache-%d", os.Getuid()))
	}
	return filepath.Join(base, "ktriage-lab")
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
