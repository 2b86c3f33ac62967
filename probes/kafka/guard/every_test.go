package guard

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Every request of the library, in every version it has, filled with something
// in every field and empty too, is written through the guard. It needs no edit
// when the library learns new ones: these are refused because they are not among
// those that a person has named as harmless.
func TestEveryRequestOfTheLibrary(t *testing.T) {
	tried, passed := 0, map[int16]bool{}
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if kmsg.RequestForKey(key) == nil {
			continue
		}
		for version := int16(0); version <= kmsg.RequestForKey(key).MaxVersion(); version++ {
			for _, fill := range []func(kmsg.Request){func(kmsg.Request) {}, defaults, flipped} {
				r := kmsg.RequestForKey(key)
				fill(r)
				r.SetVersion(version)
				w := &wire{}
				_, err := New(w, anything).Write(frame(r))
				tried++
				switch {
				case err == nil && w.sent.Len() > 0:
					passed[key] = true
					if !slices.Contains(harmless, key) {
						t.Errorf("%s version %d reached the socket", kmsg.NameForKey(key), version)
					}
				case w.sent.Len() > 0 || !w.closed || !errors.Is(err, ErrRefused):
					t.Errorf("%s version %d: %v, %d bytes sent, closed is %v", kmsg.NameForKey(key), version, err, w.sent.Len(), w.closed)
				}
			}
		}
	}
	for _, key := range harmless {
		if !passed[key] {
			t.Errorf("%s is refused in every version and form: the guard lets nothing through, or the test tries nothing", kmsg.NameForKey(key))
		}
	}
	t.Logf("%d requests tried, of %d keys some pass", tried, len(passed))
}

// The keys that the library numbers are all the requests it has: each type of it
// that is a request is one of them.
func TestEveryRequestTypeHasAKey(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/twmb/franz-go/pkg/kmsg").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(strings.TrimSpace(string(out)) + "/generated.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if r := kmsg.RequestForKey(key); r != nil {
			known[reflect.TypeOf(r).Elem().Name()] = true
		}
	}
	types := regexp.MustCompile(`(?m)^func \(v \*(\w+)\) ResponseKind\(\) Response`).FindAllSubmatch(source, -1)
	if len(types) < 80 {
		t.Fatalf("%d types of requests found", len(types))
	}
	for _, m := range types {
		if !known[string(m[1])] {
			t.Errorf("%s has no key up to %d: it was not tried", m[1], kmsg.MaxKey)
		}
	}
}

// Each allowed request is named as one that only reads, with a reason, and its
// name says nothing else.
func TestAllowedRequestsOnlyRead(t *testing.T) {
	reads := regexp.MustCompile(`^(List|Describe|Find|Fetch|OffsetFetch|OffsetForLeaderEpoch|Metadata|ApiVersions|SASL(Handshake|Authenticate)|(Consumer|Share|Streams)GroupDescribe)`)
	for key, why := range allowed {
		if !slices.Contains(harmless, int16(key)) {
			t.Errorf("%s is not in the list of the specification", kmsg.NameForKey(int16(key)))
		}
		if !reads.MatchString(kmsg.NameForKey(int16(key))) || why == "" {
			t.Errorf("%s: %q is no reason, or the name of a request that only reads", kmsg.NameForKey(int16(key)), why)
		}
	}
	if len(allowed) != len(harmless) {
		t.Errorf("%d requests are allowed, the specification has %d", len(allowed), len(harmless))
	}
}

// defaults makes the form of a request that ktriage would send.
func defaults(r kmsg.Request) {
	if d, ok := r.(interface{ Default() }); ok {
		d.Default()
	}
	switch r := r.(type) {
	case *kmsg.FetchRequest:
		r.MaxBytes = FetchBytes
	case *kmsg.OffsetForLeaderEpochRequest:
		r.ReplicaID = -1
	}
}

// flipped sets every flag, number and string of a request, and gives every list
// an element.
func flipped(r kmsg.Request) { flip(reflect.ValueOf(r).Elem(), 0) }

func flip(v reflect.Value, depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.String:
		v.SetString("orders")
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		flip(v.Elem(), depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		flip(v.Index(0), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "UnknownTags" {
				flip(v.Field(i), depth+1)
			}
		}
	}
}

func TestFetchIsOnlyAGlance(t *testing.T) {
	glance := func(change func(*kmsg.FetchRequest)) *kmsg.FetchRequest {
		r := kmsg.NewPtrFetchRequest()
		r.Version, r.MaxBytes = 12, FetchBytes
		p := kmsg.NewFetchRequestTopicPartition()
		p.FetchOffset, p.PartitionMaxBytes = 7, 4096
		r.Topics = []kmsg.FetchRequestTopic{{Topic: "orders", Partitions: []kmsg.FetchRequestTopicPartition{p}}}
		change(r)
		return r
	}
	for what, c := range map[string]struct {
		change  func(*kmsg.FetchRequest)
		allowed bool
	}{
		"a glance":           {func(*kmsg.FetchRequest) {}, true},
		"an old glance":      {func(r *kmsg.FetchRequest) { r.Version = 4 }, true},
		"a new glance":       {func(r *kmsg.FetchRequest) { r.Version = 17 }, true},
		"too old to bound":   {func(r *kmsg.FetchRequest) { r.Version = 3 }, false},
		"much":               {func(r *kmsg.FetchRequest) { r.MaxBytes++ }, false},
		"without limit":      {func(r *kmsg.FetchRequest) { r.MaxBytes = 1<<31 - 1 }, false},
		"less than nothing":  {func(r *kmsg.FetchRequest) { r.MaxBytes = -1 }, false},
		"much of one":        {func(r *kmsg.FetchRequest) { r.Topics[0].Partitions[0].PartitionMaxBytes = FetchBytes + 1 }, false},
		"of a replica":       {func(r *kmsg.FetchRequest) { r.ReplicaID = 2 }, false},
		"of a debugger":      {func(r *kmsg.FetchRequest) { r.ReplicaID = -2 }, false},
		"of a new replica":   {func(r *kmsg.FetchRequest) { r.Version, r.ReplicaState.ID = 15, 2 }, false},
		"of a replica's log": {func(r *kmsg.FetchRequest) { r.Topics[0].Partitions[0].LogStartOffset = 3 }, false},
		"a session":          {func(r *kmsg.FetchRequest) { r.SessionEpoch = 0 }, false},
		"a session goes on":  {func(r *kmsg.FetchRequest) { r.SessionID, r.SessionEpoch = 9, 1 }, false},
		"a wait":             {func(r *kmsg.FetchRequest) { r.MaxWaitMillis = 1 }, false},
		"committed only":     {func(r *kmsg.FetchRequest) { r.IsolationLevel = 1 }, false},
		"of many partitions": {func(r *kmsg.FetchRequest) {
			r.Topics[0].Partitions = make([]kmsg.FetchRequestTopicPartition, FetchPartitions+1)
		}, false},
		"as the library makes": {func(r *kmsg.FetchRequest) { r.Default() }, false},
	} {
		w := &wire{}
		_, err := New(w, nil).Write(frame(glance(c.change)))
		if (err == nil) != c.allowed || (w.sent.Len() > 0) != c.allowed {
			t.Errorf("%s: %v, %d bytes sent, allowed is %v", what, err, w.sent.Len(), c.allowed)
		}
	}
}
