package metrics

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// jolokiaReads is the patterns of MBeans that are read, with GET alone: a
// Jolokia that is asked so can change nothing. Topics' own beans are left out
// where they are many.
var jolokiaReads = []string{
	"kafka.server:type=BrokerTopicMetrics,name=*",
	"kafka.network:type=RequestMetrics,request=Produce,*",
	"kafka.network:type=RequestMetrics,request=FetchConsumer,*",
	"kafka.network:type=RequestMetrics,request=FetchFollower,*",
	"kafka.network:type=RequestMetrics,request=Metadata,*",
	"kafka.network:type=RequestMetrics,name=RequestsPerSec,*", // of those above a second time
	"kafka.network:type=RequestMetrics,name=ErrorsPerSec,*",
	"kafka.network:type=RequestChannel,name=RequestQueueSize",
	"kafka.network:type=SocketServer,name=NetworkProcessorAvgIdlePercent",
	"kafka.network:type=Processor,name=IdlePercent,*",
	"kafka.server:type=KafkaRequestHandlerPool,*",
	"kafka.server:type=ReplicaManager,*",
	"kafka.server:type=ReplicaFetcherManager,*",
	"kafka.server:type=DelayedOperationPurgatory,name=NumDelayedOperations,*",
	"kafka.server:type=KafkaServer,name=BrokerState",
	"kafka.server:type=socket-server-metrics,*",
	"kafka.server:type=Produce,*",
	"kafka.server:type=Fetch,*",
	"kafka.server:type=Request,*",
	"kafka.server:type=app-info,*",
	"kafka.controller:type=KafkaController,name=ActiveControllerCount",
	"kafka.controller:type=KafkaController,name=OfflinePartitionsCount",
	"kafka.controller:type=ControllerStats,name=UncleanLeaderElectionsPerSec",
	"kafka.log:type=LogManager,name=OfflineLogDirectoryCount",
	"kafka.log:type=LogFlushStats,*",
	"kafka.log:type=LogCleaner,name=DeadThreadCount",
	"kafka.log:type=LogCleanerManager,name=uncleanable-partitions-count,*",
}

// jolokiaStarted is read by itself: what else the bean has, properties of the
// system among them, may be secret.
const jolokiaStarted = "java.lang:type=Runtime/StartTime"

// jolokiaPaths is what follows /read/ in every request of one look.
func jolokiaPaths() []string {
	var paths []string
	for _, bean := range jolokiaReads {
		paths = append(paths, jolokiaPath(bean))
	}
	return append(paths, jolokiaStarted)
}

// jolokiaAnswer is an answer to one read.
type jolokiaAnswer struct {
	Request struct {
		MBean     string `json:"mbean"`
		Attribute any    `json:"attribute"` // "" where all of them are asked for
	} `json:"request"`
	Value  json.RawMessage `json:"value"`
	Status int             `json:"status"`
	Error  string          `json:"error"`
}

// parseJolokia reads the answer to one read. MBeans that do not exist (404) are
// no samples, and no error; those in seen are left out, and the others added to it.
func parseJolokia(body []byte, seen map[string]bool) ([]sample, error) {
	var a jolokiaAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, probe.Fail(fact.Unreadable, "not the JSON of Jolokia: "+err.Error(), "an address that ends in /jolokia")
	}
	switch a.Status {
	case 200:
	case 404:
		return nil, nil
	case 403:
		return nil, probe.Fail(fact.NotAllowed, "Jolokia refuses to read "+a.Request.MBean+": "+a.Error, "allow read in jolokia-access.xml")
	default:
		return nil, probe.Fail(fact.Unreadable, fmt.Sprintf("Jolokia answers with status %d: %s", a.Status, a.Error), "")
	}
	var beans map[string]map[string]any
	if attribute, one := a.Request.Attribute.(string); one && attribute != "" {
		var value any
		if err := json.Unmarshal(a.Value, &value); err != nil {
			return nil, probe.Fail(fact.Unreadable, "value of "+a.Request.MBean+": "+err.Error(), "")
		}
		beans = map[string]map[string]any{a.Request.MBean: {attribute: value}}
	} else if strings.ContainsRune(a.Request.MBean, '*') {
		if err := json.Unmarshal(a.Value, &beans); err != nil {
			return nil, probe.Fail(fact.Unreadable, "value of "+a.Request.MBean+": "+err.Error(), "")
		}
	} else {
		var one map[string]any
		if err := json.Unmarshal(a.Value, &one); err != nil {
			return nil, probe.Fail(fact.Unreadable, "value of "+a.Request.MBean+": "+err.Error(), "")
		}
		beans = map[string]map[string]any{a.Request.MBean: one}
	}
	var all []sample
	for _, bean := range slices.Sorted(maps.Keys(beans)) {
		if !seen[bean] {
			all = append(all, ofBean(bean, beans[bean])...)
		}
		seen[bean] = true
	}
	return all, nil
}

// ofBean is the samples of one MBean: a metric with several numbers where the
// bean has a name, else a metric for each attribute.
func ofBean(bean string, attributes map[string]any) []sample {
	domain, properties, ok := objectName(bean)
	if !ok {
		return nil
	}
	if domain == "java.lang" && properties["type"] == "Runtime" {
		if ms, told := attributes["StartTime"].(float64); told {
			return []sample{{kind: "process", name: "started", value: ms / 1000}}
		}
	}
	kind, rest, ok := kindOf(flat(domain) + flat(properties["type"]))
	if !ok || rest != "" {
		return nil
	}
	labels := map[string]string{}
	for key, value := range properties {
		if key != "type" && key != "name" {
			labels[flat(key)] = value
		}
	}
	var all []sample
	for _, attribute := range slices.Sorted(maps.Keys(attributes)) {
		value, isNumber := attributes[attribute].(float64)
		if !isNumber || math.IsNaN(value) {
			continue
		}
		s := sample{kind: kind, labels: labels, value: value}
		if name, named := properties["name"]; named {
			s.name, s.of, ok = nameOf(kind, flat(name))
			s.of = attributeOf[flat(attribute)]
			ok = ok && s.of != ""
		} else {
			s.name, s.of, ok = nameOf(kind, flat(attribute))
		}
		if ok {
			all = append(all, s)
		}
	}
	return all
}

var attributeOf = map[string]string{
	"value": "value", "count": "count", "mean": "mean", "max": "max", "min": "min", "oneminuterate": "rate1",
	"50thpercentile": "p50", "75thpercentile": "p75", "95thpercentile": "p95", "98thpercentile": "p98", "99thpercentile": "p99", "999thpercentile": "p999",
}

// objectName takes the name of an MBean apart. The order of properties is the
// server's; a value may be quoted.
func objectName(text string) (domain string, properties map[string]string, ok bool) {
	domain, list, ok := strings.Cut(text, ":")
	if !ok {
		return "", nil, false
	}
	properties = map[string]string{}
	for list != "" {
		key, rest, found := strings.Cut(list, "=")
		if !found {
			return "", nil, false
		}
		value := rest
		if strings.HasPrefix(rest, `"`) {
			end := strings.Index(rest[1:], `"`)
			if end < 0 {
				return "", nil, false
			}
			value, list = rest[1:1+end], strings.TrimPrefix(rest[end+2:], ",")
		} else {
			value, list, _ = strings.Cut(rest, ",")
		}
		properties[key] = value
	}
	return domain, properties, true
}

// jolokiaPath escapes an MBean as part of a GET: "!" is Jolokia's own escape.
func jolokiaPath(bean string) string {
	return strings.NewReplacer("!", "!!", "/", "!/", `"`, "!%22").Replace(bean)
}
