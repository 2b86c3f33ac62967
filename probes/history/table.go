package history

import "fmt"

// kind is how a field is stored.
type kind uint8

const (
	int8s kind = iota
	int16s
	int32s
	int64s
	floats
	texts
	uuids
	blobs   // bytes: skipped, never kept
	ids     // array of int32
	uuidSet // array of uuids
	textSet // array of strings
	rows    // array of structs
	single  // a struct that may be null, behind a byte
)

// column says which member of a decoded record takes a field; the zero one is
// for fields that nobody needs.
type column uint8

const (
	unused column = iota
	brokerID
	epoch
	partitionID
	topicID
	name
	host
	value
	leader
	replicas
	isr
	removing
	adding
	recovery
	leaderEpoch
	partitionEpoch
	directories
	elr
	lastELR
	fenced
	controlled
	logDirs
	endpoints
	rack
	resourceType
	entity
	number
	remove
	level
	mechanism
	aclID
	patternType
	principal
	operation
	permission
	incarnation
	committed
	stamp
	expiry
	generation
	protocol
	members
	clientID
	previous
	timeout
	status
	partitions
	started
	group
	columns
)

// field is one field of a record type: since which version it is there, or with
// which tag.
type field struct {
	name   string
	kind   kind
	to     column
	since  int16
	until  int16 // last version that has it; 0: all later ones
	tagged bool
	tag    int
	of     []field // of rows
}

// layout is a record type up to the newest version that is known.
type layout struct {
	name     string
	newest   int16
	flexible int16 // the first version with compact lengths and tags; -1: none
	fields   []field
}

// values is a decoded record. What it has no field of is zero, and has says so.
type values struct {
	has   uint64 // bit by column
	num   [columns]int64
	text  [columns]string
	uuid  [columns]UUID
	ids   [columns][]int32
	uuids [columns][]UUID
	rows  [columns][]values // never nested deeper than one
	real  float64
}

func (v *values) is(c column) bool { return v.has&(1<<c) != 0 }

// number is a field, or what stands for it when it is not there.
func (v *values) numberOr(c column, other int64) int64 {
	if v.is(c) {
		return v.num[c]
	}
	return other
}

// decode reads a record of a version. The error names the field.
func (l *layout) decode(v *values, version int16, body []byte) error {
	v.has = 0
	in := &input{rest: body, flexible: l.flexible >= 0 && version >= l.flexible}
	readFields(in, l.fields, version, v)
	if in.err != nil {
		return fmt.Errorf("%s version %d: %w", l.name, version, in.err)
	}
	return nil
}

func readFields(in *input, fields []field, version int16, v *values) {
	for i := range fields {
		f := &fields[i]
		if version < f.since || f.until > 0 && version > f.until || f.tagged {
			continue
		}
		f.read(in, version, v)
		if in.err != nil {
			return
		}
	}
	in.tags(func(tag int, in *input) {
		for i := range fields {
			if f := &fields[i]; f.tagged && f.tag == tag && version >= f.since {
				f.read(in, version, v)
			}
		}
	})
}

// read reads one field into its column.
func (f *field) read(in *input, version int16, v *values) {
	in.field = f.name
	there := true
	switch f.kind {
	case int8s, int16s, int32s, int64s:
		v.num[f.to] = in.number(1 << (f.kind - int8s))
	case floats:
		v.real = in.float()
	case texts:
		if f.to == unused {
			if n := in.length(2); n > 0 {
				in.take(n)
			}
		} else {
			v.text[f.to], there = in.text()
		}
	case uuids:
		v.uuid[f.to] = in.uuid()
	case blobs:
		if n := in.length(4); n > 0 {
			in.take(n)
		}
	case single:
		if there = in.number(1) >= 0; there {
			readFields(in, f.of, version, v)
		}
	default:
		there = f.readArray(in, version, v)
	}
	if there && in.err == nil && f.to != unused {
		v.has |= 1 << f.to
	}
}

// readArray reads a field with a count before it; false for null.
func (f *field) readArray(in *input, version int16, v *values) bool {
	n := in.length(4)
	if n < 0 {
		return false
	}
	switch f.kind {
	case ids:
		list := v.ids[f.to][:0]
		for range n {
			list = append(list, int32(in.number(4)))
			if in.err != nil {
				return false
			}
		}
		v.ids[f.to] = list
	case uuidSet:
		list := v.uuids[f.to][:0]
		for range n {
			list = append(list, in.uuid())
			if in.err != nil {
				return false
			}
		}
		v.uuids[f.to] = list
	case textSet:
		for range n {
			if in.text(); in.err != nil {
				return false
			}
		}
	case rows:
		return f.readRows(in, version, v, n)
	}
	return true
}

const mostRows = 1000 // elements that are kept of one array of structs

func (f *field) readRows(in *input, version int16, v *values, n int) bool {
	list := v.rows[f.to][:0]
	var left values
	for i := range n {
		row := &left
		if f.to != unused && i < mostRows {
			list = append(list, values{})
			row = &list[i]
		}
		if readFields(in, f.of, version, row); in.err != nil {
			return false
		}
	}
	v.rows[f.to] = list
	return true
}
