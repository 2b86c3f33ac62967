package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// canary is a password that no output may hold, in whatever spelling.
const canary = `Canary-7"é\%`

// spellings is how the canary would look in an output.
var spellings = []string{"anary-7", "Q2FuYXJ5L", "43616e617279", "67 97 110 97 114 121"}

// parrot is a cluster that refuses every password and repeats what it was sent.
func parrot(t *testing.T) string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", "another"), kfake.Superuser("SCRAM-SHA-512", "alice", "another"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return r.ResponseKind(), nil, true
	})
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		sent := r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes
		answer := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		answer.ErrorMessage = kmsg.StringPtr(fmt.Sprintf("not %s, not %q either", sent, sent))
		return answer, nil, true
	})
	return c.ListenAddrs()[0]
}

// A password that stands wherever one may stand appears in no output of any
// command, and in no recording, whatever the other side answers.
func TestPasswordsAppearNowhere(t *testing.T) {
	broker := parrot(t)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		w.Header().Set("Location", "/"+secret)
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error": %q, "error_description": %q}`, secret, secret)
	}))
	t.Cleanup(endpoint.Close)
	dir := t.TempDir()
	stores, err := filepath.Abs("../../probes/kafka/testdata/stores")
	if err != nil {
		t.Fatal(err)
	}
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(canary)
	inFile := strings.ReplaceAll(escaped, `\`, `\\`) // of a properties file
	file("provided", "word="+strings.ReplaceAll(canary, `\`, `\\`)+"\n")
	login := func(mechanism, module, options string) string {
		return "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=" + mechanism + "\nsasl.jaas.config=org.apache.kafka.common.security." + module + " required " + options + ";\n"
	}
	userAnd := fmt.Sprintf(`username="alice" password="%s"`, inFile)
	store := "security.protocol=SSL\nssl.keystore.type=%s\nssl.keystore.location=" + stores + "/%s\nssl.keystore.password=%s\nssl.key.password=%s\n"
	word := strings.ReplaceAll(canary, `\`, `\\`)
	for name, c := range map[string]struct {
		text string
		want string // somewhere in the output: the test has come as far as it should
	}{
		"plain":          {login("PLAIN", "plain.PlainLoginModule", userAnd), "rejects the user name or the password"},
		"scram":          {login("SCRAM-SHA-512", "scram.ScramLoginModule", userAnd), "rejects the user name or the password"},
		"oauth":          {login("OAUTHBEARER", "oauthbearer.OAuthBearerLoginModule", fmt.Sprintf(`clientId="a" clientSecret="%s"`, inFile)) + "sasl.oauthbearer.token.endpoint.url=" + strings.Replace(endpoint.URL, "://", "://u:Canary-7@", 1) + "\n", "clientSecret is wrong"},
		"token":          {login("OAUTHBEARER", "oauthbearer.OAuthBearerLoginModule", `token="Canary-7"`), "rejects the token"},
		"provider":       {login("PLAIN", "plain.PlainLoginModule", `username="alice" password="${file:`+dir+`/provided:word}"`), "sasl.jaas.config"},
		"good provider":  {login("PLAIN", "plain.PlainLoginModule", `username="alice" password="${env:KTRIAGE_CANARY}"`), "rejects the user name or the password"},
		"jaas":           {login("PLAIN", "plain.PlainLoginModule", `username="alice" password=`+inFile), "sasl.jaas.config"},
		"wrong module":   {login("PLAIN", "scram.ScramLoginModule", userAnd), "login module"},
		"jks":            {fmt.Sprintf(store, "JKS", "key.jks", word, word), "look at ssl.keystore.password"},
		"jks key":        {fmt.Sprintf(store, "JKS", "key.jks", "store-word", word), "look at ssl.key.password"},
		"pkcs12":         {fmt.Sprintf(store, "PKCS12", "key.p12", word, word), "look at ssl.keystore.password"},
		"pem":            {fmt.Sprintf(store, "PEM", "client-aes.pem", word, word), "look at ssl.key.password"},
		"no such file":   {fmt.Sprintf(store, "JKS", "none.jks", word, word), "none.jks"},
		"key inline":     {"security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.certificate.chain=" + word + "\nssl.keystore.key=" + word + "\n", "ssl.keystore.key"},
		"malformed file": {"ssl.key.password=" + word + "\\u12G4\n", "expected KEY=VALUE"},
	} {
		config := file(name+".properties", c.text)
		recording := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".ktr")
		common := []string{"--bootstrap-server", broker, "--command-config", config, "--timeout", "1s", "--deadline", "3s", "--samples", "1", "--only", "kafka.reach,kafka.metadata,kafka.offsets"}
		var all bytes.Buffer
		for _, args := range [][]string{{"check"}, {"check", "-o", "json"}, {"audit"}, {"record", recording, "--for", "500ms"}} {
			e := finish(t, program(t, []string{"GOTRACEBACK=all", "KTRIAGE_CANARY=Canary-7"}, append(args, common...)...))
			fmt.Fprintf(&all, "%v\n%s%s", args[:1], e.out, e.err)
		}
		all.WriteString(unpacked(t, recording))
		if !strings.Contains(all.String(), c.want) {
			t.Errorf("%s: %q is nowhere in:\n%s", name, c.want, all.String())
		}
		for _, s := range spellings {
			if i := strings.Index(all.String(), s); i >= 0 {
				t.Errorf("%s: a password is told: …%s…", name, all.String()[max(0, i-200):min(all.Len(), i+100)])
			}
		}
	}
}

// unpacked is the text of a recording, "" where none was made.
func unpacked(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) == 0 {
		t.Errorf("%s is empty", path)
	}
	return string(text)
}
