// Package hsperf reads the performance data file that every HotSpot JVM keeps
// in /tmp/hsperfdata_USER/PID: the numbers that jstat prints, without a JVM and
// without the observed one noticing.
package hsperf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The layout is that of HotSpot's perfMemory.hpp: a prologue, then entries that
// are all linked by their length.
const (
	prologueSize = 32
	entrySize    = 20
	maxEntries   = 65536 // real JVMs have 140 to 200

	typeLong   = 'J'
	typeString = 'B'
)

var magic = []byte{0xca, 0xfe, 0xc0, 0xc0}

// Data is the counters of one JVM as they stood while the file was read. The
// set is no consistent snapshot: the JVM counts on meanwhile.
type Data struct {
	Longs    map[string]int64
	Strings  map[string]string
	Overflow int32 // bytes of counters that found no room in the file
}

// SyntaxError says where a file is not what it should be.
type SyntaxError struct {
	Offset         int
	Field          string
	Got            int64
	Want           string
	notInitialised bool
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("perf data, byte %d: %s is %d, expected %s", e.Offset, e.Field, e.Got, e.Want)
}

// Starting says whether the error only means that the JVM has not filled its
// file yet.
func Starting(err error) bool {
	var e *SyntaxError
	return errors.As(err, &e) && e.notInitialised
}

// Parse reads the bytes of a perf data file. Entries of unknown types are
// skipped; a broken entry is a *SyntaxError.
func Parse(file []byte) (*Data, error) {
	order, used, first, count, err := prologue(file)
	if err != nil {
		return nil, err
	}
	d := &Data{
		Longs:    make(map[string]int64, count),
		Strings:  make(map[string]string, 32),
		Overflow: int32(order.Uint32(file[12:])),
	}
	text := string(file[:used]) // names and strings are parts of it: one allocation
	at := first
	for i := 0; i < count; i++ {
		length, err := d.entry(file[:used], text, at, order)
		if err != nil {
			return nil, err
		}
		at += length
	}
	return d, nil
}

func prologue(file []byte) (order binary.ByteOrder, used, first, count int, err error) {
	bad := func(offset int, field string, got int64, want string) error {
		return &SyntaxError{Offset: offset, Field: field, Got: got, Want: want}
	}
	if len(file) < prologueSize {
		return nil, 0, 0, 0, &SyntaxError{Field: "file size", Got: int64(len(file)), Want: "at least 32 bytes", notInitialised: len(file) == 0}
	}
	if !bytes.Equal(file[:4], magic) {
		got := binary.BigEndian.Uint32(file)
		return nil, 0, 0, 0, &SyntaxError{Field: "magic", Got: int64(got), Want: "0xcafec0c0", notInitialised: got == 0}
	}
	switch file[4] {
	case 0:
		order = binary.BigEndian
	case 1:
		order = binary.LittleEndian
	default:
		return nil, 0, 0, 0, bad(4, "byte order", int64(file[4]), "0 or 1")
	}
	if file[5] != 2 {
		return nil, 0, 0, 0, bad(5, "major version", int64(file[5]), "2")
	}
	if file[7] != 1 {
		return nil, 0, 0, 0, &SyntaxError{Offset: 7, Field: "accessible", Got: int64(file[7]), Want: "1", notInitialised: file[7] == 0}
	}
	used = int(int32(order.Uint32(file[8:])))
	if used < prologueSize || used > len(file) {
		return nil, 0, 0, 0, bad(8, "used", int64(used), fmt.Sprintf("32 to the file size %d", len(file)))
	}
	first = int(int32(order.Uint32(file[24:])))
	if first < prologueSize || first > used {
		return nil, 0, 0, 0, bad(24, "entry offset", int64(first), fmt.Sprintf("32 to the used size %d", used))
	}
	count = int(int32(order.Uint32(file[28:])))
	if count < 0 || count > maxEntries || count > (used-first)/entrySize {
		return nil, 0, 0, 0, bad(28, "number of entries", int64(count), fmt.Sprintf("what fits into %d bytes", used-first))
	}
	return order, used, first, count, nil
}

// entry reads one entry into d and returns its length.
func (d *Data) entry(file []byte, text string, at int, order binary.ByteOrder) (int, error) {
	bad := func(offset int, field string, got int, want string) (int, error) {
		return 0, &SyntaxError{Offset: at + offset, Field: field, Got: int64(got), Want: want}
	}
	if at+entrySize > len(file) {
		return bad(0, "entry", at, fmt.Sprintf("a whole entry before the end at %d", len(file)))
	}
	field := func(offset int) int { return int(int32(order.Uint32(file[at+offset:]))) }
	length, name, vector, data := field(0), field(4), field(8), field(16)
	if length < entrySize || length > len(file)-at {
		return bad(0, "entry length", length, fmt.Sprintf("20 to %d", len(file)-at))
	}
	if name < entrySize || name >= length {
		return bad(4, "name offset", name, fmt.Sprintf("20 to %d", length-1))
	}
	if vector < 0 || vector > length {
		return bad(8, "vector length", vector, fmt.Sprintf("0 to %d", length))
	}
	if data <= name || data > length {
		return bad(16, "data offset", data, fmt.Sprintf("%d to %d", name+1, length))
	}
	key, _, ended := strings.Cut(text[at+name:at+data], "\x00")
	if !ended {
		return bad(name, "name", data-name, "a NUL at its end")
	}
	switch kind := file[at+12]; {
	case kind == typeLong && vector == 0:
		if data+8 > length {
			return bad(16, "data offset", data, fmt.Sprintf("room for 8 bytes in %d", length))
		}
		d.Longs[key] = int64(order.Uint64(file[at+data:]))
	case kind == typeString && vector > 0:
		if data+vector > length {
			return bad(8, "vector length", vector, fmt.Sprintf("at most %d", length-data))
		}
		d.Strings[key], _, _ = strings.Cut(text[at+data:at+data+vector], "\x00")
	}
	return length, nil
}

// Command is the main class and its arguments, as the JVM was started.
func (d *Data) Command() string { return d.Strings["sun.rt.javaCommand"] }

// Created is when the JVM was created; zero where the file does not say.
func (d *Data) Created() time.Time {
	ms, ok := d.Longs["sun.rt.createVmBeginTime"]
	if !ok || ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Seconds is a counter of ticks in seconds; false where it is missing.
func (d *Data) Seconds(name string) (float64, bool) {
	ticks, ok := d.Longs[name]
	hertz := d.Longs["sun.os.hrt.frequency"]
	if !ok || hertz <= 0 {
		return 0, false
	}
	return float64(ticks) / float64(hertz), true
}
