package kafka

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sayOf is what the mechanism of settings would send to a broker first.
func sayOf(t *testing.T, ctx context.Context, settings map[string]string) (string, error) {
	t.Helper()
	all := map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "OAUTHBEARER"}
	for name, v := range settings {
		all[name] = v
	}
	s, err := readSecurity(all)
	if err != nil {
		t.Fatal(err)
	}
	_, say, err := s.mechanism.Authenticate(ctx, "b:9092")
	if err == nil {
		_, again, err2 := s.mechanism.Authenticate(ctx, "b:9092")
		if err2 != nil || string(again) != string(say) {
			t.Errorf("another token at once: %q, %v", again, err2)
		}
	}
	return string(say), err
}

func TestTokens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("of.a.file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	answer := func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		id, word, _ := r.BasicAuth()
		r.ParseForm()
		fmt.Fprintf(w, `{"access_token": "%s", "expires_in": 60}`, base64.RawURLEncoding.EncodeToString([]byte(id+" "+word+" "+r.PostForm.Encode())))
	}
	plain := httptest.NewServer(http.HandlerFunc(answer))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(answer))
	defer secure.Close()
	client := `clientId="carol" clientSecret="carol word" scope="a b"`
	wanted := "Bearer " + base64.RawURLEncoding.EncodeToString([]byte("carol carol word grant_type=client_credentials&scope=a+b"))
	for what, c := range map[string]struct {
		settings map[string]string
		want     string
	}{
		"file":     {map[string]string{"sasl.oauthbearer.token.endpoint.url": "file://" + file, "sasl.jaas.config": bearer("")}, "Bearer of.a.file\x01"},
		"static":   {map[string]string{"sasl.jaas.config": bearer(`token="x.y.z" extension_logicalCluster="lkc-1"`)}, "Bearer x.y.z\x01logicalCluster=lkc-1\x01"},
		"endpoint": {map[string]string{"sasl.oauthbearer.token.endpoint.url": plain.URL, "sasl.jaas.config": bearer(client)}, wanted},
		"endpoint, settings of 4.1": {map[string]string{"sasl.oauthbearer.token.endpoint.url": plain.URL, "sasl.jaas.config": bearer(""), "sasl.oauthbearer.client.credentials.client.id": "carol",
			"sasl.oauthbearer.client.credentials.client.secret": "carol word", "sasl.oauthbearer.scope": "a b"}, wanted},
		"endpoint by TLS": {map[string]string{"sasl.oauthbearer.token.endpoint.url": secure.URL, "sasl.jaas.config": bearer(client),
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": certificatePEM(secure.Certificate().Raw)}, wanted},
	} {
		if say, err := sayOf(t, t.Context(), c.settings); err != nil || !strings.Contains(say, c.want) {
			t.Errorf("%s: %q, %v", what, say, err)
		}
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("%d tokens were fetched for three clients", n)
	}
}

// An endpoint that is not what it should be costs its patience, and repeats
// nothing.
func TestTokenEndpointsThatFail(t *testing.T) {
	var elsewhere atomic.Bool
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Store(true) }))
	defer trap.Close()
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"wrong secret": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			io.WriteString(w, `{"error":"invalid_client"}`)
		}, "invalid_client: clientId or clientSecret is wrong"},
		"scope": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(400)
			io.WriteString(w, `{"error":"invalid_scope"}`)
		}, "scope"},
		"not there": {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "status 404"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, trap.URL, http.StatusTemporaryRedirect)
		}, "status 307"},
		"a page":     {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") }, "no JSON object"},
		"no token":   {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") }, "no token"},
		"an odd one": {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"access_token":"a\u0001b"}`) }, "no token"},
		"endless":    {func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat(" ", 4*maxToken)) }, "no JSON object"},
		"a huge one": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"access_token":"%s"}`, strings.Repeat("a", maxToken+1))
		}, "longer than"},
		"silence":  {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "context deadline exceeded"},
		"hangs up": {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"half a body": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, "{")
		}, "read the answer"},
	} {
		s := httptest.NewServer(c.answer)
		u, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User, u.RawQuery = url.UserPassword("u", "canary-in-url"), "key=canary-in-query"
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		_, err = sayOf(t, ctx, map[string]string{"sasl.oauthbearer.token.endpoint.url": u.String(), "sasl.jaas.config": bearer(`clientId="carol" clientSecret="canary-word"`)})
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %v after %s", what, err, time.Since(began))
		}
		s.CloseClientConnections()
		s.Close()
	}
	if elsewhere.Load() {
		t.Error("a redirect was followed")
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(200, []byte(`{"access_token": "a.b.c", "expires_in": 300}`))
	f.Add(200, []byte(`{"access_token": "a", "expires_in": -1e308}`))
	f.Add(401, []byte(`{"error": "invalid_client"}`))
	now := time.Now()
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		got, err := parseToken(status, body, now)
		if err == nil && (checkToken(got.text) != nil || got.expires.Before(now) || got.expires.After(now.Add(24*time.Hour))) {
			t.Errorf("%+v", got)
		}
	})
}
