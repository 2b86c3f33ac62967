package diagnosetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Shorthands for values in columns: a group's offsets, settings of topics.

type offsetLine struct {
	group, topic                      string
	partition                         int32
	committed, start, end, lastStable int64
}

type configLine struct {
	topic   string
	minISR  int32
	unclean bool
	others  map[string]string // by setting
}

// offsets reads "GROUP TOPIC-PARTITION COMMITTED START END [LAST-STABLE]";
// committed may be "none". The last stable offset is the end where not given.
func (p *parser) offsets(args []string) error {
	if len(args) != 5 && len(args) != 6 {
		return fmt.Errorf("expected \"offsets GROUP TOPIC-PARTITION COMMITTED START END [LAST-STABLE]\"")
	}
	line := offsetLine{group: args[0], committed: -1}
	var err error
	if line.topic, line.partition, err = topicPartition(args[1]); err != nil {
		return err
	}
	for i, into := range []*int64{&line.committed, &line.start, &line.end, &line.lastStable}[:len(args)-2] {
		word := args[2+i]
		if i == 0 && word == "none" {
			continue
		}
		if *into, err = strconv.ParseInt(word, 10, 64); err != nil || *into < 0 {
			return fmt.Errorf("%q is no offset", word)
		}
	}
	if len(args) == 5 {
		line.lastStable = line.end
	}
	s := &p.short
	same := func(o offsetLine) bool {
		return o.group == line.group && o.topic == line.topic && o.partition == line.partition
	}
	if i := slices.IndexFunc(s.offsets, same); i >= 0 {
		s.offsets[i] = line
	} else {
		s.offsets = append(s.offsets, line)
	}
	if !slices.Contains(s.groups, line.group) {
		s.groups = append(s.groups, line.group)
	}
	return nil
}

func (s *shorthands) ofGroup(group string) (all fact.GroupOffsets) {
	for _, o := range s.offsets {
		if o.group != group {
			continue
		}
		all.Topic = append(all.Topic, o.topic)
		all.Partition = append(all.Partition, o.partition)
		all.Committed = append(all.Committed, o.committed)
		all.LogStart = append(all.LogStart, o.start)
		all.LogEnd = append(all.LogEnd, o.end)
		all.LastStable = append(all.LastStable, o.lastStable)
	}
	return all
}

// settingsGiven is the further settings that a configs line can give, by the word
// for them there.
var settingsGiven = []struct{ word, setting, usual string }{
	{"retention", "retention.ms", "604800000"},
	{"bytes", "retention.bytes", "-1"},
	{"cleanup", "cleanup.policy", "delete"},
}

// configs reads "TOPIC min-isr N [unclean] [retention MS] [bytes N] [cleanup POLICY]".
func (p *parser) configs(args []string) error {
	if len(args) < 3 || args[1] != "min-isr" {
		return fmt.Errorf("expected \"configs TOPIC min-isr N [unclean] [retention MS] [bytes N] [cleanup POLICY]\"")
	}
	n, err := number(args[2])
	if err != nil {
		return fmt.Errorf("min-isr %q, expected a number", args[2])
	}
	line := configLine{topic: args[0], minISR: n, others: map[string]string{}}
	for rest := args[3:]; len(rest) > 0; {
		if rest[0] == "unclean" {
			line.unclean, rest = true, rest[1:]
			continue
		}
		at := slices.IndexFunc(settingsGiven, func(g struct{ word, setting, usual string }) bool { return g.word == rest[0] })
		if at < 0 || len(rest) < 2 {
			return fmt.Errorf("unknown word %q of settings, expected unclean, or retention, bytes or cleanup with a value", rest[0])
		}
		line.others[settingsGiven[at].setting], rest = rest[1], rest[2:]
	}
	s := &p.short
	s.topics = true
	if i := slices.IndexFunc(s.configs, func(c configLine) bool { return c.topic == line.topic }); i >= 0 {
		s.configs[i] = line
	} else {
		s.configs = append(s.configs, line)
	}
	return nil
}

// ofTopics is the settings of all topics. The further ones are told only where a
// line gives one of them; others have Kafka's defaults then.
func (s *shorthands) ofTopics() (all fact.TopicConfigs) {
	further := false
	for _, c := range s.configs {
		all.Topics = append(all.Topics, c.topic)
		all.MinISR = append(all.MinISR, c.minISR)
		all.MinISRSource = append(all.MinISRSource, "DYNAMIC_TOPIC_CONFIG")
		all.Unclean = append(all.Unclean, c.unclean)
		further = further || len(c.others) > 0
	}
	for _, g := range settingsGiven {
		column := fact.SettingColumn{Name: g.setting}
		for _, c := range s.configs {
			set := fact.Setting{Value: g.usual, Source: "DEFAULT_CONFIG"}
			if value, ok := c.others[g.setting]; ok {
				set = fact.Setting{Value: value, Source: "DYNAMIC_TOPIC_CONFIG"}
			}
			at := slices.Index(column.Distinct, set)
			if at < 0 {
				at, column.Distinct = len(column.Distinct), append(column.Distinct, set)
			}
			column.Of = append(column.Of, int32(at))
		}
		if further {
			all.Others = append(all.Others, column)
		}
	}
	return all
}

func join(words []string) string {
	plain := make([]string, len(words))
	for i, w := range words {
		plain[i] = strings.TrimPrefix(w, `"`)
	}
	return strings.Join(plain, " ")
}
