package segments

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const mostMemory = 32 << 20

// TestMemory: over 4 GiB of messages and 100 000 partitions are verified in less
// than 32 MiB beyond what a process takes that verifies nothing. Each is measured
// in a process of its own: the most that was resident, from its own status.
func TestMemory(t *testing.T) {
	nothing, _ := inProcess(t, filepath.Join(soundDir(t), "codec-none-0"))
	big, read := inProcess(t, hugeDir(t))
	if read < 1<<30 {
		t.Errorf("%d bytes read, want 1 GiB", read)
	}
	many, _ := inProcess(t, linkedDir(t, 20_000))
	t.Logf("resident at most: %d KiB for one small partition, %d KiB for %d bytes, %d KiB for 20 000 partitions", nothing>>10, big>>10, read, many>>10)
	if big-nothing > mostMemory || many-nothing > mostMemory {
		t.Errorf("resident at most: %d bytes for one small partition, %d for a huge log dir, %d for 20 000 partitions", nothing, big, many)
	}
}

// hugeDir is a log dir of more than 1 GiB: one segment of small batches that many
// partitions share, and one batch of 512 MiB, most of it a hole.
func hugeDir(t *testing.T) string {
	dir := t.TempDir()
	bulk(t, dir, 1, 64<<20, 4<<10)
	for p := 1; p < 16; p++ {
		at := filepath.Join(dir, fmt.Sprintf("bulk-%d", p))
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(dir, "bulk-0", "00000000000000000000.log"), filepath.Join(at, "00000000000000000000.log")); err != nil {
			t.Fatal(err)
		}
	}
	const size = 512 << 20
	head := (&kmsg.RecordBatch{Length: size - 12, Magic: 2, NumRecords: 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1}).AppendTo(nil)
	sum, zeros := crc32.Checksum(head[21:], castagnoli), make([]byte, 1<<20)
	for left := size - len(head); left > 0; left -= len(zeros) {
		sum = crc32.Update(sum, castagnoli, zeros[:min(left, len(zeros))])
	}
	binary.BigEndian.PutUint32(head[17:], sum)
	name := filepath.Join(dir, "sparse-0", "00000000000000000000.log")
	if err := os.Mkdir(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, head, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	return dir
}

// linkedDir is a log dir of so many partitions, all of them links to one that holds
// nothing.
func linkedDir(t *testing.T, partitions int) string {
	one := filepath.Join(idle(t, 1), "empty-0")
	dir := t.TempDir()
	for p := range partitions {
		if err := os.Symlink(one, filepath.Join(dir, fmt.Sprintf("empty-%d", p))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "recovery-point-offset-checkpoint"), []byte("0\n0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// inProcess verifies a path in a process of its own.
func inProcess(t *testing.T, path string) (resident, read int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMemoryOfAnotherProcess$")
	cmd.Env = append(os.Environ(), "KTRIAGE_VERIFY="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := fmt.Sscanf(string(out), "%d %d", &resident, &read); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return resident, read
}

// TestMemoryOfAnotherProcess is that process; by itself it has nothing to do.
func TestMemoryOfAnotherProcess(t *testing.T) {
	path := os.Getenv("KTRIAGE_VERIFY")
	if path == "" {
		return
	}
	r := mustScan(t, Options{Deep: false}, path)
	if len(r.Damage) > 0 {
		t.Fatalf("%s", listed(r.Damage))
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(kib<<10, r.Summary.Bytes)
}
