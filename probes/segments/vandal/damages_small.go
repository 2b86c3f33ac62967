package vandal

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

func sum(whole []byte) uint32 { return batch.Sum(whole) }

var ofIndexes = []Damage{
	remove(".index"),
	remove(".timeindex"),
	entry("index, a position", ".index", "index-corrupt", indexed, 8, 2, 7, 1<<1),
	entry("index, an offset up", ".index", "index-corrupt", indexed, 8, 2, 2, 1<<3),
	entry("index, an offset negative", ".index", "index-corrupt", indexed, 8, 2, 0, 1<<7),
	{Name: "index, three bytes too short", Needs: indexed, Do: func(v *Victim) Truth {
		n := v.entries(".index", 8)
		v.edit(".index", func(d []byte) []byte { return d[:n*8-3] })
		return v.index("index-corrupt", ".index", n*8-8)
	}},
	{Name: "index, beyond the log", Needs: indexed, Do: func(v *Victim) Truth {
		n := v.entries(".index", 8)
		v.edit(".index", func(d []byte) []byte { put32(d, n*8-4, 0x7ffffff0); return d })
		return v.index("index-out-of-range", ".index", n*8-8)
	}},
	{Name: "index, all zeros, closed", Needs: closedIndexed, Do: func(v *Victim) Truth {
		v.edit(".index", func([]byte) []byte { return make([]byte, 10485760) })
		return v.index("index-corrupt", ".index", -1)
	}},
	{Name: "index, zeros in the middle", Needs: indexed, Do: func(v *Victim) Truth {
		v.edit(".index", func(d []byte) []byte { clear(d[8:16]); return d })
		return v.index("index-corrupt", ".index", 16)
	}},
	{Name: "index, the entries of another log", Needs: indexed, Do: func(v *Victim) Truth {
		v.edit(".index", func(d []byte) []byte {
			for i := int64(0); i < v.entries(".index", 8); i++ {
				put32(d, i*8, uint32(7+i))
				put32(d, i*8+4, uint32(61+i))
			}
			return d
		})
		return v.index("index-corrupt", ".index", 0)
	}},
	entry("time index, a timestamp up", ".timeindex", "timeindex-corrupt", timed, 12, 1, 2, 1),
	entry("time index, a timestamp negative", ".timeindex", "timeindex-corrupt", timed, 12, 1, 0, 1<<7),
	entry("time index, an offset up", ".timeindex", "timeindex-corrupt", timed, 12, 1, 9, 1),
	{Name: "time index, five bytes too short", Needs: timed, Do: func(v *Victim) Truth {
		n := v.entries(".timeindex", 12)
		v.edit(".timeindex", func(d []byte) []byte { return d[:n*12-5] })
		return v.index("timeindex-corrupt", ".timeindex", n*12-12)
	}},
	{Name: "time index, all zeros, closed", Needs: closedIndexed, Do: func(v *Victim) Truth {
		v.edit(".timeindex", func([]byte) []byte { return make([]byte, 10485756) })
		return v.index("timeindex-corrupt", ".timeindex", 0)
	}},
	{Name: "time index, the last entries gone, closed", Needs: func(v *Victim) bool { return closed(v) && timed(v) }, Do: func(v *Victim) Truth {
		v.edit(".timeindex", func(d []byte) []byte { return d[:12] })
		return v.index("timeindex-corrupt", ".timeindex", 0)
	}},
	entry("transaction index, a producer", ".txnindex", "txnindex-corrupt", aborts, 34, 0, 9, 1<<6),
	entry("transaction index, the version", ".txnindex", "txnindex-corrupt", aborts, 34, 0, 1, 1),
	entry("transaction index, the end", ".txnindex", "txnindex-corrupt", aborts, 34, 0, 20, 1),
	{Name: "transaction index, two bytes too short", Needs: aborts, Do: func(v *Victim) Truth {
		n := v.entries(".txnindex", 34)
		v.edit(".txnindex", func(d []byte) []byte { return d[:n*34-2] })
		return v.index("txnindex-corrupt", ".txnindex", n*34-34)
	}},
}

// entry flips bits in an entry of an index.
func entry(name, suffix, kind string, needs func(*Victim) bool, width, which, at int64, mask byte) Damage {
	return Damage{Name: name, Needs: needs, Do: func(v *Victim) Truth {
		v.edit(suffix, func(d []byte) []byte { d[which*width+at] ^= mask; return d })
		return v.index(kind, suffix, which*width)
	}}
}

func (v *Victim) snapshot() string {
	all, err := filepath.Glob(filepath.Join(v.Dir, "*.snapshot"))
	if err != nil || len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

func snapshots(v *Victim) bool { return v.snapshot() != "" }

func present(name string) func(*Victim) bool {
	return func(v *Victim) bool { _, err := os.Stat(filepath.Join(v.Dir, name)); return err == nil && batches(v) }
}

// inPartition and inLogDir give a small file another content.
func inPartition(name, file, kind, content string) Damage {
	return Damage{Name: name, Needs: present(file), Do: func(v *Victim) Truth {
		v.write(filepath.Join(v.Dir, file), []byte(content))
		return v.whole(kind, filepath.Join(v.Dir, file))
	}}
}

func inLogDir(name, file, content string) Damage {
	return Damage{Name: name, Needs: any_, Do: func(v *Victim) Truth {
		v.write(v.beside(file), []byte(content))
		return v.whole("checkpoint-invalid", v.beside(file))
	}}
}

func marked(name, file string, heals bool) Damage {
	return Damage{Name: name, Needs: batches, Do: func(v *Victim) Truth {
		v.mark(file, 1<<40)
		return Truth{"checkpoint-invalid", v.beside(file), -1, heals}
	}}
}

var ofSmallFiles = []Damage{
	{Name: "snapshot, a bit", Needs: snapshots, Do: func(v *Victim) Truth {
		d := v.read(v.snapshot())
		d[len(d)-1] ^= 1
		v.write(v.snapshot(), d)
		return Truth{"snapshot-corrupt", v.snapshot(), -1, true}
	}},
	{Name: "snapshot, empty", Needs: snapshots, Do: func(v *Victim) Truth {
		v.write(v.snapshot(), nil)
		return Truth{"snapshot-corrupt", v.snapshot(), -1, true}
	}},
	inPartition("leader epochs, rubbish", "leader-epoch-checkpoint", "epoch-checkpoint-invalid", "0\n1\nzero 0\n"),
	inPartition("leader epochs, too few", "leader-epoch-checkpoint", "epoch-checkpoint-invalid", "0\n3\n0 0\n"),
	inPartition("leader epochs, backwards", "leader-epoch-checkpoint", "epoch-checkpoint-invalid", "0\n2\n5 0\n3 10\n"),
	inPartition("leader epochs, others", "leader-epoch-checkpoint", "epoch-checkpoint-invalid", "0\n1\n77 0\n"),
	inPartition("topic id, cut", "partition.metadata", "checkpoint-invalid", "version: 0\ntopic_id: AAAAAAAA\n"),
	inPartition("topic id, zeros", "partition.metadata", "checkpoint-invalid", string(bytes.Repeat([]byte{0}, 43))),
	inLogDir("recovery point, rubbish", "recovery-point-offset-checkpoint", "0\n1\norders three 17\n"),
	inLogDir("high watermark, too few", "replication-offset-checkpoint", "0\n5\norders 3 17\n"),
	inLogDir("cleaner, another version", "cleaner-offset-checkpoint", "1\n0\n"),
	inLogDir("log start, zeros", "log-start-offset-checkpoint", "\x00\x00\x00\x00"),
	inLogDir("identity without a node", "meta.properties", "#\nversion=1\ncluster.id=5nzYLMdqQKmuLMSxgV92yA\n"),
	marked("recovery point beyond the end", "recovery-point-offset-checkpoint", true),
	marked("high watermark beyond the end", "replication-offset-checkpoint", false),
	marked("log start beyond the end", "log-start-offset-checkpoint", false),
	{Name: "a directory of nobody's", Needs: any_, Do: foreign},
	{Name: "a file of nobody's", Needs: batches, Do: stray},
	{Name: "an index without a log", Needs: batches, Do: func(v *Victim) Truth {
		name := filepath.Join(v.Dir, "00000000009999999999.index")
		v.write(name, nil)
		return Truth{"stray-file", name, -1, true}
	}},
	{Name: "a compaction left over", Needs: batches, Do: func(v *Victim) Truth {
		name := v.File(".log.cleaned")
		v.write(name, nil)
		return Truth{"stray-file", name, -1, true}
	}},
}
