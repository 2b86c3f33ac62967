package kafka

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// endpointPatience bounds one request to a token endpoint.
const endpointPatience = 5 * time.Second

// endpointToken fetches tokens by the client-credentials grant. The client's id
// and secret come from the JAAS options, or from the settings of Kafka 4.1.
func endpointToken(u *url.URL, settings map[string]string, l login, hidden *hider) (func(context.Context) (token, error), error) {
	first := func(texts ...string) string {
		for _, t := range texts {
			if t != "" {
				return t
			}
		}
		return ""
	}
	id := first(settings["sasl.oauthbearer.client.credentials.client.id"], l.options["clientId"])
	secret := first(settings["sasl.oauthbearer.client.credentials.client.secret"], l.options["clientSecret"])
	if id == "" || secret == "" {
		return nil, errors.New(`sasl.jaas.config: clientId="…" and clientSecret="…" are expected for the token endpoint`)
	}
	hidden.add(secret)
	if password, ok := u.User.Password(); ok {
		hidden.add(password)
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if scope := first(settings["sasl.oauthbearer.scope"], l.options["scope"]); scope != "" {
		form.Set("scope", scope)
	}
	if settings["sasl.oauthbearer.header.urlencode"] == "true" {
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	}
	secure, err := endpointTLS(settings, l)
	if err != nil {
		return nil, err
	}
	// No proxy from the environment, as in Java, and no redirect: the secret
	// goes to the address that was configured and to no other.
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: secure, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	at := *u
	at.User, at.RawQuery, at.Fragment = nil, "", ""
	return func(ctx context.Context) (token, error) {
		ctx, cancel := context.WithTimeout(ctx, endpointPatience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
		if err != nil {
			return token{}, errors.New("token endpoint: the URL is malformed")
		}
		r.SetBasicAuth(id, secret)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "application/json")
		t, err := fetchToken(client, r)
		if err != nil {
			return token{}, fmt.Errorf("token endpoint %s: %w", at.String(), err)
		}
		return t, nil
	}, nil
}

// endpointTLS is how the endpoint is trusted: by ssl.* among the JAAS options,
// else by those of the settings, as far as there are any.
func endpointTLS(settings map[string]string, l login) (*tls.Config, error) {
	own := map[string]string{}
	for name, value := range l.options {
		if strings.HasPrefix(name, "ssl.") {
			own[name] = value
		}
	}
	if len(own) == 0 {
		own = maps.Clone(settings)
	}
	c, err := readTLS(own)
	if err != nil {
		return nil, fmt.Errorf("sasl.jaas.config, for the token endpoint: %w", err)
	}
	return c, nil
}

func fetchToken(client *http.Client, r *http.Request) (token, error) {
	asked := time.Now()
	answer, err := client.Do(r)
	if err != nil {
		var outer *url.Error // repeats the URL
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return token{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 2*maxToken+1))
	if err != nil {
		return token{}, fmt.Errorf("read the answer: %w", err)
	}
	return parseToken(answer.StatusCode, body, asked)
}

// grantErrors is the errors of RFC 6749, which alone are repeated: what else an
// endpoint says may be anything.
var grantErrors = map[string]string{
	"invalid_client":         "clientId or clientSecret is wrong",
	"unauthorized_client":    "the client may not use the client-credentials grant",
	"invalid_scope":          "the scope of sasl.jaas.config is not allowed",
	"invalid_request":        "the request is not what the endpoint expects",
	"invalid_grant":          "the client is not accepted",
	"unsupported_grant_type": "the endpoint does not know the client-credentials grant",
}

// parseToken reads the answer of a token endpoint:
//
//	{"access_token": "eyJ…", "expires_in": 300}
func parseToken(status int, body []byte, asked time.Time) (token, error) {
	var answer struct {
		Token   string  `json:"access_token"`
		Expires float64 `json:"expires_in"`
		Error   string  `json:"error"`
	}
	parsed := len(body) <= 2*maxToken && json.Unmarshal(body, &answer) == nil
	switch meaning := grantErrors[answer.Error]; {
	case parsed && meaning != "":
		return token{}, fmt.Errorf("status %d, %s: %s", status, answer.Error, meaning)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return token{}, fmt.Errorf("status %d: clientId or clientSecret is wrong, or may not have a token", status)
	case status != http.StatusOK:
		return token{}, fmt.Errorf("status %d, 200 is expected: look at sasl.oauthbearer.token.endpoint.url", status)
	case !parsed:
		return token{}, errors.New("the answer is no JSON object with access_token: look at sasl.oauthbearer.token.endpoint.url")
	case len(answer.Token) > maxToken:
		return token{}, fmt.Errorf("the token is longer than %d bytes", maxToken)
	}
	if err := checkToken(answer.Token); err != nil {
		return token{}, err
	}
	const day = 24 * 3600
	life := min(max(answer.Expires, 0), day) * 0.8 // not to the last second
	return token{answer.Token, asked.Add(time.Duration(life * float64(time.Second)))}, nil
}
