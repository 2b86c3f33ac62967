//go:build labmore

package kafka_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// kdc is a Kerberos of Debian's packages krb5-kdc and krb5-admin-server, for the
// realm TEST.LAB.
type kdc struct{ dir, conf string }

func startKDC(t *testing.T) kdc {
	t.Helper()
	k := kdc{dir: t.TempDir()}
	k.conf = filepath.Join(k.dir, "krb5.conf")
	_, port, _ := strings.Cut(freePort(t), ":")
	files := map[string]string{
		k.conf:                           fmt.Sprintf("[libdefaults]\n default_realm = TEST.LAB\n dns_lookup_kdc = false\n dns_lookup_realm = false\n[realms]\n TEST.LAB = {\n  kdc = 127.0.0.1:%s\n }\n[domain_realm]\n localhost = TEST.LAB\n", port),
		filepath.Join(k.dir, "kdc.conf"): fmt.Sprintf("[kdcdefaults]\n kdc_listen = 127.0.0.1:%[1]s\n kdc_tcp_listen = 127.0.0.1:%[1]s\n[realms]\n TEST.LAB = {\n  database_name = %[2]s/principal\n  key_stash_file = %[2]s/stash\n  acl_file = %[2]s/acl\n }\n", port, k.dir),
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.run(t, "kdb5_util", "create", "-s", "-P", "master", "-r", "TEST.LAB")
	k.admin(t, "addprinc -randkey kafka/localhost", "addprinc -randkey alice", "addprinc -randkey stale",
		"ktadd -k "+k.keytab("broker")+" kafka/localhost", "ktadd -k "+k.keytab("alice")+" alice",
		"ktadd -k "+k.keytab("stale")+" stale", "cpw -randkey stale")
	server := exec.Command("krb5kdc", "-n")
	server.Env = k.env()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			return k
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func (k kdc) keytab(name string) string { return filepath.Join(k.dir, name+".keytab") }

func (k kdc) env() []string {
	return append(os.Environ(), "KRB5_CONFIG="+k.conf, "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"))
}

func (k kdc) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = k.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func (k kdc) admin(t *testing.T, queries ...string) {
	t.Helper()
	for _, q := range queries {
		k.run(t, "kadmin.local", "-r", "TEST.LAB", "-q", q)
	}
}

// GSSAPI with keytabs of a real KDC, and what is said when it does not work.
func TestLabKerberos(t *testing.T) {
	k := startKDC(t)
	t.Setenv("KRB5_CONFIG", k.conf)
	login := func(principal, keytab string) string {
		return fmt.Sprintf(`com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="%s" principal="%s";`, keytab, principal)
	}
	c := startSecured(t, []string{"-Djava.security.krb5.conf=" + k.conf}, map[string]string{"SASL": "SASL_PLAINTEXT"}, map[string]string{
		"listener.name.sasl.sasl.enabled.mechanisms": "GSSAPI",
		"listener.name.sasl.gssapi.sasl.jaas.config": login("kafka/localhost@TEST.LAB", k.keytab("broker")),
		"sasl.kerberos.service.name":                 "kafka",
	})
	user := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.kerberos.service.name": "kafka", "sasl.jaas.config": login("alice@TEST.LAB", k.keytab("alice"))}
	at := c.at["SASL"]
	arrives(t, "GSSAPI", at, user)
	arrives(t, "GSSAPI, default realm", at, with(user, "sasl.jaas.config", login("alice", k.keytab("alice"))))
	fails(t, "unknown principal", at, with(user, "sasl.jaas.config", login("nobody@TEST.LAB", k.keytab("alice"))), fact.SASL, "nobody@TEST.LAB")
	fails(t, "unknown service", at, with(user, "sasl.kerberos.service.name", "other"), fact.SASL, "does not know other/localhost")
	fails(t, "keytab too old", at, with(user, "sasl.jaas.config", login("stale@TEST.LAB", k.keytab("stale"))), fact.SASL, "keytab")
	away := filepath.Join(k.dir, "away.conf")
	if err := os.WriteFile(away, []byte("[libdefaults]\n default_realm = TEST.LAB\n[realms]\n TEST.LAB = {\n  kdc = "+freePort(t)+"\n }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KRB5_CONFIG", away)
	fails(t, "no KDC", at, user, fact.SASL, "no KDC")
}
