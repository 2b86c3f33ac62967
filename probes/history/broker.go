package history

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// applyBroker changes what is known of a broker.
func (c *Cluster) applyBroker(typ int, v *values) {
	id := int32(v.num[brokerID])
	switch typ {
	case registerBroker:
		c.register(id, v)
	case unregisterBroker:
		if c.Brokers[id] != nil {
			delete(c.Brokers, id)
			c.tellBroker(BrokerUnregistered, id, "registered", "", fmt.Sprintf("broker %d was unregistered", id))
		}
	case registrationChange:
		if b := c.Brokers[id]; b != nil {
			c.change(b, v)
		}
	case fenceBroker, unfenceBroker:
		if b := c.Brokers[id]; b != nil {
			c.fence(b, typ == fenceBroker)
		}
	}
}

func (c *Cluster) tellBroker(kind Kind, id int32, before, after, text string) {
	c.tell(kind, Subject{"broker", strconv.Itoa(int(id))}, -1, id, before, after, text)
}

func (c *Cluster) register(id int32, v *values) {
	old := c.Brokers[id]
	b := &Broker{ID: id, Epoch: v.num[epoch], Rack: v.text[rack], Fenced: v.num[fenced] != 0, Controlled: v.numberOr(controlled, 0) != 0, LogDirs: -1, Since: time.UnixMilli(c.at), seen: v.uuid[incarnation], starting: true}
	for i := range v.rows[endpoints] {
		e := &v.rows[endpoints][i]
		b.Endpoints = append(b.Endpoints, fmt.Sprintf("%s://%s:%d", e.text[name], e.text[host], uint16(e.num[number])))
		b.protocols = append(b.protocols, int16(e.num[protocol]))
	}
	if v.is(logDirs) {
		b.dirs = slices.Clone(v.uuids[logDirs])
		b.LogDirs = len(b.dirs)
	}
	c.Brokers[id] = b
	at := strings.Join(b.Endpoints, " ")
	switch {
	case old == nil:
		c.tellBroker(BrokerRegistered, id, "", at, fmt.Sprintf("broker %d registered for the first time, at %s", id, at))
	case old.seen != b.seen:
		b.Planned = old.Planned
		text := fmt.Sprintf("broker %d was started again", id)
		if !old.Fenced {
			text += ", before it was missed"
		}
		c.tellBroker(BrokerRegistered, id, strings.Join(old.Endpoints, " "), at, text)
	default:
		c.tellBroker(BrokerRegistered, id, strings.Join(old.Endpoints, " "), at, fmt.Sprintf("broker %d registered again", id))
	}
	if old != nil && old.Fenced && !b.Fenced {
		c.tellBroker(BrokerUnfenced, id, "fenced", "unfenced", fmt.Sprintf("broker %d was unfenced: it serves", id))
	}
}

// change applies a change of a registration, of which only what is written
// changes: 1 is yes, -1 no, 0 nothing said.
func (c *Cluster) change(b *Broker, v *values) {
	if said := v.numberOr(controlled, 0); said != 0 {
		was := b.Controlled
		b.Controlled = said > 0
		if b.Controlled && !was {
			b.Since = time.UnixMilli(c.at)
			c.pardon(b.ID)
			c.tellBroker(ControlledShutdown, b.ID, "serving", "shutting down", fmt.Sprintf("broker %d asked to shut down: planned", b.ID))
		}
	}
	if said := v.numberOr(fenced, 0); said != 0 {
		c.fence(b, said > 0)
	}
	if v.is(logDirs) {
		c.changeDirs(b, v.uuids[logDirs])
	}
}

func (c *Cluster) fence(b *Broker, now bool) {
	was := b.Fenced
	b.Fenced, b.Since, b.starting = now, time.UnixMilli(c.at), false
	switch {
	case now && !was:
		c.pardon(b.ID)
		b.Planned = b.Controlled
		text := fmt.Sprintf("broker %d was fenced without having asked to shut down: it crashed, hung or lost the controller", b.ID)
		if b.Planned {
			text = fmt.Sprintf("broker %d was fenced as the end of its planned shutdown", b.ID)
		}
		c.tellBroker(BrokerFenced, b.ID, "unfenced", "fenced", text)
	case !now && was:
		b.Controlled = false
		c.tellBroker(BrokerUnfenced, b.ID, "fenced", "unfenced", fmt.Sprintf("broker %d was unfenced: it serves", b.ID))
	}
}

func (c *Cluster) changeDirs(b *Broker, dirs []UUID) {
	lost := 0
	for _, d := range b.dirs {
		if !slices.Contains(dirs, d) {
			lost++
		}
	}
	before := b.LogDirs
	b.dirs, b.LogDirs = slices.Clone(dirs), len(dirs)
	if lost > 0 {
		c.tellBroker(LogDirOffline, b.ID, countOf(before, "log dir"), countOf(len(dirs), "log dir"), fmt.Sprintf("broker %d lost %s of %d", b.ID, countOf(lost, "log dir"), before))
	}
}

// lead notes which controller leads the quorum, from a control record.
func (c *Cluster) lead(id, epoch int32) {
	before := c.Controller
	if before == id && c.Epoch == epoch {
		return
	}
	c.moved++
	was := ""
	if before >= 0 {
		was = strconv.Itoa(int(before))
	}
	c.Controller, c.Epoch = id, epoch
	text := fmt.Sprintf("controller %d leads the quorum, epoch %d", id, epoch)
	switch {
	case before == id:
		text += ": elected again"
	case before >= 0:
		text += fmt.Sprintf(", before controller %d", before)
	}
	c.tell(ControllerChanged, Subject{"cluster", ""}, -1, id, was, strconv.Itoa(int(id)), text)
}
