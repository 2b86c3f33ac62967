package history

import (
	"net"
	"strings"

	"github.com/ktriage/ktriage/probes/probe"
)

// protocolNames is security protocols by Kafka's numbers.
var protocolNames = []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

// rollOf is where the brokers of a cluster said at their last registration that
// they listen, by id. A listener that names no host or no port is left out.
func rollOf(c *Cluster) []probe.Registration {
	var all []probe.Registration
	for _, b := range c.Nodes() {
		one := probe.Registration{ID: b.ID}
		for i, text := range b.Endpoints {
			listener, address, _ := strings.Cut(text, "://")
			end := probe.Endpoint{Listener: listener, Address: addressIn(address)}
			if i < len(b.protocols) && b.protocols[i] >= 0 && int(b.protocols[i]) < len(protocolNames) {
				end.Protocol = protocolNames[b.protocols[i]]
			}
			if end.Address != "" {
				one.Endpoints = append(one.Endpoints, end)
			}
		}
		all = append(all, one)
	}
	return all
}

// addressIn is a host and a port as they stand in Endpoints, as an address to dial:
// an IPv6 address stands there as it is registered, with brackets or without. ""
// where host or port is missing.
func addressIn(text string) string {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 || text[i+1:] == "0" {
		return ""
	}
	host := strings.TrimSuffix(strings.TrimPrefix(text[:i], "["), "]")
	if host == "" {
		return ""
	}
	return net.JoinHostPort(host, text[i+1:])
}
