// Package vandal damages partitions for tests, in every way that the truth is known of.
package vandal

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// Victim is a partition in a log dir that is about to be damaged. Its methods
// panic where the partition has not got what a damage needs: Needs says so first.
type Victim struct {
	LogDir, Dir string
	Partition   string
	Bases       []int64 // of its segments
	Aim         int     // the segment to damage
}

// Open looks at a partition.
func Open(logDir, partition string) (*Victim, error) {
	v := &Victim{LogDir: logDir, Dir: filepath.Join(logDir, partition), Partition: partition}
	logs, err := filepath.Glob(filepath.Join(v.Dir, "*.log"))
	if err != nil {
		return nil, err
	}
	for _, name := range logs {
		base, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(name), ".log"), 10, 64)
		if err != nil {
			return nil, err
		}
		v.Bases = append(v.Bases, base)
	}
	slices.Sort(v.Bases)
	return v, nil
}

// File is the path of a file of the segment aimed at.
func (v *Victim) File(suffix string) string {
	return filepath.Join(v.Dir, fmt.Sprintf("%020d%s", v.Bases[v.Aim], suffix))
}

// Closed says whether the segment aimed at is not the last.
func (v *Victim) Closed() bool { return v.Aim < len(v.Bases)-1 }

// Batch is where a batch lies.
type Batch struct {
	batch.Header
	At int64
}

// Batches is those of the segment aimed at.
func (v *Victim) Batches() (all []Batch) {
	data := v.read(v.File(".log"))
	s := batch.NewScanner(strings.NewReader(string(data)), 0, int64(len(data)), nil)
	for s.Next() {
		all = append(all, Batch{*s.Header(), s.Position()})
	}
	return all
}

// middle is a batch with others before and after it.
func (v *Victim) middle() Batch {
	all := v.Batches()
	return all[len(all)/2]
}

func (v *Victim) read(name string) []byte {
	data, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return data
}

func (v *Victim) write(name string, data []byte) {
	if err := os.WriteFile(name, data, 0o644); err != nil {
		panic(err)
	}
}

// edit changes a file of the segment aimed at.
func (v *Victim) edit(suffix string, change func([]byte) []byte) {
	v.write(v.File(suffix), change(v.read(v.File(suffix))))
}

// flip flips bits of one byte of the log.
func (v *Victim) flip(at int64, mask byte) {
	v.edit(".log", func(b []byte) []byte { b[at] ^= mask; return b })
}

// entries is how many entries an index of the segment aimed at has.
func (v *Victim) entries(suffix string, width int64) int64 {
	data, err := os.ReadFile(v.File(suffix))
	if err != nil {
		return 0
	}
	n := int64(0)
	for ; (n+1)*width <= int64(len(data)); n++ {
		if strings.Trim(string(data[n*width:(n+1)*width]), "\x00") == "" {
			break
		}
	}
	return n
}

// beside is a file of the log dir.
func (v *Victim) beside(name string) string { return filepath.Join(v.LogDir, name) }

// mark sets what a checkpoint of the log dir says of the partition.
func (v *Victim) mark(name string, offset int64) {
	i := strings.LastIndexByte(v.Partition, '-')
	topic, number := v.Partition[:i], v.Partition[i+1:]
	var lines []string
	for _, line := range strings.Split(string(v.read(v.beside(name))), "\n")[2:] {
		if line != "" && !strings.HasPrefix(line, topic+" "+number+" ") {
			lines = append(lines, line)
		}
	}
	lines = append(lines, fmt.Sprintf("%s %s %d", topic, number, offset))
	v.write(v.beside(name), []byte(fmt.Sprintf("0\n%d\n%s\n", len(lines), strings.Join(lines, "\n"))))
}

func put32(b []byte, at int64, n uint32) { binary.BigEndian.PutUint32(b[at:], n) }
func put64(b []byte, at int64, n int64)  { binary.BigEndian.PutUint64(b[at:], uint64(n)) }

func codec(v *Victim) batch.Codec { b := v.middle(); return b.Codec() }
