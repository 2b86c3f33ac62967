package history

import "time"

// groupTypes is what a type of record says of the kind of a group.
var groupTypes = map[int]string{classicGroup: "classic", consumerGroup: "consumer", consumerMember: "consumer", consumerTarget: "consumer", shareGroup: "share", shareMember: "share", shareTarget: "share",
	streamsGroup: "streams", streamsMember: "streams", streamsTarget: "streams"}

// group takes in a record of a group or of a member of it.
func (g *Groups) group(u *unit, one *Group, typ int) {
	if one.State == GroupDead {
		g.alive(u, one)
	}
	one.Type = groupTypes[typ]
	switch typ {
	case classicGroup:
		g.classic(u, one)
	case consumerGroup, shareGroup, streamsGroup:
		g.generation(u, one, int32(g.v.num[epoch]))
	case consumerMember, shareMember, streamsMember:
		id := g.k.text[name]
		if _, had := one.members[id]; !had {
			if g.room == 0 {
				g.Left++
				return
			}
			g.room--
		}
		one.members[id] = g.member(id, &g.v)
		one.State, one.Emptied = GroupStable, time.Time{}
		one.counted()
	}
}

func (g *Groups) member(id string, v *values) Member {
	m := Member{ID: id, Client: g.once(v.text[clientID]), Host: g.once(v.text[host])}
	if v.is(value) {
		m.Instance = v.text[value]
	}
	return m
}

// classic takes in a whole group of the old protocol.
func (g *Groups) classic(u *unit, one *Group) {
	g.room += len(one.members)
	clear(one.members)
	list := g.v.rows[members]
	if !g.v.is(members) {
		list = nil
	}
	for i := range list {
		if g.room == 0 {
			g.Left++
			break
		}
		g.room--
		m := g.member(list[i].text[name], &list[i])
		one.members[m.ID] = m
	}
	if len(list) > 0 {
		one.State, one.Emptied = GroupStable, time.Time{}
	} else if one.State != GroupEmpty {
		one.State, one.Emptied = GroupEmpty, time.UnixMilli(u.at).UTC()
	}
	g.generation(u, one, int32(g.v.num[generation]))
}

// generation takes in the number of a generation.
func (g *Groups) generation(u *unit, one *Group, number int32) {
	was := one.Generation
	if number == was {
		return
	}
	at := time.UnixMilli(u.at).UTC()
	one.Generation, one.Since = number, at
	switch n := len(one.Generations); {
	case n == mostGenerations || n > 0 && g.room == 0:
		one.Generations = append(one.Generations[:0], one.Generations[1:]...)
	case g.room > 0:
		g.room--
	}
	one.Generations = append(one.Generations, Generation{at, number, len(one.members)})
	if was >= 0 {
		one.Rebalances++
		g.say(groupEvent{kind: GenerationChanged, group: one, offset: u.offset, at: u.at, batch: u.batch, before: int64(was), after: int64(number), members: len(one.members)})
	}
}

// counted brings the members of the newest generation up to date: with the new
// protocol they are written apart from it.
func (one *Group) counted() {
	if n := len(one.Generations); n > 0 {
		one.Generations[n-1].Members = len(one.members)
	}
}

// tombstone takes in the end of a group, of a member, or of what is not kept.
func (g *Groups) tombstone(u *unit, one *Group, typ int) {
	at := time.UnixMilli(u.at).UTC()
	switch typ {
	case consumerMember, shareMember, streamsMember:
		if _, had := one.members[g.k.text[name]]; had {
			g.room++
			delete(one.members, g.k.text[name])
			one.counted()
		}
		if len(one.members) == 0 && one.State != GroupDead {
			one.State, one.Emptied = GroupEmpty, at
		}
	case classicGroup, consumerGroup, shareGroup, streamsGroup:
		if one.State == GroupDead {
			return
		}
		was := one.Generation
		one.State, one.Deleted, one.batch, one.Generation = GroupDead, at, u.batch, -1
		g.room += len(one.members)
		clear(one.members)
		g.say(groupEvent{kind: GroupDeleted, group: one, offset: u.offset, at: u.at, batch: u.batch, before: int64(was), after: -1})
	}
}

// alive takes back the end of a group: it changed its protocol, where that is
// written in the same batch, or is there again.
func (g *Groups) alive(u *unit, one *Group) {
	if one.batch == u.batch {
		for i := len(g.events) - 1; i >= 0 && g.events[i].batch == u.batch; i-- {
			if e := &g.events[i]; e.kind == GroupDeleted && e.group == one {
				one.Generation = int32(e.before)
				g.events = append(g.events[:i], g.events[i+1:]...)
				break
			}
		}
	}
	one.State, one.Deleted = GroupUnknown, time.Time{}
}

// leastRetention is the shortest offsets.retention.minutes that Kafka takes, and
// usualRetention the one it has by itself.
const (
	leastRetention = time.Minute
	usualRetention = 7 * 24 * time.Hour
)

// gone takes in the end of what was committed for a partition. Kafka writes the
// same when it expires and when somebody deletes it: its age tells which.
func (g *Groups) gone(u *unit, o *Offset) {
	if !o.Gone.IsZero() {
		return
	}
	at := time.UnixMilli(u.at).UTC()
	e := groupEvent{kind: OffsetsExpired, group: o.group, offset: u.offset, at: u.at, batch: u.batch, of: o, before: o.Offset, after: -1, age: -1}
	if !o.At.IsZero() {
		used := o.At
		if o.group.Emptied.After(used) {
			used = o.group.Emptied
		}
		e.age = at.Sub(used)
		least, most := g.keep, g.keep
		if g.keep == 0 {
			least, most = leastRetention, usualRetention
		}
		if e.age < least {
			e.kind = OffsetsDeleted
		}
		e.sure = e.age < least || e.age >= most
	}
	o.Gone, o.marks = at, [2]mark{}
	g.say(e)
}

// groupEvent is a change of a group as it is kept while a log is read.
type groupEvent struct {
	kind          Kind
	group         *Group
	of            *Offset // nil: of the whole group
	offset, batch int64
	at            int64 // milliseconds
	before, after int64 // offsets, or generations; -1: none
	members       int   // of the new generation
	age           time.Duration
	sure          bool // whether it is known to have expired, or to have been deleted
	another       bool // the commits are of two topics of the same name
}

// say keeps an event; the older half gives way where they are too many.
func (g *Groups) say(e groupEvent) {
	if len(g.events) >= mostGroupEvents {
		g.lost += len(g.events) / 2
		g.events = append(g.events[:0], g.events[len(g.events)/2:]...)
	}
	g.events = append(g.events, e)
}
