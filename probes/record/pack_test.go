package record

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPackHoldsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	write(t, path, 20, 100)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var packed bytes.Buffer
	if err := Pack(t.Context(), &packed, r); err != nil {
		t.Fatal(err)
	}
	if packed.Len() >= len(before) {
		t.Errorf("%d bytes became %d", len(before), packed.Len())
	}
	whole, err := NewReader("before", bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewReader("packed", &packed)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, again.Header()), text(t, whole.Header()); got != want {
		t.Errorf("header %s, want %s", got, want)
	}
	if got, want := text(t, all(t, again)), text(t, all(t, whole)); got != want {
		t.Error("the batches differ")
	}
	if damage := again.Damage(); damage != nil {
		t.Error(damage)
	}
}

func TestPackRefusesWhatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.ktr")
	write(t, path, 20, 100)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader("a.ktr", bytes.NewReader(before[:len(before)*2/3]))
	if err != nil {
		t.Fatal(err)
	}
	if err := Pack(t.Context(), &bytes.Buffer{}, r); err == nil {
		t.Error("half a recording is packed as if it were whole")
	}
}
