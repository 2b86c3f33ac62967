package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
)

var configFields = []field{{head: "of", wide: 14}, {head: "setting", words: true}, {head: "value", wide: 12}, {head: "set by", wide: 14}}

// settingSigns are the signs that look at settings, by id.
var settingSigns = []string{
	"min-isr-above-replication", "single-replica", "unclean-election-allowed", "message-above-fetch-size", "metadata-version-behind", "software-differs",
	"heap-badly-set", "limits-tight", "replication-throttle-set",
}

// configSheet is what signs say of settings, and every setting that is not
// Kafka's default, or not the same on all brokers.
func configSheet(s *material) sheet {
	if s.past != nil {
		return s.settingsThen()
	}
	var entries []entry
	for _, id := range settingSigns {
		for _, st := range s.signs[id] {
			if st.Outcome != diagnose.NotApplicable {
				entries = append(entries, s.settingSign(st))
			}
		}
	}
	differ := 0
	brokers := s.brokerSettings()
	for _, name := range brokers.names {
		same := brokers.same(name)
		for _, b := range brokers.subjects {
			set, ok := brokers.of[b][name]
			if !ok || same && set.Source == defaultConfig {
				continue
			}
			if !same {
				differ++
			}
			e := s.setting(subject(b, 14), name, set)
			if !same {
				e.say = append(e.say, "brokers differ: "+brokers.values(name))
				e.rank[0] = 2
			}
			entries = append(entries, e)
		}
	}
	if len(brokers.subjects) == 0 {
		entries = append(entries, s.nobody("brokers", fact.BrokerConfigs))
	}
	entries = append(entries, s.topicSettings()...)
	entries = append(entries, s.hostSettings()...)
	about := "settings that are not default"
	if differ > 0 {
		about += ", " + fmt.Sprint(differ) + " not alike on all brokers"
	}
	return listed("CONFIG", about, "no setting differs from Kafka's defaults", configFields, entries,
		order{"what is found, then what is not alike", func(a, b int) bool { return entries[a].rank[0] > entries[b].rank[0] }},
		order{"by whose it is", nil},
		order{"by name", func(a, b int) bool { return entries[a].cells[1] < entries[b].cells[1] }})
}

const defaultConfig = "DEFAULT_CONFIG"

// setting is a line of one setting.
func (s *material) setting(of, name string, set fact.Setting) entry {
	by := strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(set.Source, "_CONFIG"), "_", " "))
	return entry{key: of + name, name: 1, mark: span{s.glyphs.neutral, dim}, rank: []float64{0}, cells: []string{of, name, set.Value, by},
		say: []string{fmt.Sprintf("%s of %s is %s, from %s", name, of, set.Value, set.Source)}}
}

// settingSign is a line of a sign that looks at settings.
func (s *material) settingSign(st *diagnose.SignState) entry {
	e := entry{key: st.Sign.ID + st.Subject.String(), name: 1, mark: s.markOf(st), found: st.Outcome == diagnose.Yes, rank: []float64{0}, cells: []string{subject(st.Subject, 14), st.Sign.Title, string(st.Outcome), ""}}
	switch st.Outcome {
	case diagnose.Yes:
		e.rank[0] = 3
	case diagnose.Unknown:
		e.unknown = because(st.Because)
		if e.rank[0] = 1; st.Because != nil && st.Because.Reason == fact.NotObserved {
			e.rank[0] = -1
		}
	}
	e.say = []string{st.Sign.Title + ": " + st.Sign.Doc}
	if st.Outcome != diagnose.Unknown {
		e.say = append([]string{signText(st)}, e.say...)
	}
	return e
}

// brokerSettings is what brokers tell of their settings.
type brokerSettings struct {
	subjects []fact.Subject
	names    []string
	of       map[fact.Subject]map[string]fact.Setting
}

func (s *material) brokerSettings() brokerSettings {
	all := brokerSettings{of: map[fact.Subject]map[string]fact.Setting{}}
	for _, b := range fact.BrokerConfigs.Subjects(s.facts) {
		told, ok := fact.BrokerConfigs.Latest(s.facts, b)
		if !ok {
			continue
		}
		all.subjects = append(all.subjects, b)
		all.of[b] = map[string]fact.Setting{}
		for _, one := range told {
			all.of[b][one.Name] = one.Setting
			if !slices.Contains(all.names, one.Name) {
				all.names = append(all.names, one.Name)
			}
		}
	}
	slices.Sort(all.names)
	return all
}

// ownSettings are different on each broker of any cluster.
var ownSettings = []string{"node.id", "broker.id", "broker.rack", "listeners", "advertised.listeners", "log.dir", "log.dirs", "host.name", "advertised.host.name"}

// same says whether all brokers have a setting alike, as far as it should be.
func (b brokerSettings) same(name string) bool {
	if slices.Contains(ownSettings, name) || len(b.subjects) == 0 {
		return true
	}
	first, ok := b.of[b.subjects[0]][name]
	for _, on := range b.subjects[1:] {
		if set, has := b.of[on][name]; has != ok || set.Value != first.Value {
			return false
		}
	}
	return true
}

func (b brokerSettings) values(name string) string {
	var all []string
	for _, on := range b.subjects {
		value := "not told"
		if set, ok := b.of[on][name]; ok {
			value = set.Value
		}
		all = append(all, on.Name+": "+value)
	}
	return strings.Join(all, ", ")
}

// topicSettings is what topics have of their own.
func (s *material) topicSettings() []entry {
	configs, ok := fact.Configs.Latest(s.facts, fact.TheCluster)
	if !ok {
		return []entry{s.nobody("topics", fact.Configs)}
	}
	var entries []entry
	for i, topic := range configs.Topics {
		of := "topic " + middle(clean(topic), 40)
		if i < len(configs.MinISRSource) && i < len(configs.MinISR) && strings.HasPrefix(configs.MinISRSource[i], "DYNAMIC_TOPIC") {
			entries = append(entries, s.setting(of, "min.insync.replicas", fact.Setting{Value: fmt.Sprint(configs.MinISR[i]), Source: configs.MinISRSource[i]}))
		}
		for _, column := range configs.Others {
			if set, ok := column.At(i); ok && strings.HasPrefix(set.Source, "DYNAMIC_TOPIC") {
				entries = append(entries, s.setting(of, column.Name, set))
			}
		}
	}
	return entries
}

// hostSettings is the options of JVMs and the kernel's settings.
func (s *material) hostSettings() []entry {
	var entries []entry
	for _, on := range fact.JVMFlagsSet.Subjects(s.facts) {
		flags, ok := fact.JVMFlagsSet.Latest(s.facts, on)
		if !ok {
			continue
		}
		for _, option := range flags.Options {
			name, value, _ := strings.Cut(option, "=")
			e := s.setting("JVM "+processName(on), name, fact.Setting{Value: value, Source: "JVM option"})
			e.say = []string{option + ", from " + strings.Join(flags.Sources, ", ")}
			entries = append(entries, e)
		}
	}
	for _, on := range fact.Sysctls.Subjects(s.facts) {
		all, _ := fact.Sysctls.Latest(s.facts, on)
		names := make([]string, 0, len(all))
		for name := range all {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			entries = append(entries, s.setting(subject(on, 14), name, fact.Setting{Value: all[name], Source: "kernel"}))
		}
	}
	return entries
}
