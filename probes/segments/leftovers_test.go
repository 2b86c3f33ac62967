package segments

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ktriage/ktriage/probes/segments/segmentstest"
	"github.com/ktriage/ktriage/probes/segments/vandal"
)

// The end of a real active segment is cut off, as by a follower that has more than
// its leader: entries stay behind in the indexes that its broker has open. Where new
// batches have come in place of old ones, they point between these.
func TestEntriesOfACutOffEnd(t *testing.T) {
	for _, name := range []string{"cut off", "grown again", "damaged"} {
		root := filepath.Join(segmentstest.Unpack(t, "testdata/real.tar.zst"), "real")
		v, err := vandal.Open(root, "active-0")
		if err != nil {
			t.Fatal(err)
		}
		v.Aim = len(v.Bases) - 1
		all := v.Batches()
		log, index := v.File(".log"), v.File(".index")
		if info, err := os.Stat(index); err != nil || info.Size() < 64<<10 {
			t.Fatalf("the index of an open segment is allocated at once: %v, %v", info, err)
		}
		switch name {
		case "cut off":
			cutAt(t, log, all[len(all)/2].At)
		case "grown again": // the entries are those of batches that were longer
			cutAt(t, log, all[len(all)-1].At)
			shift(t, index, 4, 7)
		case "damaged": // one in the middle, and those behind it fit
			shift(t, index, 1, 2)
		}
		r := mustScan(t, Options{}, filepath.Join(root, "active-0"))
		if found := len(r.Damage) > 0; found != (name == "damaged") {
			t.Errorf("%s: %s", name, listed(r.Damage))
		}
	}
}

func cutAt(t *testing.T, name string, size int64) {
	t.Helper()
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
}

// shift adds one to the positions of an index's entries, from one up to another or
// the last in use.
func shift(t *testing.T, name string, from, to int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := from; i < to; i++ {
		var entry [indexEntry]byte
		if _, err := f.ReadAt(entry[:], i*indexEntry); err != nil {
			t.Fatal(err)
		}
		if entry == [indexEntry]byte{} {
			return
		}
		entry[7]++
		if _, err := f.WriteAt(entry[:], i*indexEntry); err != nil {
			t.Fatal(err)
		}
	}
}
