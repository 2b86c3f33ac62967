package history

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ktriage/ktriage/probes/probe"
)

// pair is a record of a coordinator being written; a nil value is a tombstone.
type pair struct{ key, value body }

// old is a string in versions that are not flexible.
func (b body) old(s string) body {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
func (b body) int16(n int16) body { return binary.BigEndian.AppendUint16(b, uint16(n)) }

// keyOf is a key of a type with so many names.
func keyOf(typ int16, names ...string) body {
	b := body(nil).int16(typ)
	for _, s := range names {
		b = b.old(s)
	}
	return b
}

func offsetKey(group, topic string, partition int32) body {
	return keyOf(offsetCommit, group, topic).int32(partition)
}

func commitOf(group, topic string, partition int32, to int64) pair {
	return pair{offsetKey(group, topic, partition), body(nil).int16(3).int64(to).int32(-1).old("words of the client").int64(0)}
}

// commitWithID is a commit as Kafka writes it from 4.1 on.
func commitWithID(group, topic string, partition int32, to int64, id UUID) pair {
	return pair{offsetKey(group, topic, partition), body(nil).int16(4).int64(to).int32(-1).text("").int64(0).tags(0, body(nil).uuid(id))}
}

func noCommit(group, topic string, partition int32) pair {
	return pair{offsetKey(group, topic, partition), nil}
}

// classicOf is a group of the old protocol with some members.
func classicOf(group string, generation int32, ids ...string) pair {
	v := body(nil).int16(3).old("consumer").int32(generation).old("range")
	if len(ids) == 0 {
		v = v.int16(-1)
	} else {
		v = v.old(ids[0])
	}
	v = v.int64(0).int32(int32(len(ids)))
	for _, id := range ids {
		v = v.old(id).int16(-1).old("client-" + id).old("/10.0.0.1").int32(300000).int32(45000).int32(3).int8(1).int8(2).int8(3).int32(0)
	}
	return pair{keyOf(classicGroup, group), v}
}

func epochOf(group string, n int32) pair {
	return pair{keyOf(consumerGroup, group), body(nil).int16(0).int32(n).tags()}
}

func memberOf(group, id string) pair {
	v := body(nil).int16(0).null().null().text("client-" + id).text("/10.0.0.2")
	v = append(binary.AppendUvarint(v, 2), body(nil).text("orders")...)
	return pair{keyOf(consumerMember, group, id), v.null().int32(300000).null().tags()}
}

// streamsOf is a member of a streams group, with the address for queries that its
// application has or has not.
func streamsOf(group, id string, asked bool) pair {
	v := body(nil).int16(0).null().text("rack-1").text("client-" + id).text("/10.0.0.3").int32(30000).int32(1).text("process-" + id)
	if asked {
		v = append(v.int8(1).text("shop.example"), 0x1f, 0x90, 0) // port 8080, no tags
	} else {
		v = v.int8(-1)
	}
	v = append(binary.AppendUvarint(v, 2), body(nil).text("zone").text("a").tags()...)
	return pair{keyOf(streamsMember, group, id), v.tags()}
}

func streamsEpochOf(group string, n int32) pair {
	return pair{keyOf(streamsGroup, group), body(nil).int16(0).int32(n).int64(77).tags(0, body(nil).int32(1))}
}

// transactionOf is a state of a transaction, in version 0.
func transactionOf(id string, state int8, timeout int32, start, updated time.Time, topic string, ids ...int32) pair {
	v := body(nil).int16(0).int64(42).int16(3).int32(timeout).int8(state)
	if topic == "" {
		v = v.int32(-1)
	} else {
		v = v.int32(1).old(topic).int32(int32(len(ids)))
		for _, n := range ids {
			v = v.int32(n)
		}
	}
	return pair{keyOf(0, id), v.int64(updated.UnixMilli()).int64(start.UnixMilli())}
}

// logWriter writes a partition of a coordinator.
type logWriter struct {
	bytes []byte
	next  int64
	at    time.Time
}

// add appends a batch; producer -1 is none.
func (w *logWriter) add(producer int64, attributes int16, all ...pair) {
	start, to := len(w.bytes), w.bytes
	at := w.at.UnixMilli()
	to = binary.BigEndian.AppendUint64(to, uint64(w.next))
	to = append(to, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0)
	to = binary.BigEndian.AppendUint16(to, uint16(attributes))
	to = binary.BigEndian.AppendUint32(to, uint32(len(all)-1))
	to = binary.BigEndian.AppendUint64(to, uint64(at))
	to = binary.BigEndian.AppendUint64(to, uint64(at))
	to = binary.BigEndian.AppendUint64(to, uint64(producer))
	to = append(to, 0, 0, 0, 0, 0, 0)
	to = binary.BigEndian.AppendUint32(to, uint32(len(all)))
	for i, p := range all {
		one := append([]byte{0, 0}, binary.AppendVarint(nil, int64(i))...)
		one = append(binary.AppendVarint(one, int64(len(p.key))), p.key...)
		if p.value == nil {
			one = binary.AppendVarint(one, -1)
		} else {
			one = append(binary.AppendVarint(one, int64(len(p.value))), p.value...)
		}
		one = append(one, 0)
		to = append(binary.AppendVarint(to, int64(len(one))), one...)
	}
	binary.BigEndian.PutUint32(to[start+8:], uint32(len(to)-start-12))
	binary.BigEndian.PutUint32(to[start+17:], crc32.Checksum(to[start+21:], crc32.MakeTable(crc32.Castagnoli)))
	w.bytes = to
	w.next += int64(len(all))
}

func (w *logWriter) plain(all ...pair) { w.add(-1, 0, all...) }

// part is a batch of an open transaction, and end the mark that ends it.
func (w *logWriter) part(producer int64, all ...pair) { w.add(producer, 0x10, all...) }
func (w *logWriter) end(producer int64, commit bool) {
	typ := int16(0)
	if commit {
		typ = 1
	}
	w.add(producer, 0x30, pair{body(nil).int16(0).int16(typ), body(nil).int16(0).int32(0)})
}

func (w *logWriter) after(d time.Duration) { w.at = w.at.Add(d) }

// save makes what was written a segment of a partition in a log dir.
func (w *logWriter) save(tb testing.TB, logDir, partition string, base int64) string {
	tb.Helper()
	dir := filepath.Join(logDir, partition)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	name := filepath.Join(dir, segmentName(base))
	if err := os.WriteFile(name, w.bytes, 0o600); err != nil {
		tb.Fatal(err)
	}
	w.bytes = nil
	return name
}

func segmentName(base int64) string {
	digits := []byte("00000000000000000000.log")
	for i := 19; base > 0; i-- {
		digits[i] = byte('0' + base%10)
		base /= 10
	}
	return string(digits)
}

func newWriter() *logWriter {
	return &logWriter{at: time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC)}
}

func readGroups(tb testing.TB, logDir string, o CoordinatorOptions) *Groups {
	tb.Helper()
	t := &probe.Target{}
	g, err := ReadGroups(tb.Context(), t, []string{logDir}, o)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}
