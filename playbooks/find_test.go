package playbooks

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// own makes a directory of the user's own playbooks.
func own(t *testing.T) string {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if err := os.MkdirAll(Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	return Dir()
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOwnOverrides(t *testing.T) {
	dir := own(t)
	write(t, filepath.Join(dir, "disk-full.md"), "# Ours\n\n## Confirm\n\n- read-only: Call Jo.\n")
	book, err := For("disk-full")
	if err != nil || book.Title != "Ours" {
		t.Errorf("got %+v, %v", book, err)
	}
}

func TestBrokenOwnLeavesTheBuiltIn(t *testing.T) {
	dir := own(t)
	write(t, filepath.Join(dir, "disk-full.md"), "# Ours\n\n## Confirm\n\n- readonly: Call Jo.\n")
	book, err := For("disk-full")
	if err == nil || !strings.Contains(err.Error(), `disk-full.md:5: unknown risk "readonly"`) {
		t.Errorf("got error %v", err)
	}
	if book == nil || book.Title == "Ours" || len(book.Steps) == 0 {
		t.Errorf("got %+v, expected the one built in", book)
	}
}

func TestOwnPipeDoesNotHang(t *testing.T) {
	dir := own(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "disk-full.md"), 0o600); err != nil {
		t.Fatal(err)
	}
	book, err := For("disk-full")
	if book == nil || err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v, %v", book, err)
	}
}

func TestForUnknown(t *testing.T) {
	own(t)
	for id, want := range map[string]string{
		"no-such-cause":    "there is none",
		"../../etc/passwd": "no id",
		"":                 "no id",
	} {
		book, err := For(id)
		if book != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("For(%q) gives %v, %v", id, book, err)
		}
	}
}
