package tui

import (
	"maps"
	"os"
	"slices"
	"testing"
)

//go:generate go test -run TestKeysDocument . -update

func TestKeysDocument(t *testing.T) {
	const file = "../docs/keys.md"
	if *update {
		if err := os.WriteFile(file, []byte(KeysDocument()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != KeysDocument() {
		t.Errorf("%s is not the key table of keys.go: go generate ./tui", file)
	}
}

func TestKeys(t *testing.T) {
	views := slices.Sorted(maps.Keys(viewNames))
	for i := range bindings {
		b := &bindings[i]
		if b.does == "" || b.do == nil || len(b.keys) == 0 {
			t.Errorf("binding %v is incomplete", b.keys)
		}
		for _, key := range b.keys {
			if slices.Contains([]string{"ctrl+s", "ctrl+q", "ctrl+z", "ctrl+a", "ctrl+b"}, key) {
				t.Errorf("%s belongs to the terminal", key)
			}
			if keyMsg(key).String() != key {
				t.Errorf("%s is no key as Bubble Tea names them", key)
			}
			reached := false
			for _, v := range views {
				reached = reached || bindingFor(v, key) == b
			}
			if !reached {
				t.Errorf("%s (%s) is taken by an earlier binding everywhere", key, b.does)
			}
		}
	}
	for v, keys := range hints {
		for _, key := range append(keys, "?", "q") {
			if b := bindingFor(v, key); b == nil {
				t.Errorf("the last line of %s names %q, which is not bound there", viewNames[v], key)
			}
		}
	}
}
