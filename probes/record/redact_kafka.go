package record

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// wellKnown is the values of settings, and the names of protocols, that say nothing
// of whose cluster it is: numbers, versions, lists of replicas and Kafka's words.
var wellKnown = regexp.MustCompile(`^(-?[0-9]+(\.[0-9]+)?|[0-9]+\.[0-9]+(\.[0-9]+)?-IV[0-9]+|[0-9:,]+|\*|true|false|delete|compact|delete,compact|compact,delete|` +
	`producer|none|uncompressed|gzip|snappy|lz4|zstd|broker|controller|broker,controller|controller,broker|` +
	`range|roundrobin|sticky|cooperative-sticky|uniform|simple|consumer|connect|share|streams|compatible|sessioned|eager|default)?$`)

// word is a text that is one of Kafka's own, or else a name.
func (r *Redactor) word(kind, real string) string {
	if wellKnown.MatchString(real) {
		return real
	}
	return r.name(kind, real)
}

func (r *Redactor) setting(s *fact.Setting) { s.Value = r.word("value", s.Value) }

// brokerName is a broker as it is called: by its id, which stays, or its address.
func (r *Redactor) brokerName(real string) string {
	if _, err := strconv.Atoi(real); err == nil {
		return real
	}
	return r.address(real)
}

// quota replaces the names of who a quota is for.
func (r *Redactor) quota(q *fact.ClientQuota) {
	kinds := map[string]string{"user": "user", "client-id": "client", "ip": "host"}
	q.Entity = slices.Clone(q.Entity)
	for i := range q.Entity {
		kind, ok := kinds[q.Entity[i].Type]
		if !ok {
			kind = "entity"
		}
		q.Entity[i].Name = r.name(kind, q.Entity[i].Name)
	}
}

func (r *Redactor) roster(v fact.Roster) fact.Roster {
	v.Protocol, v.ProtocolType = r.word("protocol", v.Protocol), r.word("protocol", v.ProtocolType)
	v.Topics = r.all("topic", v.Topics)
	v.Members = slices.Clone(v.Members)
	for i := range v.Members {
		m := &v.Members[i]
		m.ID, m.Client, m.Host = r.name("member", m.ID), r.name("client", m.Client), r.name("host", m.Host)
		m.Instance, m.Rack, m.Regex = r.name("instance", m.Instance), r.name("rack", m.Rack), r.name("regex", m.Regex)
	}
	return v
}

// certificate replaces the names in a certificate.
func (r *Redactor) certificate(c *fact.ListenerCertificate) {
	c.Address, c.Listener, c.Untold = r.address(c.Address), r.name("listener", c.Listener), r.free(c.Untold)
	c.Subject, c.Issuer, c.Names = r.name("subject", c.Subject), r.name("subject", c.Issuer), r.all("host", c.Names)
}
