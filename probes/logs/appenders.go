package logs

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/probe"
)

// Where a log is when it is not where Kafka's own configuration puts it: what
// log4j was told, or what standard output is.

// fileLine is a line of a logging configuration that names a file, in each of
// its dialects: log4j 1 and 2 properties, YAML, XML, JSON.
var fileLine = regexp.MustCompile(`(?im)(?:\.file|\bfilename)["']?\s*[=:]\s*["']?([^"'\s>,]+)`)

// appenders is the files that a logging configuration writes to, in its order.
// Of what it leaves to properties, those of the command line are known. Files
// whose name stays open are left out.
func appenders(config string, defines map[string]string) []string {
	var all []string
	for line := range strings.Lines(config) {
		if text := strings.TrimSpace(line); strings.HasPrefix(text, "#") || strings.HasPrefix(text, "!") {
			continue
		}
		m := fileLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		name := os.Expand(m[1], func(property string) string {
			property = strings.TrimPrefix(property, "sys:")
			property, otherwise, _ := strings.Cut(property, ":-")
			if value, ok := defines[property]; ok {
				return value
			}
			if otherwise != "" {
				return otherwise
			}
			return "\x00"
		})
		if !strings.Contains(name, "\x00") {
			all = append(all, name)
		}
	}
	return all
}

// words is what the names of files are known by that hold what Kafka's own
// configuration writes to a file of that name.
var words = map[string]string{
	"server.log": "server", "controller.log": "controller", "state-change.log": "state", "kafka-authorizer.log": "authorizer", "log-cleaner.log": "cleaner",
}

// choose is which of the files stands for one of Kafka's; "" for none. What has
// no file of its own goes to the one of the server, or the only one there is.
func choose(file string, all []string) string {
	for _, name := range all {
		if strings.Contains(strings.ToLower(filepath.Base(name)), words[file]) {
			return name
		}
	}
	if file == "server.log" && len(all) == 1 {
		return all[0]
	}
	return ""
}

// elsewhere is where a broker's log is as its command line tells it: in a file
// that its logging configuration names, or where its standard output goes. The
// error says why neither tells. Paths are as the broker sees them.
func elsewhere(t *probe.Target, b fact.LocalBroker, file string) (string, error) {
	if !b.Running || b.PID == 0 || words[file] == "" {
		return "", probe.Fail(fact.Unreadable, "the broker does not run: its command line is not known", "--kafka-logs DIR, where "+file+" is")
	}
	cmdline, err := t.ReadFile(t.Proc(b.PID, "cmdline"), 2<<20)
	if err != nil {
		return "", err
	}
	defines := host.ParseCommand(cmdline).Defines
	cwd, _ := os.Readlink(t.Proc(b.PID, "cwd"))
	for _, name := range []string{"log4j2.configurationFile", "log4j.configurationFile", "log4j.configuration"} {
		path := configPath(defines[name], cwd)
		if path == "" {
			continue
		}
		text, err := t.ReadFile(t.PathOf(b.PID, path), 1<<20)
		if err != nil {
			return "", err
		}
		if found := choose(file, appenders(string(text), defines)); found != "" {
			if !filepath.IsAbs(found) {
				found = filepath.Join(cwd, found)
			}
			return found, nil
		}
	}
	return standardOutput(t, b.PID, file)
}

// configPath is the path in a logging setting: a path, or a file: URL.
func configPath(setting, cwd string) string {
	setting, _, _ = strings.Cut(setting, ",") // log4j 2 takes several
	if u, err := url.Parse(setting); err == nil && u.Scheme == "file" {
		setting = u.Path
		if u.Opaque != "" {
			setting = u.Opaque
		}
	}
	switch {
	case setting == "", strings.Contains(setting, "://"), strings.HasPrefix(setting, "classpath:"):
		return ""
	case filepath.IsAbs(setting):
		return setting
	}
	return filepath.Join(cwd, setting)
}

// standardOutput is the file that a broker's standard output goes to: all that
// has no file of its own may stand there.
func standardOutput(t *probe.Target, pid int, file string) (string, error) {
	name, err := os.Readlink(t.Proc(pid, "fd/1"))
	switch {
	case err != nil:
		return "", err
	case file == "server.log" && filepath.IsAbs(name) && !strings.HasPrefix(name, "/dev/") && !strings.HasSuffix(name, " (deleted)"):
		return name, nil
	}
	return "", probe.Fail(fact.Unreadable, "its logging configuration names no file for it, and its standard output is "+name,
		"journalctl, docker logs or kubectl logs, whatever reads its standard output; or --kafka-logs DIR, where "+file+" is")
}
