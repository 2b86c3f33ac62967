package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// security is how connections are made: nil fields mean without.
type security struct {
	tls       *tls.Config // ServerName is set for each broker
	mechanism sasl.Mechanism
	hidden    *hider
	user      string // that PLAIN or SCRAM logs in; "": another mechanism
	from      string // the configuration of a broker that the settings were taken from; "": the operator's own
}

// protocol is security.protocol as these settings have it.
func (s *security) protocol() string {
	switch {
	case s.mechanism != nil && s.tls != nil:
		return "SASL_SSL"
	case s.mechanism != nil:
		return "SASL_PLAINTEXT"
	case s.tls != nil:
		return "SSL"
	}
	return "PLAINTEXT"
}

// CheckClientConfig says whether connections can be made with the security
// settings of Java client properties. The error names the property and what is
// expected, and never a value that could be secret.
func CheckClientConfig(properties map[string]string) error {
	_, err := readSecurity(properties)
	return err
}

// unsupported is settings that change how a connection is made and that are not
// read: to go on without them would be to connect in another way than asked.
var unsupported = []string{
	"ssl.cipher.suites", "ssl.engine.factory.class", "ssl.provider", "security.providers",
	"sasl.client.callback.handler.class", "sasl.login.callback.handler.class", "sasl.login.class",
}

func readSecurity(given map[string]string) (*security, error) {
	s := &security{hidden: &hider{}}
	s.hidden.collect(given)
	if err := s.read(given); err != nil {
		return nil, &said{s.hidden.hide(err.Error()), err}
	}
	return s, nil
}

func (s *security) read(given map[string]string) error {
	properties, err := provide(given)
	if err != nil {
		return err
	}
	s.hidden.collect(properties)
	for _, name := range unsupported {
		if value := properties[name]; value != "" && !(name == "sasl.login.callback.handler.class" && strings.HasSuffix(value, ".OAuthBearerLoginCallbackHandler")) {
			return fmt.Errorf("%s: not supported, expected to be absent", name)
		}
	}
	protocol := strings.ToUpper(strings.TrimSpace(properties["security.protocol"]))
	switch protocol {
	case "", "PLAINTEXT", "SASL_PLAINTEXT":
	case "SSL", "SASL_SSL":
		if s.tls, err = readTLS(properties); err != nil {
			return err
		}
	default:
		return fmt.Errorf("security.protocol: %.40q, expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", protocol)
	}
	if strings.HasPrefix(protocol, "SASL_") {
		if s.mechanism, s.user, err = readMechanism(properties, s.hidden); err != nil {
			return err
		}
	}
	return nil
}

// loginModules is the class that sasl.jaas.config names for each mechanism.
var loginModules = map[string]string{
	"PLAIN": "PlainLoginModule", "SCRAM-SHA-256": "ScramLoginModule", "SCRAM-SHA-512": "ScramLoginModule",
	"OAUTHBEARER": "OAuthBearerLoginModule", "GSSAPI": "Krb5LoginModule",
}

// readMechanism also returns the user name, where the mechanism has one.
func readMechanism(properties map[string]string, hidden *hider) (m sasl.Mechanism, user string, err error) {
	name := strings.ToUpper(strings.TrimSpace(properties["sasl.mechanism"]))
	if name == "" {
		name = "GSSAPI" // Java's default
	}
	module := loginModules[name]
	if module == "" {
		return nil, "", fmt.Errorf("sasl.mechanism: %.40q is not supported, expected PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI", name)
	}
	login, err := parseJAAS(properties["sasl.jaas.config"])
	if err != nil {
		return nil, "", fmt.Errorf("sasl.jaas.config: %w", err)
	}
	if !strings.HasSuffix(login.module, "."+module) {
		return nil, "", fmt.Errorf("sasl.jaas.config: login module %.80q, expected one that ends in .%s for %s", login.module, module, name)
	}
	switch name {
	case "OAUTHBEARER":
		m, err = readOAuth(properties, login, hidden)
		return m, "", err
	case "GSSAPI":
		m, err = readGSSAPI(properties, login)
		return m, "", err
	}
	user, hasUser := login.options["username"]
	pass, hasPass := login.options["password"]
	if !hasUser || !hasPass {
		return nil, "", fmt.Errorf("sasl.jaas.config: username=\"…\" and password=\"…\" are expected")
	}
	switch name {
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: pass, IsToken: login.options["tokenauth"] == "true"}.AsSha256Mechanism(), user, nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: pass, IsToken: login.options["tokenauth"] == "true"}.AsSha512Mechanism(), user, nil
	}
	return plain.Auth{User: user, Pass: pass}.AsMechanism(), user, nil
}

func readTLS(properties map[string]string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := readTLSVersions(c, properties["ssl.enabled.protocols"]); err != nil {
		return nil, err
	}
	roots, err := readTrust(properties)
	if err != nil {
		return nil, err
	}
	c.RootCAs = roots
	if c.Certificates, err = readKey(properties); err != nil {
		return nil, err
	}
	algorithm, set := properties["ssl.endpoint.identification.algorithm"]
	switch algorithm = strings.TrimSpace(algorithm); {
	case !set || strings.EqualFold(algorithm, "https"):
	case algorithm == "":
		verifyWithoutName(c)
	default:
		return nil, fmt.Errorf("ssl.endpoint.identification.algorithm: %q, expected https or nothing", algorithm)
	}
	return c, nil
}

func readTLSVersions(c *tls.Config, list string) error {
	if strings.TrimSpace(list) == "" {
		return nil
	}
	known := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}
	c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS10
	for name := range strings.SplitSeq(list, ",") {
		v, ok := known[strings.TrimSpace(name)]
		if !ok {
			return fmt.Errorf("ssl.enabled.protocols: %q, expected a list of TLSv1.2 and TLSv1.3", strings.TrimSpace(name))
		}
		c.MinVersion, c.MaxVersion = min(c.MinVersion, v), max(c.MaxVersion, v)
	}
	return nil
}

// verifyWithoutName checks the chain of a broker's certificate and not whom it
// names, as an empty ssl.endpoint.identification.algorithm asks.
func verifyWithoutName(c *tls.Config) {
	c.InsecureSkipVerify = true // of what crypto/tls does by itself: the chain is verified here
	roots := c.RootCAs
	c.VerifyConnection = func(state tls.ConnectionState) error {
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			o.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(o)
		return err
	}
}
