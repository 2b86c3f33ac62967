package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// maxToken bounds in bytes a bearer token.
const maxToken = 64 << 10

// token is a bearer token. It is used until it expires; zero: no end is known.
type token struct {
	text    string
	expires time.Time
}

// readOAuth is the mechanism OAUTHBEARER with a token from where the settings
// say: an endpoint (client credentials), a file, the JAAS options. Tokens are
// noted as secrets.
func readOAuth(settings map[string]string, l login, hidden *hider) (sasl.Mechanism, error) {
	fetch, err := tokenSource(settings, l, hidden)
	if err != nil {
		return nil, err
	}
	extensions := map[string]string{}
	for name, value := range l.options {
		if name, ok := strings.CutPrefix(name, "extension_"); ok {
			extensions[name] = value
		}
	}
	var mu sync.Mutex
	var kept token
	return oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		mu.Lock()
		defer mu.Unlock()
		if kept.text == "" || !kept.expires.IsZero() && time.Now().After(kept.expires) {
			fresh, err := fetch(ctx)
			if err != nil {
				return oauth.Auth{}, &noTicket{err}
			}
			hidden.add(fresh.text)
			kept = fresh
		}
		return oauth.Auth{Token: kept.text, Extensions: extensions}, nil
	}), nil
}

// tokenSource is how a new token is made or fetched.
func tokenSource(settings map[string]string, l login, hidden *hider) (func(context.Context) (token, error), error) {
	const setting = "sasl.oauthbearer.token.endpoint.url"
	where := strings.TrimSpace(settings[setting])
	switch {
	case where == "" && l.options["token"] != "":
		return func(context.Context) (token, error) { return token{text: l.options["token"]}, nil }, nil
	case where == "":
		return unsecuredToken(l)
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "file" && u.Host == "" { // its error repeats the URL, which may hold a password
		return nil, fmt.Errorf("%s: expected https://host/path, http://host/path or file:///path", setting)
	}
	switch u.Scheme {
	case "http", "https":
		return endpointToken(u, settings, l, hidden)
	case "file":
		return func(context.Context) (token, error) { return fileToken(u.Path) }, nil
	}
	return nil, fmt.Errorf("%s: expected https://, http:// or file://", setting)
}

// fileToken reads the file anew each time: another program renews it.
func fileToken(path string) (token, error) {
	text, err := readSmall(path, maxToken)
	if err != nil {
		return token{}, fmt.Errorf("read the token: %w", err)
	}
	t := token{text: strings.TrimSpace(string(text)), expires: time.Now()}
	return t, checkToken(t.text)
}

// checkToken says whether a text can be sent as a bearer token.
func checkToken(text string) error {
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("no token: printable ASCII without blanks is expected")
	}
	return nil
}

// unsecuredToken makes tokens without a signature, as Kafka's clients do when
// nothing but JAAS options is given: for test clusters.
func unsecuredToken(l login) (func(context.Context) (token, error), error) {
	claims := map[string]any{}
	for name, value := range l.options {
		if name, ok := strings.CutPrefix(name, "unsecuredLoginStringClaim_"); ok {
			claims[name] = value
		}
	}
	if claims["sub"] == nil {
		return nil, errors.New("sasl.oauthbearer.token.endpoint.url: absent, expected https://host/path or file:///path")
	}
	const lifetime = time.Hour
	return func(context.Context) (token, error) {
		now := time.Now()
		claims["iat"], claims["exp"] = now.Unix(), now.Add(lifetime).Unix()
		body, err := json.Marshal(claims)
		if err != nil {
			return token{}, fmt.Errorf("make a token: %w", err)
		}
		encode := base64.RawURLEncoding.EncodeToString
		return token{encode([]byte(`{"alg":"none"}`)) + "." + encode(body) + ".", now.Add(lifetime / 2)}, nil
	}, nil
}

// noTicket is the error of a mechanism that did not get what it needs before it
// could speak to the broker: a token, a ticket.
type noTicket struct{ err error }

func (e *noTicket) Error() string { return e.err.Error() }
func (e *noTicket) Unwrap() error { return e.err }
