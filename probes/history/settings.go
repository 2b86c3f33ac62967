package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// resources are Kafka's numbers of what has settings.
var resources = map[int64]string{2: "topic", 4: "broker", 8: "broker-logger", 16: "client-metrics", 32: "group"}

func (c *Cluster) setConfig(v *values) {
	scope := resources[v.num[resourceType]]
	if scope == "" {
		scope = fmt.Sprintf("resource %d", v.num[resourceType])
	}
	of, key := [2]string{scope, v.text[host]}, v.text[name]
	before, had := c.configs[of][key]
	after, has := "", v.is(value)
	if has {
		after = v.text[value]
		if secret(key) {
			after = hidden
		}
	}
	if had && has && before == after && after != hidden {
		return // set to what it was
	}
	if has {
		if c.configs[of] == nil {
			c.configs[of] = map[string]string{}
		}
		c.configs[of][key] = after
	} else {
		if delete(c.configs[of], key); len(c.configs[of]) == 0 {
			delete(c.configs, of)
		}
	}
	if c.quiet {
		return
	}
	subject, broker, topic := Subject{scope, of[1]}, int32(-1), int32(-1)
	if scope == "broker" {
		if n, err := strconv.ParseInt(of[1], 10, 32); err == nil {
			broker = int32(n)
		} else {
			subject = Subject{"cluster", ""} // the default of all brokers
		}
	}
	if i, ok := c.byName[of[1]]; ok && scope == "topic" {
		topic = i
	}
	whose := strings.TrimSpace(subject.Scope + " " + subject.Name)
	if subject.Scope == "cluster" {
		whose = "all brokers"
	}
	text := fmt.Sprintf("%s of %s was set to %s, before %s", key, whose, after, orDefault(before, had))
	if !has {
		text = fmt.Sprintf("%s of %s was removed, before %s", key, whose, orDefault(before, had))
	}
	show := func(value string, there bool) string {
		if !there {
			return ""
		}
		return key + "=" + value
	}
	c.tell(ConfigChanged, subject, topic, broker, show(before, had), show(after, has), text)
}

func orDefault(value string, had bool) string {
	if !had {
		return "the default"
	}
	return value
}

func (c *Cluster) setQuota(v *values) {
	var parts []string
	for i := range v.rows[entity] {
		e := &v.rows[entity][i]
		called := "<default>"
		if e.is(value) {
			called = e.text[value]
		}
		parts = append(parts, e.text[name]+"="+called)
	}
	slices.Sort(parts)
	whose, key := strings.Join(parts, ","), v.text[name]
	before, had := c.quotas[whose+"\x00"+key]
	show := func(x float64, there bool) string {
		if !there {
			return ""
		}
		return key + "=" + strconv.FormatFloat(x, 'f', -1, 64)
	}
	was := show(before, had)
	if v.num[remove] != 0 {
		delete(c.quotas, whose+"\x00"+key)
		c.tell(QuotaChanged, Subject{"client", whose}, -1, -1, was, "", fmt.Sprintf("quota %s of %s was removed, before %s", key, whose, orNone(was)))
		return
	}
	c.quotas[whose+"\x00"+key] = v.real
	now := show(v.real, true)
	c.tell(QuotaChanged, Subject{"client", whose}, -1, -1, was, now, fmt.Sprintf("quota of %s: %s, before %s", whose, now, orNone(was)))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

var (
	aclResources   = []string{"", "any", "topic", "group", "cluster", "transactional-id", "delegation-token", "user"}
	aclPatterns    = []string{"", "any", "match", "literal", "prefixed"}
	aclOperations  = []string{"", "any", "all", "read", "write", "create", "delete", "alter", "describe", "cluster-action", "describe-configs", "alter-configs", "idempotent-write", "create-tokens", "describe-tokens", "two-phase-commit"}
	aclPermissions = []string{"", "any", "deny", "allow"}
)

// word is the name of a number, or the number.
func word(words []string, n int64) string {
	if n > 0 && n < int64(len(words)) {
		return words[n]
	}
	return strconv.FormatInt(n, 10)
}

func (c *Cluster) setACL(typ int, v *values) {
	id := v.uuid[aclID]
	if typ == aclRemoved {
		before, ok := c.acls[id]
		if !ok {
			before = "an ACL from before the log begins"
		}
		delete(c.acls, id)
		c.tell(ACLRemoved, Subject{"cluster", ""}, -1, -1, before, "", "ACL removed: "+before)
		return
	}
	pattern := ""
	if word(aclPatterns, v.num[patternType]) != "literal" {
		pattern = " (" + word(aclPatterns, v.num[patternType]) + ")"
	}
	text := fmt.Sprintf("%s %s to %s on %s %s%s from %s", word(aclPermissions, v.num[permission]), v.text[principal], word(aclOperations, v.num[operation]),
		word(aclResources, v.num[resourceType]), v.text[name], pattern, v.text[host])
	c.acls[id] = text
	c.tell(ACLAdded, Subject{"cluster", ""}, -1, -1, "", text, "ACL added: "+text)
}

var mechanisms = []string{"", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// setUser notes that a user has credentials; which, nobody is told.
func (c *Cluster) setUser(has bool, v *values) {
	how := word(mechanisms, v.num[mechanism])
	user := v.text[name]
	key := user + "\x00" + how
	had := c.users[key]
	show := func(there bool) string {
		if !there {
			return ""
		}
		return how
	}
	text := fmt.Sprintf("credentials of user %s: %s set", user, how)
	switch {
	case !has:
		delete(c.users, key)
		text = fmt.Sprintf("credentials of user %s: %s removed", user, how)
	case had:
		text = fmt.Sprintf("credentials of user %s: %s set anew", user, how)
	}
	if has {
		c.users[key] = true
	}
	c.tell(UserChanged, Subject{"user", user}, -1, -1, show(had), show(has), text)
}

func (c *Cluster) setFeature(v *values) {
	before, had := c.Features[v.text[name]]
	after := int16(v.num[level])
	if after == 0 {
		delete(c.Features, v.text[name])
	} else {
		c.Features[v.text[name]] = after
	}
	if had && before == after || !had && after == 0 {
		return
	}
	show := func(level int16) string {
		if level == 0 {
			return ""
		}
		return v.text[name] + "=" + strconv.Itoa(int(level))
	}
	c.tell(FeatureChanged, Subject{"cluster", ""}, -1, -1, show(before), show(after), fmt.Sprintf("feature %s: level %d, before %d", v.text[name], after, before))
}
