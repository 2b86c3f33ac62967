package diagnose

import (
	"strings"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of network interfaces.

// Limits of the source.
const (
	badPackets = 0.0001 // of the packets
	linkFull   = 0.8    // of the link's speed
)

// brokerProcesses is the processes of brokers of this host.
func brokerProcesses(v *View) []fact.Subject { return fact.BrokerProcess.Subjects(v) }

var interfacesErr = &Sign{
	ID: "interface-errors", Title: "its interfaces have errors", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:      "Over the last minute 0.01% or more of the packets of an interface were bad when they came, or could not be sent: a cable, a port, a driver. Drops do not count: of what nobody asked for there are always some.",
	Uses:     []fact.Key{fact.BrokerProcess, fact.NetRxErrors, fact.NetTxErrors, fact.NetRxPackets, fact.NetTxPackets},
	Subjects: brokerProcesses,
	Test: func(v *View) Reading {
		const few = 10 // bad packets: fewer are no rate
		worst := no("no interface has errors")
		told := false
		for _, device := range fact.NetRxErrors.Subjects(v) {
			var grew [4]float64
			all := true
			for i, k := range []fact.Of[float64]{fact.NetRxErrors, fact.NetTxErrors, fact.NetRxPackets, fact.NetTxPackets} {
				by, _, ok := fact.Growth(k, v, device, hostWindow)
				grew[i], all = by, all && ok
			}
			bad, packets := grew[0]+grew[1], grew[2]+grew[3]
			if told = told || all; !all || packets == 0 {
				continue
			}
			r := atLeast(bad/packets, badPackets, fact.Ratio, "%s: %.0f of %.0f packets bad", device.Name, bad, packets)
			if bad < few {
				r.Outcome = No
			}
			if r.Outcome == Yes && (worst.Outcome != Yes || r.Value > worst.Value) {
				worst = r
			}
		}
		if told {
			return worst
		}
		if because := v.why(fact.NetRxErrors); because != nil {
			return cannotTell(because)
		}
		return notYet("wants two samples")
	},
}

var linkNearlyFull = &Sign{
	ID: "link-nearly-full", Title: "the link of an interface is nearly full", On: fact.Process, Leak: 0.02,
	Doc:      "Over the last minute an interface sent or received 80% or more of what its link carries, as its driver says. Virtual interfaces and clouds do not say.",
	Uses:     []fact.Key{fact.BrokerProcess, fact.NetSpeed, fact.NetTxBytes, fact.NetRxBytes},
	Subjects: brokerProcesses,
	Test: func(v *View) Reading {
		most := notApplicable("no interface says how fast its link is")
		for _, device := range fact.NetSpeed.Subjects(v) {
			speed, ok := fact.NetSpeed.Latest(v, device)
			if !ok || speed <= 0 || device.Name == "lo" || strings.HasSuffix(device.Name, ":lo") {
				continue
			}
			sent, over, ok1 := rate(fact.NetTxBytes, v, device)
			received, _, ok2 := rate(fact.NetRxBytes, v, device)
			if !ok1 && !ok2 {
				return notYet("wants two samples")
			}
			share := max(sent, received) / speed
			if most.Unit == "" || share > most.Value {
				most = atLeast(share, linkFull, fact.Ratio, "%s carries %s/s, %s of what it can, over %s", device.Name, size(max(sent, received)), percent(share), duration(over))
			}
		}
		return most
	},
}
