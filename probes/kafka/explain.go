package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// said is an error in an operator's words around the one it explains.
type said struct {
	text string
	err  error
}

func (s *said) Error() string { return s.text }
func (s *said) Unwrap() error { return s.err }

// explain puts an error of a step into one sentence that says what to do where
// that is known, and takes secrets out of it. The outcome stays.
func (s *security) explain(e *stepError) *stepError {
	text := ""
	switch e.step {
	case fact.TLS:
		text = explainTLS(e, len(s.certificates()) > 0)
	case fact.SASL:
		text = s.explainSASL(e)
	case fact.APIVersions:
		text = s.explainHello(e)
	}
	if text == "" {
		text = e.err.Error()
	}
	if s.from != "" && e.step != fact.Resolve && e.step != fact.Connect {
		text += " (connected as the inter-broker listener of " + s.from + " does; --command-config names other settings)"
	}
	return &stepError{e.step, e.outcome, &said{s.hidden.hide(text), e.err}}
}

func (s *security) certificates() []tls.Certificate {
	if s.tls == nil {
		return nil
	}
	return s.tls.Certificates
}

func explainTLS(e *stepError, withKey bool) string {
	if text := explainCertificate(e.err); text != "" {
		return text
	}
	var header tls.RecordHeaderError
	switch {
	case errors.As(e.err, &header) && string(header.RecordHeader[:4]) == "HTTP":
		return "the port speaks HTTP without TLS: it is no listener of Kafka"
	case errors.As(e.err, &header):
		return "the port does not speak TLS: security.protocol PLAINTEXT or SASL_PLAINTEXT is expected, or another port"
	case e.outcome == fact.Closed:
		return "closed the connection at the first bytes of TLS, as a listener without TLS does: security.protocol PLAINTEXT or SASL_PLAINTEXT may be expected, or another port"
	}
	alert := alertOf(e.err)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(alert, p) })
	}
	switch {
	case alert == "":
		return ""
	case !withKey && has("certificate required", "bad certificate", "handshake failure"):
		return "the broker wants a certificate of the client (" + alert + "): set ssl.keystore.location"
	case has("unknown certificate authority"):
		return "the broker does not trust the authority of the certificate in ssl.keystore.location: its trust store must hold it"
	case has("expired certificate"):
		return "the broker says that the certificate in ssl.keystore.location has expired: renew it"
	case withKey && has("certificate"):
		return "the broker rejects the certificate in ssl.keystore.location (" + alert + "): one signed by an authority in its trust store is expected"
	case has("protocol version"):
		return "the broker speaks none of the offered versions of TLS: look at ssl.enabled.protocols on both sides"
	}
	return "the broker ended the TLS handshake: " + alert
}

// alertOf is the alert that a peer ended TLS by, as "tls: bad certificate"; ""
// for other errors.
func alertOf(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}

// explainCertificate says what is wrong with a broker's certificate.
func explainCertificate(err error) string {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	switch {
	case errors.As(err, &authority):
		return fmt.Sprintf("the broker's certificate%s is signed by an authority that is not trusted here: put that authority's certificate into ssl.truststore.location", described(authority.Cert))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		const day = "2006-01-02 15:04 MST"
		if time.Now().Before(invalid.Cert.NotBefore) {
			return fmt.Sprintf("the certificate of %.100q is valid from %s on: set this host's clock right, or wait", invalid.Cert.Subject.CommonName, invalid.Cert.NotBefore.UTC().Format(day))
		}
		return fmt.Sprintf("the certificate of %.100q expired on %s: renew it in the broker's key store", invalid.Cert.Subject.CommonName, invalid.Cert.NotAfter.UTC().Format(day))
	case errors.As(err, &host):
		return fmt.Sprintf("the broker's certificate names %s and not %s: connect by one of its names, have it reissued, or set ssl.endpoint.identification.algorithm to nothing", namesIn(host.Certificate), host.Host)
	case errors.As(err, &invalid):
		return "the broker's certificate is not valid: " + invalid.Error()
	}
	return ""
}

func described(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" of %.100q, issued by %.100q,", c.Subject.CommonName, c.Issuer.CommonName)
}

func namesIn(c *x509.Certificate) string {
	var names []string
	if c != nil {
		names = slices.Clone(c.DNSNames)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
	}
	if len(names) == 0 {
		return "no host"
	}
	return fmt.Sprintf("%.200s", strings.Join(names[:min(len(names), 8)], ", "))
}

func (s *security) explainHello(e *stepError) string {
	switch {
	case e.outcome != fact.Closed:
		return ""
	case s.tls != nil && len(s.tls.Certificates) == 0:
		return "closed the connection right after the TLS handshake: it may want a certificate of the client (ssl.keystore.location), or be no listener of Kafka"
	case s.tls == nil:
		return "closed the connection at the first request without a word: a port that is not Kafka's does so (JMX, ZooKeeper, a controller), and a broker at its limit of connections"
	}
	return ""
}

func (s *security) explainSASL(e *stepError) string {
	name := s.mechanism.Name()
	var none *noTicket
	switch {
	case errors.As(e.err, &none):
		return name + ": " + none.Error()
	case errors.Is(e.err, kerr.UnsupportedSaslMechanism):
		offers := "none"
		var mechanism *mechanismError
		if errors.As(e.err, &mechanism) && len(mechanism.offered) > 0 {
			offers = fmt.Sprintf("%.200s", strings.Join(mechanism.offered, ", "))
		}
		return fmt.Sprintf("the listener does not offer the mechanism %s, it offers %s: look at sasl.mechanism", name, offers)
	case errors.Is(e.err, kerr.IllegalSaslState):
		return "the listener does not use SASL: security.protocol PLAINTEXT or SSL is expected, or another port"
	case e.outcome == fact.Denied:
		reply := ""
		var answer *replyError
		if errors.As(e.err, &answer) && answer.text != "" {
			reply = fmt.Sprintf(" (it says: %.200s)", strings.Join(strings.Fields(answer.text), " "))
		}
		switch name {
		case "OAUTHBEARER":
			return "the broker rejects the token" + reply + ": look at its scope, audience and issuer, and at the broker's sasl.oauthbearer.* settings"
		case "GSSAPI":
			return "the broker rejects the Kerberos ticket" + reply + ": look at its keytab, at sasl.kerberos.service.name and at the clocks"
		}
		return "the broker rejects the user name or the password of sasl.jaas.config" + reply + ": look whether the user exists for " + name
	case e.outcome == fact.Closed:
		return "closed the connection during " + name + ": older brokers do so when they reject credentials, look at sasl.jaas.config and at sasl.mechanism"
	}
	return ""
}

// mechanismError is the refusal of a mechanism by a listener that has others.
type mechanismError struct {
	err     error
	offered []string
}

func (m *mechanismError) Error() string { return m.err.Error() }
func (m *mechanismError) Unwrap() error { return m.err }

// replyError is what a broker says beside an error code.
type replyError struct {
	err  error
	text string
}

func (r *replyError) Error() string { return r.err.Error() }
func (r *replyError) Unwrap() error { return r.err }
