package vandal

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/ktriage/ktriage/probes/segments/batch"
)

// Truth is what is wrong after a damage was done.
type Truth struct {
	Kind     string // as probes/segments has them
	File     string
	Position int64 // -1: the file as a whole, or not told
	Heals    bool
}

// Damage is a way to damage a partition.
type Damage struct {
	Name  string
	Deep  bool // only seen when records are parsed
	Needs func(*Victim) bool
	Do    func(*Victim) Truth
}

// Of what a damage may need.
func any_(*Victim) bool      { return true }
func batches(v *Victim) bool { return len(v.Batches()) >= 6 && v.Batches()[0].Magic == 2 }
func closed(v *Victim) bool  { return batches(v) && v.Closed() }
func active(v *Victim) bool  { return batches(v) && !v.Closed() }
func indexed(v *Victim) bool { return batches(v) && v.entries(".index", 8) >= 4 }
func timed(v *Victim) bool   { return batches(v) && v.entries(".timeindex", 12) >= 3 }
func closedIndexed(v *Victim) bool {
	return closed(v) && indexed(v) && v.entries(".timeindex", 12) >= 1
}
func aborts(v *Victim) bool { return v.entries(".txnindex", 34) >= 1 }

func (v *Victim) log(kind string, at int64) Truth { return Truth{kind, v.File(".log"), at, false} }
func (v *Victim) whole(kind, file string) Truth   { return Truth{kind, file, -1, false} }
func (v *Victim) index(kind, suffix string, at int64) Truth {
	return Truth{kind, v.File(suffix), at, false}
}

// bit flips bits of a byte of the middle batch, counted from its beginning.
func bit(name, kind string, at int64, mask byte) Damage {
	return Damage{Name: name, Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.flip(b.At+at, mask)
		return v.log(kind, b.At)
	}}
}

// Damages is every way to damage a partition.
var Damages = slices.Concat(ofLogs, ofOldLogs, ofBoundaries, ofIndexes, ofSmallFiles)

var ofLogs = []Damage{
	bit("a bit of the length, small", "bad-batch-header", 11, 1<<4),
	bit("a bit of the length, large", "bad-batch-header", 9, 1<<6),
	bit("the sign of the length", "bad-batch-header", 8, 1<<7),
	bit("magic 3", "bad-batch-header", 16, 1),
	bit("magic 0", "bad-batch-header", 16, 2),
	bit("a bit of the checksum", "crc-mismatch", 18, 1<<3),
	bit("timestamp type", "crc-mismatch", 22, 1<<3),
	bit("codec 7", "crc-mismatch", 22, 7),
	bit("last offset delta, up", "crc-mismatch", 24, 1),
	bit("last offset delta, negative", "crc-mismatch", 23, 1<<7),
	bit("greatest timestamp", "crc-mismatch", 40, 1<<2),
	bit("producer id", "crc-mismatch", 50, 1<<2),
	bit("number of records", "crc-mismatch", 58, 1),
	bit("first byte of the records", "crc-mismatch", 61, 1<<2),
	bit("base offset, up", "offset-order", 5, 1<<4),
	bit("leader epoch, up", "bad-batch-header", 14, 1),
	{Name: "base offset, down", Needs: func(v *Victim) bool { return batches(v) && v.middle().BaseOffset > v.Bases[v.Aim] }, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte { put64(d, b.At, v.Bases[v.Aim]); return d })
		return v.log("offset-order", b.At)
	}},
	{Name: "last byte of the records", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.flip(b.At+b.Size()-1, 1)
		return v.log("crc-mismatch", b.At)
	}},
	{Name: "length 0", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte { put32(d, b.At+8, 0); return d })
		return v.log("bad-batch-header", b.At)
	}},
	{Name: "a hole within a batch", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte { clear(d[b.At+40 : b.At+b.Size()]); return d })
		return v.log("crc-mismatch", b.At)
	}},
	{Name: "a hole of a whole batch", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte { clear(d[b.At : b.At+b.Size()]); return d })
		return v.log("bad-batch-header", b.At)
	}},
	{Name: "a stretch of rubbish across two batches", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte {
			for i := b.At + b.Size() - 20; i < b.At+b.Size()+20; i++ {
				d[i] = byte(i*7 + 129)
			}
			return d
		})
		return v.log("bad-batch-header", b.At)
	}},
	{Name: "a batch twice", Needs: batches, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte {
			return slices.Insert(d, int(b.At+b.Size()), slices.Clone(d[b.At:b.At+b.Size()])...)
		})
		return v.log("offset-order", b.At+b.Size())
	}},
	{Name: "two batches swapped", Needs: batches, Do: func(v *Victim) Truth {
		all := v.Batches()
		a, b := all[len(all)/2], all[len(all)/2+1]
		v.edit(".log", func(d []byte) []byte {
			first, second := slices.Clone(d[a.At:a.At+a.Size()]), slices.Clone(d[b.At:b.At+b.Size()])
			copy(d[a.At:], append(second, first...))
			return d
		})
		return Truth{"offset-order", v.File(".log"), -1, false}
	}},
	{Name: "a batch missing", Needs: func(v *Victim) bool { return indexed(v) && v.Batches()[0].At == 0 }, Do: func(v *Victim) Truth {
		b := v.Batches()[1]
		v.edit(".log", func(d []byte) []byte { return slices.Delete(d, int(b.At), int(b.At+b.Size())) })
		return v.index("index-corrupt", ".index", -1)
	}},
	{Name: "a record's length, with a right checksum", Deep: true, Needs: func(v *Victim) bool { return batches(v) && codec(v) == batch.None && v.middle().Count > 1 }, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte { d[b.At+61] ^= 2; reseal(d[b.At : b.At+b.Size()]); return d })
		return v.log("bad-record", b.At)
	}},
	{Name: "packed records cut short, with a right checksum", Deep: true, Needs: func(v *Victim) bool { return batches(v) && codec(v) != batch.None }, Do: func(v *Victim) Truth {
		b := v.middle()
		v.edit(".log", func(d []byte) []byte {
			clear(d[b.At+b.Size()-30 : b.At+b.Size()])
			reseal(d[b.At : b.At+b.Size()])
			return d
		})
		return v.log("bad-record", b.At)
	}},
}

// old flips bits of a byte of the middle entry of a log of magic 0 or 1.
func old(name, kind string, at int64, mask byte) Damage {
	needs := func(v *Victim) bool { all := v.Batches(); return len(all) >= 6 && all[0].Magic < 2 }
	return Damage{Name: name, Needs: needs, Do: func(v *Victim) Truth {
		b := v.middle()
		if at < 0 {
			v.flip(b.At+b.Size()+at, mask)
		} else {
			v.flip(b.At+at, mask)
		}
		return v.log(kind, b.At)
	}}
}

var ofOldLogs = []Damage{
	old("old, the last byte", "crc-mismatch", -1, 1),
	old("old, a bit of the checksum", "crc-mismatch", 13, 1<<3),
	old("old, a bit of the length", "bad-batch-header", 9, 1<<6),
	old("old, magic above 3", "bad-batch-header", 16, 4),
	old("old, a bit of the offset", "offset-order", 5, 1<<4),
}

var ofBoundaries = []Damage{
	{Name: "closed, cut within a batch", Needs: closed, Do: func(v *Victim) Truth {
		all := v.Batches()
		last := all[len(all)-1]
		v.edit(".log", func(d []byte) []byte { return d[:last.At+last.Size()-9] })
		return v.log("torn-tail", last.At)
	}},
	{Name: "closed, the second half gone", Needs: closedIndexed, Do: func(v *Victim) Truth {
		b := v.Batches()[1]
		v.edit(".log", func(d []byte) []byte { return d[:b.At] })
		return v.index("index-out-of-range", ".index", -1)
	}},
	{Name: "closed, rubbish behind the end", Needs: closed, Do: func(v *Victim) Truth {
		at := int64(0)
		v.edit(".log", func(d []byte) []byte {
			at = int64(len(d))
			return append(d, "and then the disk wrote something quite different here"...)
		})
		return v.log("bad-batch-header", at)
	}},
	{Name: "closed, zeros behind the end", Needs: closed, Do: func(v *Victim) Truth {
		at := int64(0)
		v.edit(".log", func(d []byte) []byte { at = int64(len(d)); return append(d, make([]byte, 9000)...) })
		return v.log("bad-batch-header", at)
	}},
	{Name: "active, cut within a batch", Needs: active, Do: func(v *Victim) Truth {
		all := v.Batches()
		last := all[len(all)-1]
		v.edit(".log", func(d []byte) []byte { return d[:last.At+last.Size()-9] })
		return Truth{"torn-tail", v.File(".log"), last.At, true}
	}},
	{Name: "offsets that belong to the next segment", Needs: closed, Do: func(v *Victim) Truth {
		all := v.Batches()
		last := all[len(all)-1]
		v.edit(".log", func(d []byte) []byte { put64(d, last.At, v.Bases[v.Aim+1]+5); return d })
		return v.log("offset-order", last.At)
	}},
	{Name: "a segment missing", Needs: func(v *Victim) bool {
		return closed(v) && v.Aim > 0 && v.Aim+2 < len(v.Bases) && dense(v)
	}, Do: func(v *Victim) Truth {
		for _, suffix := range []string{".log", ".index", ".timeindex"} {
			os.Remove(v.File(suffix))
		}
		return Truth{"missing-file", v.File(".log"), -1, false}
	}},
}

// dense says whether no offset is missing, as it is without compaction.
func dense(v *Victim) bool {
	next := v.Bases[v.Aim]
	for _, b := range v.Batches() {
		if b.BaseOffset != next || b.Count != b.LastOffsetDelta+1 {
			return false
		}
		next = b.LastOffset() + 1
	}
	return next == v.Bases[v.Aim+1]
}

// reseal gives a batch the checksum that it then ought to have.
func reseal(b []byte) { put32(b, 17, sum(b)) }

func remove(suffix string) Damage {
	return Damage{Name: "no " + suffix, Needs: closed, Do: func(v *Victim) Truth {
		os.Remove(v.File(suffix))
		return Truth{"missing-file", v.File(suffix), -1, true}
	}}
}

// foreign puts something into the log dir.
func foreign(v *Victim) Truth {
	name := v.beside("backup of orders")
	if err := os.Mkdir(name, 0o755); err != nil {
		panic(err)
	}
	return v.whole("stray-file", name)
}

func stray(v *Victim) Truth {
	name := filepath.Join(v.Dir, "core.4711")
	v.write(name, []byte("x"))
	return v.whole("stray-file", name)
}
