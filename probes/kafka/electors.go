package kafka

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Settings of a node that name the controllers.
const (
	quorumVoters  = "controller.quorum.voters"
	quorumServers = "controller.quorum.bootstrap.servers"
)

// electorsAtMost bounds the controllers that are asked.
const electorsAtMost = 32

// elect notes the address of a controller; -1 is one whose id is not known.
func (r *roster) elect(id int32, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.electors[address]; ok && known >= 0 || !ok && len(r.electors) >= electorsAtMost {
		return
	}
	r.electors[address] = id
}

// electorsIn notes the controllers that settings of a broker name.
func (r *roster) electorsIn(settings []fact.NamedSetting) {
	for _, s := range settings {
		if s.Name == quorumVoters || s.Name == quorumServers {
			for text := range strings.SplitSeq(s.Value, ",") {
				if id, address, ok := elector(text); ok {
					r.elect(id, address)
				}
			}
		}
	}
}

// elector is a controller as settings name it: "1@host:9093", or "host:9093".
func elector(text string) (id int32, address string, ok bool) {
	id, address = -1, strings.TrimSpace(text)
	if name, rest, cut := strings.Cut(address, "@"); cut {
		n, err := strconv.ParseInt(name, 10, 32)
		if err != nil || n < 0 {
			return -1, "", false
		}
		id, address = int32(n), rest
	}
	host, port, err := net.SplitHostPort(address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || strings.Contains(host, "@") {
		return -1, "", false
	}
	return id, address, true
}

// askedElectors is the controllers to ask, by address. Those of this host's
// properties are known at once; where none is, a broker's own settings name them,
// which it tells also while the quorum is lost.
func (r *roster) askedElectors(ctx context.Context) (addresses []string, err error) {
	for _, b := range r.target.Brokers() {
		for _, text := range b.Quorum {
			if id, address, ok := elector(text); ok {
				r.elect(id, address)
			}
		}
	}
	if r.electorCount() == 0 {
		_, err = r.anyone(ctx, "kafka.voters", r.askElectors)
	}
	r.mu.Lock()
	known := maps.Clone(r.electors)
	r.mu.Unlock()
	at := map[string]string{} // one address a place, rather one whose id is known
	for _, address := range slices.Sorted(maps.Keys(known)) {
		place := r.locate(ctx, address)
		if other, met := at[place]; !met || known[other] < 0 {
			at[place] = address
		}
	}
	return slices.Sorted(maps.Values(at)), err
}

// electorate is the controllers as the active one lists them: what was known
// before is forgotten.
func (r *roster) electorate(nodes []fact.BrokerAddress) {
	if len(nodes) == 0 { // before Kafka 3.9 it does not
		return
	}
	r.mu.Lock()
	clear(r.electors)
	r.mu.Unlock()
	for _, n := range nodes {
		r.elect(n.ID, addressOf(n))
	}
}

func (r *roster) electorCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.electors)
}

func (r *roster) askElectors(ctx context.Context, p *peer) ([]fact.Observation, error) {
	request := kmsg.NewPtrDescribeConfigsRequest()
	one := kmsg.NewDescribeConfigsRequestResource()
	one.ResourceType, one.ResourceName, one.ConfigNames = kmsg.ConfigResourceTypeBroker, p.name, []string{quorumVoters, quorumServers}
	request.Resources = append(request.Resources, one)
	got, err := r.ask(ctx, p, request)
	if err != nil {
		return nil, err
	}
	settings, err := brokerSettingsOf(p, got.(*kmsg.DescribeConfigsResponse))
	if err != nil {
		return nil, err
	}
	r.electorsIn(settings)
	return nil, nil
}
