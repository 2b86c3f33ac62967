//go:build lab || labmore

package history

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ktriage/ktriage/probes/lab"
	"github.com/ktriage/ktriage/probes/segments/batch"
)

// agree reads the same files with DumpLogSegments and compares record by record,
// field by field: of all dirs at once, for its JVM takes seconds to start.
func agree(t *testing.T, c *lab.Cluster, dirs ...string) {
	t.Helper()
	var files []string
	for _, dir := range dirs {
		for _, kind := range []string{"*.log", "*.checkpoint"} {
			found, err := filepath.Glob(filepath.Join(dir, kind))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
	}
	script, class := filepath.Join(t.TempDir(), "dump"), "org.apache.kafka.tools.DumpLogSegments"
	if c.Version < "4.3" {
		class = "kafka.tools.DumpLogSegments"
	}
	if err := c.Script(script, class); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(script, "--cluster-metadata-decoder", "--skip-record-metadata", "--files", strings.Join(files, ",")).Output()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v: %.500s", err, out)
	}
	theirs, file := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		if name, ok := strings.CutPrefix(line, "Dumping "); ok {
			file = strings.TrimSpace(name)
		} else if _, payload, ok := strings.Cut(line, "payload: "); ok && strings.Contains(payload, `"type":`) {
			theirs[file] = append(theirs[file], payload)
		} else if strings.HasPrefix(strings.TrimSpace(line), `{"type":`) {
			theirs[file] = append(theirs[file], strings.TrimSpace(line))
		}
	}
	all := map[string]int{}
	for _, file := range files {
		all[filepath.Dir(file)] += compareRecords(t, file, theirs[file])
	}
	for _, dir := range dirs {
		if all[filepath.Clean(dir)] == 0 {
			t.Errorf("%s: no record of %d files compared", dir, len(files))
		}
	}
}

func compareRecords(t *testing.T, file string, theirs []string) (compared int) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	records, v, n := batch.Records{Keep: mostValue}, values{}, 0
	for s := batch.NewScanner(f, 0, info.Size(), nil); s.Next(); {
		if s.Header().Control() {
			continue
		}
		for records.Open(s.Header(), s.Body()); records.Next(); n++ {
			typ, what, err := decodeMetadata(&v, records.Record().Value)
			if err != nil || what == unknownType || what == newerVersion {
				t.Fatalf("%s record %d: type %d, verdict %d, %v", file, n, typ, what, err)
			}
			if n >= len(theirs) {
				t.Fatalf("%s: DumpLogSegments has %d records only", file, len(theirs))
			}
			if what == ignored {
				continue
			}
			var one struct {
				Type string
				Data map[string]any
			}
			if err := json.Unmarshal([]byte(theirs[n]), &one); err != nil {
				t.Fatalf("%s record %d: %v in %.200s", file, n, err, theirs[n])
			}
			if d := differs(metadataLayouts[typ].fields, &v, one.Data); d != "" {
				t.Errorf("%s record %d: %s, and DumpLogSegments has %s", file, n, d, theirs[n])
			}
			compared++
		}
	}
	if n != len(theirs) {
		t.Errorf("%s: %d records, DumpLogSegments has %d", file, n, len(theirs))
	}
	t.Logf("%s: %d of %d records compared field by field", filepath.Base(file), compared, n)
	return compared
}

// differs names the first field that is not as Kafka printed it. What Kafka
// leaves out has its default.
func differs(fields []field, v *values, data map[string]any) string {
	for _, f := range fields {
		theirs, printed := data[strings.ToLower(f.name[:1])+f.name[1:]]
		if f.to == unused || !printed && !v.is(f.to) && (f.tagged || f.until > 0 || f.since > 0) {
			continue
		}
		var ours any
		switch f.kind {
		case int8s, int16s, int32s, int64s:
			ours = float64(v.num[f.to])
			if f.name == "Port" {
				ours = float64(uint16(v.num[f.to]))
			}
			if yes, ok := theirs.(bool); ok {
				theirs = map[bool]float64{false: 0, true: 1}[yes]
			}
		case floats:
			ours = v.real
		case texts:
			if v.is(f.to) {
				ours = v.text[f.to]
			}
		case uuids:
			ours = base64.RawURLEncoding.EncodeToString(v.uuid[f.to][:])
		case ids:
			list := []any{}
			for _, id := range v.ids[f.to] {
				list = append(list, float64(id))
			}
			if ours = list; !v.is(f.to) {
				ours = nil
			}
		case uuidSet:
			list := []any{}
			for _, id := range v.uuids[f.to] {
				list = append(list, base64.RawURLEncoding.EncodeToString(id[:]))
			}
			ours = list
		case rows:
			list, _ := theirs.([]any)
			if len(list) != len(v.rows[f.to]) {
				return fmt.Sprintf("%s: %d elements", f.name, len(v.rows[f.to]))
			}
			for i := range list {
				if d := differs(f.of, &v.rows[f.to][i], list[i].(map[string]any)); d != "" {
					return f.name + ": " + d
				}
			}
			continue
		}
		if !reflect.DeepEqual(ours, theirs) {
			return fmt.Sprintf("%s: %v", f.name, ours)
		}
	}
	return ""
}
