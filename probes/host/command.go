package host

import (
	"path/filepath"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// mainClass is what makes a JVM a Kafka broker or controller.
const mainClass = "kafka.Kafka"

// Command is how a JVM was started.
type Command struct {
	Main      string            // main class
	Args      []string          // after the main class
	Defines   map[string]string // -Dname=value
	Options   []string          // every other option of the JVM
	ClassPath string
}

// withValue is the options of java whose value is the next argument.
var withValue = map[string]bool{
	"-cp": true, "-classpath": true, "--class-path": true, "-p": true, "--module-path": true,
	"--upgrade-module-path": true, "--add-modules": true, "--enable-native-access": true,
	"--add-reads": true, "--add-exports": true, "--add-opens": true, "--limit-modules": true, "--patch-module": true,
	"--source": true, "-d": true, "--describe-module": true,
}

// ParseCommand takes the command line of a java process apart, as
// /proc/PID/cmdline holds it: words that end with NUL.
func ParseCommand(cmdline []byte) Command {
	words := strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	c := Command{Defines: map[string]string{}}
	if len(words) < 2 {
		return c
	}
	words = words[1:]
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		word := words[0]
		words = words[1:]
		switch {
		case word == "-jar" || word == "-m" || word == "--module":
			return c
		case strings.HasPrefix(word, "-D"):
			name, value, _ := strings.Cut(word[2:], "=")
			c.Defines[name] = value
		case withValue[word] && len(words) > 0:
			if strings.Contains(word, "class") || word == "-cp" {
				c.ClassPath = words[0]
			}
			words = words[1:]
		default:
			c.Options = append(c.Options, word)
		}
	}
	if len(words) > 0 {
		c.Main, c.Args = words[0], words[1:]
	}
	return c
}

// parseJavaCommand reads what a perf data file says instead: main class and
// arguments joined with blanks, and the options of the JVM likewise.
func parseJavaCommand(command, vmArgs, classPath string) Command {
	c := Command{Defines: map[string]string{}, ClassPath: classPath}
	if words := strings.Fields(command); len(words) > 0 {
		c.Main, c.Args = words[0], words[1:]
	}
	for _, word := range strings.Fields(vmArgs) {
		if rest, ok := strings.CutPrefix(word, "-D"); ok {
			name, value, _ := strings.Cut(rest, "=")
			c.Defines[name] = value
		} else {
			c.Options = append(c.Options, word)
		}
	}
	return c
}

// IsKafka says whether the process is a broker or a controller.
func (c Command) IsKafka() bool { return c.Main == mainClass && len(c.Args) > 0 }

// overrides is the settings given as --override name=value after the
// properties file.
func (c Command) overrides() map[string]string {
	set := map[string]string{}
	for i := 1; i < len(c.Args); i++ {
		pair, joined := strings.CutPrefix(c.Args[i], "--override=")
		if !joined {
			if c.Args[i] != "--override" || i+1 == len(c.Args) {
				continue
			}
			i++
			pair = c.Args[i]
		}
		if name, value, ok := strings.Cut(pair, "="); ok {
			set[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return set
}

// installation is the directory that Kafka is installed in, as the class path
// tells (DIR/libs/…); empty where it does not.
func (c Command) installation(cwd string) string {
	for entry := range strings.SplitSeq(c.ClassPath, ":") {
		dir := filepath.Dir(entry)
		if filepath.Base(dir) == "libs" && strings.HasPrefix(filepath.Base(entry), "kafka") {
			return absolute(filepath.Dir(dir), cwd)
		}
	}
	return ""
}

// logsDir is where server.log and its kin are: -Dkafka.logs.dir, which Kafka's
// scripts always set, or their default beside the installation.
func (c Command) logsDir(cwd string) string {
	if dir := c.Defines["kafka.logs.dir"]; dir != "" {
		return absolute(dir, cwd)
	}
	if home := c.installation(cwd); home != "" {
		return filepath.Join(home, "logs")
	}
	return ""
}

// absolute is a path seen from a working directory; as it is where that is not
// known.
func absolute(path, cwd string) string {
	if path == "" || filepath.IsAbs(path) || cwd == "" {
		return path
	}
	return filepath.Join(cwd, path)
}
