package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ktriage/ktriage/probes/preflight"
)

// preflightOf runs preflight and reads what it prints, after the schema has.
func preflightOf(t *testing.T, args ...string) (preflight.Report, ended) {
	t.Helper()
	got := ktriage(t, append([]string{"preflight", "-o", "json"}, args...)...)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(got.out))
	if err != nil {
		t.Fatalf("%v: exit %d, %s%s", err, got.status, got.out, got.err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/preflight.schema.json")
	if err == nil {
		err = schema.Validate(doc)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	var r preflight.Report
	if err := json.Unmarshal([]byte(got.out), &r); err != nil {
		t.Fatal(err)
	}
	return r, got
}

func sightIn(t *testing.T, r preflight.Report, name string) preflight.Sight {
	t.Helper()
	i := slices.IndexFunc(r.Probes, func(s preflight.Sight) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no probe %s", name)
	}
	return r.Probes[i]
}

// TestPreflightOfAUserWithoutRights has a user whom an authorizer denies all.
func TestPreflightOfAUserWithoutRights(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(3, "orders"), kfake.EnableSASL(), kfake.EnableACLs(),
		kfake.Superuser("SCRAM-SHA-256", "root", "root-word"), kfake.User("SCRAM-SHA-256", "bob smith", "bob-word"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	properties := func(user, word string) string {
		file := filepath.Join(t.TempDir(), "client.properties")
		text := "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\n" +
			"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user + "\" password=\"" + word + "\";\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	addresses := strings.Join(cluster.ListenAddrs(), ",")
	bob := []string{"--bootstrap-server", addresses, "--command-config", properties("bob smith", "bob-word"), "--skip", "host"}

	r, got := preflightOf(t, bob...)
	if got.status != 1 || r.Principal != "User:bob smith" {
		t.Errorf("exit %d, principal %q", got.status, r.Principal)
	}
	if s := sightIn(t, r, "kafka.reach"); len(s.Missing) > 0 || len(s.Can) == 0 {
		t.Errorf("to connect needs no right: %+v", s)
	}
	metadata := sightIn(t, r, "kafka.metadata") // answers, with topics left out
	if len(metadata.Missing) != 1 || metadata.Missing[0].Right == nil || *metadata.Missing[0].Right != "Describe on topic" ||
		!slices.ContainsFunc(metadata.How, func(how string) bool {
			return strings.Contains(how, "--allow-principal 'User:bob smith' --operation Describe --topic '*'")
		}) {
		t.Errorf("topics are hidden: %+v", metadata)
	}
	if want := 6; len(r.ACLs) != want || !strings.HasPrefix(r.ACLs[0], "kafka-acls.sh --bootstrap-server "+addresses+" --command-config "+bob[3]+" --add ") {
		t.Errorf("%d ACLs, want %d: %s", len(r.ACLs), want, r.ACLs)
	}
	for _, right := range r.Rights {
		if right.Held != nil && *right.Held {
			t.Errorf("%s is held", right.Right)
		}
	}
	if strings.Contains(got.out+got.err, "bob-word") {
		t.Error("the password is printed")
	}

	text := ktriage(t, append([]string{"preflight"}, bob...)...)
	for _, want := range []string{"MISSING: kafka.metadata", "MISSING  kafka-acls.sh --bootstrap-server ", "Read on topics is for kafka.", "sees all: kafka.reach"} {
		if text.status != 1 || !strings.Contains(text.out, want) {
			t.Errorf("exit %d, no %q in %s", text.status, want, text.out)
		}
	}

	only := []string{"--bootstrap-server", addresses, "--command-config", properties("root", "root-word"), "--only", "kafka.metadata,kafka.groups"}
	r, got = preflightOf(t, only...)
	if got.status != 0 || r.Exit() != 0 {
		t.Errorf("a super user: exit %d, %+v", got.status, r)
	}
	if s := sightIn(t, r, "kafka.quotas"); s.Status != "not-asked" || len(s.Missing) > 0 {
		t.Errorf("a probe that was not asked: %+v", s)
	}
	if slices.ContainsFunc(r.ACLs, func(c string) bool { return strings.Contains(c, "Read") || strings.Contains(c, "transactional") }) {
		t.Errorf("rights of probes that were not asked: %s", r.ACLs)
	}
}

func TestPreflightOfDeadBrokers(t *testing.T) {
	r, got := preflightOf(t, "--bootstrap-server", deadPorts(t, 2), "--skip", "host")
	if s := sightIn(t, r, "kafka.metadata"); got.status != 3 || len(s.Missing) == 0 || s.Missing[0].Reason != "unreachable" {
		t.Errorf("exit %d, %+v", got.status, s)
	}
	for _, right := range r.Rights {
		if right.Held != nil {
			t.Errorf("%s: known without a broker", right.Right)
		}
	}
	if got := ktriage(t, "preflight", "nonsense"); got.status != 2 {
		t.Errorf("exit %d", got.status)
	}
}
