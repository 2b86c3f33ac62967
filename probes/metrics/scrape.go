package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// maxBody bounds an answer. A broker with 100 000 partitions and no rule file
// exports some hundred bytes for each of a dozen metrics of each: such an
// endpoint wants rules.
const maxBody = 64 << 20

// reading is what one endpoint said.
type reading struct {
	at      time.Time // when its answer began
	took    time.Duration
	samples []sample
}

// newClient asks metrics endpoints: without a proxy, one connection to each,
// and never sent to another host.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, DisableCompression: false, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if next.URL.Host != before[0].URL.Host || next.URL.Scheme != before[0].URL.Scheme {
				return fmt.Errorf("it redirects to %s, which is not followed", shown(next.URL))
			}
			if len(before) > 3 {
				return errors.New("it redirects without end")
			}
			return nil
		},
	}
}

// scrape reads an endpoint once.
func (e endpoint) scrape(ctx context.Context, t *probe.Target, c *http.Client) (reading, error) {
	if !e.jolokia {
		body, r, err := get(ctx, t, c, e.url)
		if err != nil {
			return reading{}, err
		}
		r.samples, err = parseText(body)
		return r, err
	}
	var all reading
	seen := map[string]bool{} // MBeans that two patterns match
	for i, path := range jolokiaPaths() {
		u := *e.url
		u.Path = strings.TrimRight(u.Path, "/") + "/read/" + path
		body, r, err := get(ctx, t, c, &u)
		if err != nil {
			return reading{}, err
		}
		more, err := parseJolokia(body, seen)
		if err != nil {
			return reading{}, err
		}
		if i == 0 {
			all.at = r.at
		}
		all.took += r.took
		all.samples = append(all.samples, more...)
	}
	if len(all.samples) == 0 {
		return reading{}, probe.Fail(fact.Unreadable, "Jolokia knows no metric of a Kafka broker", "the agent must be in the broker's own JVM")
	}
	return all, nil
}

// get reads one address. Its errors name the address without user and query.
func get(ctx context.Context, t *probe.Target, c *http.Client, u *url.URL) ([]byte, reading, error) {
	began := time.Now()
	fail := func(err error) ([]byte, reading, error) {
		t.Ledger.Note("request", "GET "+shown(u), 0, time.Since(began))
		return nil, reading{}, fmt.Errorf("read %s: %w", shown(u), err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fail(errors.New("the address cannot be asked"))
	}
	request.Header.Set("Accept", "text/plain; version=0.0.4, application/json;q=0.5")
	request.Header.Set("User-Agent", "ktriage/"+t.Version)
	answer, err := c.Do(request)
	if err != nil {
		var why *url.Error
		if errors.As(err, &why) {
			err = why.Err
		}
		return fail(err)
	}
	defer answer.Body.Close()
	r := reading{at: time.Now()}
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return fail(probe.Fail(fact.NotAllowed, shown(u)+" answers "+answer.Status, "a user and password in --metrics-url"))
	default:
		return fail(probe.Fail(fact.Unreadable, shown(u)+" answers "+answer.Status, "exporters answer at /metrics, Jolokia at /jolokia"))
	}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "text/html" {
		return fail(probe.Fail(fact.Unreadable, shown(u)+" is a web page", "exporters answer at /metrics, Jolokia at /jolokia"))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return fail(err)
	}
	if len(body) > maxBody {
		return fail(probe.Fail(fact.Unreadable, fmt.Sprintf("%s answers with more than %d MiB", shown(u), maxBody>>20), "a rule file for the exporter that leaves out what is exported for each partition"))
	}
	r.took = time.Since(began)
	t.Ledger.Note("request", "GET "+shown(u), int64(len(body)), r.took)
	return body, r, nil
}
