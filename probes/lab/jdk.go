package lab

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

var javaVersion = regexp.MustCompile(`(?m)^JAVA_VERSION="(\d+)`)

// JDK is the home of a Java under /usr/lib/jvm of that major version or a later
// one, of several the earliest; "" when there is none. It may be without tools.
func JDK(major int) string {
	files, _ := filepath.Glob("/usr/lib/jvm/*/release")
	best, home := 0, ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		m := javaVersion.FindSubmatch(text)
		if m == nil {
			continue
		}
		dir := filepath.Dir(file)
		if _, err := os.Stat(filepath.Join(dir, "bin", "java")); err != nil {
			continue
		}
		if n, err := strconv.Atoi(string(m[1])); err == nil && n >= major && (home == "" || n < best) {
			best, home = n, dir
		}
	}
	return home
}
