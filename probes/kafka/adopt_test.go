package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Without settings of the operator those of this host's broker open the way to
// its inter-broker listener.
func TestSettingsOfTheLocalBroker(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "admin", "s3cr3t-admin"))
	address := cluster.ListenAddrs()[0]
	config := filepath.Join(t.TempDir(), "server.properties")
	write := func(password string) {
		text := "listeners=CLIENT://:1,INNER://" + address + "\nlistener.security.protocol.map=CLIENT:SSL,INNER:SASL_PLAINTEXT\n" +
			"inter.broker.listener.name=INNER\nsasl.mechanism.inter.broker.protocol=PLAIN\nssl.cipher.suites=TLS_AES_128_GCM_SHA256\n" +
			`listener.name.inner.plain.sasl.jaas.config=a.PlainLoginModule required username="admin" password="` + password + `" user_admin="` + password + "\";\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	local := []fact.LocalBroker{{NodeID: 0, Config: config, Roles: "broker", Listeners: []string{"127.0.0.1:1", address}}}
	for _, bootstrap := range [][]string{nil, {address}} {
		write("s3cr3t-admin")
		target := aim(t, bootstrap...)
		target.Timeout = 3 * time.Second
		target.SetBrokers(local)
		reach := must(t, target, Reach)
		if r := value(t, reach, fact.BrokerReach, fact.BrokerOf(0)); r.Outcome != fact.Answered || r.Address != address {
			t.Errorf("%v: %+v", bootstrap, r)
		}
		read := false
		for _, e := range target.Ledger.Entries() {
			read = read || e.Act == "read" && e.Object == config
		}
		if !read {
			t.Error("the ledger does not tell that the broker's settings were read")
		}
	}

	// Credentials that are refused are said to be the broker's own.
	write("s3cr3t-wrong")
	target := aim(t)
	target.Timeout = 3 * time.Second
	target.SetBrokers(local)
	for _, o := range must(t, target, Reach) {
		if r, ok := o.Value.(fact.Reach); ok && (r.Step != fact.SASL || !strings.Contains(r.Detail, config) || strings.Contains(r.Detail, "s3cr3t")) {
			t.Errorf("%+v", r)
		}
	}

	// What does not suffice is said, and what the operator gives wins.
	if err := os.WriteFile(config, []byte("listeners=SSL://"+address+"\nsecurity.inter.broker.protocol=SSL\nssl.keystore.location=/nowhere.jks\nssl.keystore.password=s3cr3t-admin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target = aim(t)
	target.SetBrokers([]fact.LocalBroker{{NodeID: 0, Config: config, Roles: "broker", Listeners: []string{address}}})
	found := false
	for _, o := range must(t, target, Reach) {
		r, ok := o.Value.(fact.Reach)
		found = found || ok && strings.Contains(r.Detail, "/nowhere.jks") && !strings.Contains(r.Detail, "s3cr3t")
	}
	if !found {
		t.Errorf("nothing says why: %+v", must(t, target, Reach)[0].Value)
	}
	target = aim(t)
	target.ClientConfig = map[string]string{"security.protocol": "PLAINTEXT"}
	target.SetBrokers(local)
	must(t, target, Reach)
	for _, e := range target.Ledger.Entries() {
		if e.Object == config {
			t.Errorf("the broker's settings were read beside the operator's: %+v", e)
		}
	}
}

func TestInterBroker(t *testing.T) {
	for text, want := range map[string]listener{
		"": {},
		"listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://b1:9092":                       {address: "b1:9092", bound: "127.0.0.1:9092"},
		"listeners=A://0.0.0.0:1\ninter.broker.listener.name=A\nlistener.security.protocol.map=A:SSL": {address: "127.0.0.1:1", bound: "127.0.0.1:1", settings: map[string]string{}},
		"security.inter.broker.protocol=SSL\nlisteners=SSL://x:0":                                     {},
	} {
		server, err := parseSettings([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if l := interBroker(server); l.address != want.address || l.bound != want.bound || (l.settings == nil) != (want.settings == nil) {
			t.Errorf("%q: %+v", text, l)
		}
	}
}

func FuzzInterBroker(f *testing.F) {
	f.Add([]byte("listeners=A://:1,B\ninter.broker.listener.name=A\nlistener.security.protocol.map=A:SASL_SSL,:\nlistener.name.a.ssl.x=y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		server, err := parseSettings(text)
		if err != nil {
			return
		}
		if l := interBroker(server); l.settings != nil && (l.address == "" || l.settings["security.protocol"] == "") {
			t.Errorf("%+v", l)
		}
	})
}

func FuzzKeytab(f *testing.F) {
	f.Add([]byte("\x05\x02\x00\x00\x00\x05hello"))
	f.Add([]byte("\x05\x02\xff\xff\xff\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if keys, err := parseKeytab(content); err == nil && len(keys.Entries) == 0 {
			t.Error("neither a key nor an error")
		}
	})
}

func FuzzKrb5(f *testing.F) {
	f.Add("[libdefaults]\n default_realm = A\n[realms]\n A = {\n kdc = 127.0.0.1:88\n }\n")
	f.Add("[realms]\n A = {\n B = {")
	f.Fuzz(func(t *testing.T, text string) {
		if conf, err := parseKrb5(text); err == nil && conf == nil {
			t.Error("neither settings nor an error")
		}
	})
}
