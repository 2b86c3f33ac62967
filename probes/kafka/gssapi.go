package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/kerberos"
)

// krb5Property is where the settings of a broker name its krb5.conf; in Java it
// is a property of the JVM and stands in no file.
const krb5Property = "java.security.krb5.conf"

// readGSSAPI is the mechanism GSSAPI with a key from a keytab.
func readGSSAPI(settings map[string]string, l login) (sasl.Mechanism, error) {
	file, principal := strings.TrimPrefix(l.options["keyTab"], "file:"), l.options["principal"]
	if file == "" || principal == "" {
		return nil, errors.New(`sasl.jaas.config: useKeyTab=true, keyTab="…" and principal="…" are expected for GSSAPI (ticket caches are not supported)`)
	}
	service := settings["sasl.kerberos.service.name"]
	if service == "" {
		service = l.options["serviceName"]
	}
	if service == "" {
		return nil, errors.New("sasl.kerberos.service.name: absent, expected the first part of the brokers' principal, as kafka")
	}
	where := krb5Conf(settings)
	text, err := readSmall(where, maxStore)
	if err != nil {
		return nil, fmt.Errorf("krb5.conf: %w (KRB5_CONFIG names another one)", err)
	}
	conf, err := parseKrb5(string(text))
	if err != nil {
		return nil, fmt.Errorf("krb5.conf: %s: %w", where, err)
	}
	content, err := readSmall(file, maxStore)
	if err != nil {
		return nil, fmt.Errorf("sasl.jaas.config: keyTab: %w", err)
	}
	keys, err := parseKeytab(content)
	if err != nil {
		return nil, fmt.Errorf("sasl.jaas.config: keyTab: %s: %w", file, err)
	}
	name, realm, ok := strings.Cut(principal, "@")
	if !ok {
		realm = conf.LibDefaults.DefaultRealm
	}
	c := client.NewWithKeytab(name, realm, keys, conf, client.DisablePAFXFAST(true))
	return &ticketed{kerberos.Auth{Client: c, Service: service}.AsMechanism(), name + "@" + realm, service}, nil
}

// krb5Conf is the path of krb5.conf: of a broker's JVM, of the environment that
// Kafka's own tools start with, or the system's.
func krb5Conf(settings map[string]string) string {
	if path := settings[krb5Property]; path != "" {
		return path
	}
	if path := os.Getenv("KRB5_CONFIG"); path != "" {
		first, _, _ := strings.Cut(path, ":")
		return first
	}
	for word := range strings.FieldsSeq(os.Getenv("KAFKA_OPTS")) {
		if path, ok := strings.CutPrefix(word, "-D"+krb5Property+"="); ok {
			return strings.Trim(path, `"'`)
		}
	}
	return "/etc/krb5.conf"
}

// parseKrb5 reads a krb5.conf. KDCs are asked by TCP: by UDP a dead one is only
// known after seconds.
func parseKrb5(text string) (*config.Config, error) {
	return bounded(func() (*config.Config, error) {
		conf, err := config.NewFromString(text)
		var unsupported config.UnsupportedDirective // include files, and what is unknown: the rest is read
		if err != nil && !errors.As(err, &unsupported) {
			return nil, fmt.Errorf("malformed: %.200w", err)
		}
		conf.LibDefaults.UDPPreferenceLimit = 1
		return conf, nil
	})
}

// parseKeytab reads a keytab. The library's error would repeat the keys.
func parseKeytab(content []byte) (*keytab.Keytab, error) {
	keys, err := bounded(func() (*keytab.Keytab, error) {
		k := keytab.New()
		return k, k.Unmarshal(content)
	})
	if err != nil || len(keys.Entries) == 0 {
		return nil, errors.New("no keytab, expected a file as kadmin's ktadd writes it")
	}
	return keys, nil
}

// ticketed is GSSAPI with a deadline, which the library does not know, for the
// broker's name as Java takes it, and with errors that say what to do.
type ticketed struct {
	sasl.Mechanism
	principal, service string
}

// Authenticate gets a ticket for a broker at host:port.
func (m *ticketed) Authenticate(ctx context.Context, address string) (sasl.Session, []byte, error) {
	type first struct {
		session sasl.Session
		say     []byte
	}
	host := canonical(ctx, address)
	done := make(chan error, 1)
	var f first
	go func() {
		got, err := bounded(func() (g first, err error) {
			g.session, g.say, err = m.Mechanism.Authenticate(ctx, net.JoinHostPort(host, "0"))
			return g, err
		})
		f = got
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, nil, &noTicket{errors.New(m.meaning(err.Error(), host))}
		}
		return f.session, f.say, nil
	case <-ctx.Done():
		return nil, nil, &noTicket{fmt.Errorf("no KDC answered in time: look at the realm of %s in krb5.conf", m.principal)}
	}
}

// canonical is the host of an address; of one that is a number, its name.
func canonical(ctx context.Context, address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if net.ParseIP(host) == nil {
		return host
	}
	if names, err := net.DefaultResolver.LookupAddr(ctx, host); err == nil && len(names) > 0 {
		return strings.TrimSuffix(names[0], ".")
	}
	return host
}

// meaning is what an error of the library says to an operator.
func (m *ticketed) meaning(text, host string) string {
	for _, c := range []struct{ part, say string }{
		{"KDC_ERR_C_PRINCIPAL_UNKNOWN", "the KDC does not know the principal " + m.principal + " of sasl.jaas.config"},
		{"KDC_ERR_S_PRINCIPAL_UNKNOWN", "the KDC does not know " + m.service + "/" + host + ": look at sasl.kerberos.service.name, and address the broker by the name in its principal"},
		{"KDC_ERR_PREAUTH_FAILED", "the KDC rejects the key of " + m.principal + ": the keytab is older than its last password, write it anew"},
		{"KRB_AP_ERR_SKEW", "the clock of this host and that of the KDC differ by too much: set them right"},
		{"matching key not found in keytab", "the keytab has no key of " + m.principal + " in a type that krb5.conf allows: look at it with klist -k"},
		{"Decrypting_Error", "the KDC's answer does not fit the key of " + m.principal + ": the keytab is older than its last password, write it anew"},
		{"Networking_Error", "no KDC answers for the realm of " + m.principal + ": look at krb5.conf"},
		{"KDCs", "no KDC for the realm of " + m.principal + ": look at [realms] in krb5.conf"},
	} {
		if strings.Contains(text, c.part) {
			return c.say
		}
	}
	return fmt.Sprintf("no ticket for %s/%s: %.200s", m.service, host, text)
}
