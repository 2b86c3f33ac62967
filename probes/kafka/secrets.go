package kafka

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// hider knows what must appear nowhere. A broker or a token endpoint may repeat
// in its answer what it was sent.
type hider struct {
	mu    sync.Mutex
	texts []string // longest first
}

// shortest is the length in bytes of the shortest secret that is hidden: to hide
// single letters would tell where they are.
const shortest = 4

// add takes note of a secret and of the forms in which it travels.
func (h *hider) add(text string) {
	if len(text) < shortest {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, form := range []string{text, url.QueryEscape(text), base64.StdEncoding.EncodeToString([]byte(text)), strings.Trim(fmt.Sprintf("%q", text), `"`)} {
		if !slices.Contains(h.texts, form) {
			h.texts = append(h.texts, form)
		}
	}
	slices.SortStableFunc(h.texts, func(a, b string) int { return len(b) - len(a) })
}

// hide is a text without the secrets.
func (h *hider) hide(text string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range h.texts {
		text = strings.ReplaceAll(text, secret, "•••")
	}
	return text
}

// collect takes note of the secret settings.
func (h *hider) collect(settings map[string]string) {
	for name, value := range settings {
		switch {
		case strings.HasSuffix(name, "password"), strings.HasSuffix(name, "secret"), name == "ssl.keystore.key":
			h.add(value)
		case name == "sasl.jaas.config":
			if l, err := parseJAAS(value); err == nil {
				h.collectLogin(l)
			}
		}
	}
}

func (h *hider) collectLogin(l login) {
	for name, value := range l.options {
		secret := name == "clientSecret" || name == "token" || strings.HasSuffix(name, "password")
		if secret || strings.HasPrefix(name, "user_") { // the accounts of a broker with PLAIN
			h.add(value)
		}
	}
}

// Format keeps secrets out of whatever prints them, panics included.
func (h *hider) Format(f fmt.State, _ rune) { io.WriteString(f, "secrets") }

// Format keeps secrets out of whatever prints a security.
func (s *security) Format(f fmt.State, _ rune) { io.WriteString(f, "security settings") }

// Format keeps secrets out of whatever prints a login.
func (l login) Format(f fmt.State, _ rune) { io.WriteString(f, "login by "+l.module) }
