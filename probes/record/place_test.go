package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBelowByAnyName refuses a log dir that is reached by a link, named by a
// link, or has another name altogether.
func TestBelowByAnyName(t *testing.T) {
	dir := t.TempDir()
	logs, link := filepath.Join(dir, "kafka"), filepath.Join(dir, "link")
	if err := os.MkdirAll(filepath.Join(logs, "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(logs, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{logs + "/a", link + "/a", logs + "/deep/a", link + "/deep/a", "/proc/self/root" + logs + "/a"} {
		for _, name := range []string{logs, link, "/proc/self/root" + logs} {
			if err := Refuse(path, []string{name}); err == nil || !strings.Contains(err.Error(), "below the log dir") {
				t.Errorf("%s below %s: %v", path, name, err)
			}
		}
	}
	for _, path := range []string{logs + ".ktr", dir + "/a"} {
		if err := Below(path, []string{logs}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if got := Shares(path, []string{"/proc", logs}); got != logs {
			t.Errorf("%s shares the file system of %q", path, got)
		}
	}
	if got := Shares(dir+"/a", []string{"/proc", dir + "/none"}); got != "" {
		t.Errorf("shares the file system of %q", got)
	}
}

// TestDeadDisk asks for places while some disks answer nothing.
func TestDeadDisk(t *testing.T) {
	dead, stop := t.TempDir(), make(chan struct{})
	stat = func(name string) (os.FileInfo, error) {
		if strings.HasPrefix(name, dead) {
			<-stop
		}
		return os.Stat(name)
	}
	defer func() { stat = os.Stat; close(stop) }()
	began := time.Now()
	path := filepath.Join(t.TempDir(), "a.ktr")
	if err := Refuse(path, []string{dead}); err != nil {
		t.Errorf("beside a dead log dir: %v", err)
	}
	if got := Shares(path, []string{dead}); got != "" {
		t.Errorf("it shares the file system of %q, which did not answer", got)
	}
	if err := Refuse(filepath.Join(dead, "a.ktr"), nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("on a dead disk: %v", err)
	}
	if took := time.Since(began); took > 3*patience+time.Second {
		t.Errorf("it took %s", took)
	}
}
