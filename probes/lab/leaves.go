package lab

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// leaf is one reading inside an observation, as text that a person compares:
// the ISR of one partition, the outcome of one connection.
type leaf struct {
	Row  string // the thing that a column or a list is about: "orders-0", "voters 100"; "" for the whole value
	Name string // "isr", "outcome"; "value" of a plain one, "unknown" where there is none
	Text string
}

// leavesOf takes an observation apart. Columns of a value are turned into rows:
// nobody compares two arrays by counting.
func leavesOf(o fact.Observation) ([]leaf, error) {
	if o.Because != nil {
		return []leaf{{"", "unknown", string(o.Because.Reason)}}, nil
	}
	text, err := json.Marshal(o.Value)
	if err != nil {
		return nil, fmt.Errorf("take %s apart: %w", o.Key.Name, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("take %s apart: %w", o.Key.Name, err)
	}
	var t tree
	t.take("", "", value)
	return t.leaves, nil
}

type tree struct{ leaves []leaf }

// take adds what is below a value that stands in a row under a name.
func (t *tree) take(row, name string, value any) {
	switch v := value.(type) {
	case nil: // an empty list, or nothing told
	case map[string]any:
		t.object(row, name, v)
	case []any:
		t.list(row, name, v)
	default:
		t.leaves = append(t.leaves, leaf{row, cmp.Or(name, "value"), plainText(v)})
	}
}

func (t *tree) object(row, name string, v map[string]any) {
	if items, packed := v["i"]; packed && len(v) == 2 && v["e"] == nil && items == nil {
		return // no lists: columns without a row
	}
	rows := rowNames(v)
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if column := cells(v[key], rows); column != nil && len(rows) > 0 {
			_, plain := v[key].([]any)
			for i, cell := range column {
				if !plain || !slices.Contains(naming, key) {
					t.take(rows[i], key, cell)
				}
			}
			continue
		}
		if t.settings(rows, v[key]) {
			continue
		}
		below := key
		if name != "" {
			below = name + "." + key
		}
		t.take(row, below, v[key])
	}
}

// settings takes columns that hold each distinct setting once (see
// fact.SettingColumn); false when the value is none.
func (t *tree) settings(rows []string, value any) bool {
	columns, _ := value.([]any)
	taken := false
	for _, one := range columns {
		column, _ := one.(map[string]any)
		distinct, _ := column["distinct"].([]any)
		of, _ := column["of"].([]any)
		if len(of) != len(rows) || len(rows) == 0 {
			return taken
		}
		for i, at := range of {
			n, _ := at.(json.Number)
			index, err := n.Int64()
			if err != nil || index < 0 || index >= int64(len(distinct)) {
				continue // not told
			}
			t.take(rows[i], plainText(column["name"]), distinct[index])
			taken = true
		}
	}
	return taken
}

// list is a row for each object, or one leaf for plain values.
func (t *tree) list(row, name string, v []any) {
	var texts []string
	for i, item := range v {
		object, is := item.(map[string]any)
		if !is {
			texts = append(texts, plainText(item))
			continue
		}
		id := fmt.Sprint(i)
		for _, key := range []string{"id", "name", "node_id", "step", "type", "key"} {
			if s := plainText(object[key]); s != "" {
				id = s
				break
			}
		}
		t.take(strings.TrimSpace(row+" "+name+" "+id), "", object)
	}
	if texts != nil || len(v) == 0 {
		t.leaves = append(t.leaves, leaf{row, cmp.Or(name, "value"), strings.Join(texts, " ")})
	}
}

// naming is the columns that name rows, and so are no readings.
var naming = []string{"topic", "partition", "topics", "id"}

// rowNames finds what the columns of an object are about: partitions, topics or
// ids; nil when it has no columns.
func rowNames(v map[string]any) []string {
	topics, _ := v["topics"].([]any)
	topic, isColumn := v["topic"].([]any)
	partition, _ := v["partition"].([]any)
	ids, _ := v["id"].([]any)
	var names []string
	switch {
	case isColumn && len(topic) == len(partition):
		for i := range topic {
			of := plainText(topic[i])
			if n, is := topic[i].(json.Number); is { // an index into topics
				if at, err := n.Int64(); err == nil && at >= 0 && int(at) < len(topics) {
					of = plainText(topics[at])
				}
			}
			names = append(names, of+"-"+plainText(partition[i]))
		}
	case v["members"] != nil:
		members, _ := v["members"].([]any)
		for _, m := range members {
			member, _ := m.(map[string]any)
			names = append(names, "members "+plainText(member["id"]))
		}
	case topics != nil && v["partition"] == nil:
		for _, t := range topics {
			names = append(names, plainText(t))
		}
	default:
		for _, id := range ids {
			names = append(names, plainText(id))
		}
	}
	return names
}

// cells is a column's values by row: a plain array, many short lists in one
// (see fact.Lists), or nil when the value is no column of so many rows.
func cells(value any, rows []string) []any {
	if list, is := value.([]any); is && len(list) == len(rows) {
		for _, item := range list {
			if _, object := item.(map[string]any); object {
				return nil
			}
		}
		return list
	}
	packed, is := value.(map[string]any)
	if !is {
		return nil
	}
	ends, has := packed["e"].([]any)
	items, _ := packed["i"].([]any)
	if !has || len(ends) != len(rows) {
		return nil
	}
	all := []any{}
	from := int64(0)
	for _, e := range ends {
		n, _ := e.(json.Number)
		to, err := n.Int64()
		if err != nil || to < from || to > int64(len(items)) {
			return nil
		}
		all = append(all, items[from:to])
		from = to
	}
	return all
}

func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, plainText(item))
		}
		return strings.Join(all, " ")
	case map[string]any:
		text, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	return fmt.Sprint(v)
}
