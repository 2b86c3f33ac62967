package diagnose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// Signs of how a host, its network and its listeners are set up.

// expiresSoon is how long before its end a certificate is worth a word.
const expiresSoon = 14 * 24 * time.Hour

var certificateExpired = &Sign{
	ID: "certificate-expired", Title: "the certificate of a listener is not valid now", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "A certificate that a TLS listener of the broker shows, or one of the authorities' sent with it, has expired, or is not valid yet: clients that check it refuse the connection.",
	Needs: []fact.Key{fact.Certificates},
	Test: func(v *View) Reading {
		all, _ := fact.Certificates.Latest(v, v.Subject)
		first, at, told := ends(all)
		for _, c := range all {
			if c.Untold == "" && v.Now().Before(c.NotBefore) {
				return yes("the certificate at %s is valid from %s only: a clock, or a new certificate too early", c.Address, c.NotBefore.UTC().Format(time.DateTime))
			}
		}
		switch {
		case !told:
			return notApplicable("no TLS listener shows a certificate")
		case v.Now().After(first):
			return since(first, yes("the certificate at %s expired at %s UTC", at, first.UTC().Format(time.DateTime)))
		}
		return no("valid until %s", first.UTC().Format(time.DateOnly))
	},
}

var certificateEnds = &Sign{
	ID: "certificate-ends-soon", Title: "the certificate of a listener expires soon", On: fact.Broker, Trouble: true, Leak: 0.001,
	Doc:   "A certificate that a TLS listener of the broker shows, or one of the authorities' sent with it, expires within 14 days, or has.",
	Needs: []fact.Key{fact.Certificates},
	Test: func(v *View) Reading {
		all, _ := fact.Certificates.Latest(v, v.Subject)
		first, at, told := ends(all)
		if !told {
			return notApplicable("no TLS listener shows a certificate")
		}
		left := first.Sub(v.Now())
		if left > expiresSoon {
			return no("valid until %s", first.UTC().Format(time.DateOnly))
		}
		return yes("the certificate at %s ends on %s, in %.0f days", at, first.UTC().Format(time.DateOnly), max(0, left.Hours()/24))
	},
}

// ends is when the first of some certificates, or of their authorities', ends,
// and where that one is.
func ends(all []fact.ListenerCertificate) (first time.Time, at string, told bool) {
	for _, c := range all {
		end := c.NotAfter
		if !c.ChainEnds.IsZero() && c.ChainEnds.Before(end) {
			end = c.ChainEnds
		}
		if c.Untold == "" && !end.IsZero() && (!told || end.Before(first)) {
			first, at, told = end, c.Address, true
		}
	}
	return first, at, told
}

var mountRisksData = &Sign{
	ID: "mount-risks-data", Title: "its file system is mounted at the cost of data", On: fact.LogDir, Trouble: true, Leak: 0.001,
	Doc:   "The file system of the log dir is mounted with barriers off (barrier=0, nobarrier) or data=writeback: after a power loss of the host records that were written can be gone, on every broker of that power supply.",
	Needs: []fact.Key{fact.DirMount},
	Test: func(v *View) Reading {
		m, _ := fact.DirMount.Latest(v, v.Subject)
		if option, any := mountedWith(m, "barrier=0", "nobarrier", "data=writeback"); any {
			return yes("%s on %s is mounted %s", m.Type, m.Point, option)
		}
		return no("%s on %s is mounted without such options", m.Type, m.Point)
	},
}

var kernelNotTuned = &Sign{
	ID: "kernel-not-tuned", Title: "kernel settings are against a broker", On: fact.Process, Trouble: true, Leak: 0.001,
	Doc:  "The host has swap and vm.swappiness is above 10, so that a heap goes to swap for the page cache's sake; or transparent huge pages are on for all (always).",
	Uses: []fact.Key{fact.Sysctls, fact.SwapTotal, fact.HugePages, fact.BrokerProcess},
	Subjects: func(v *View) []fact.Subject {
		return fact.BrokerProcess.Subjects(v)
	},
	Test: func(v *View) Reading {
		var wrong []string
		known := false
		for _, host := range fact.Sysctls.Subjects(v) {
			set, ok := fact.Sysctls.Latest(v, host)
			swap, ok2 := fact.SwapTotal.Latest(v, host)
			n, err := strconv.Atoi(set["vm.swappiness"])
			known = known || ok && ok2
			if ok && ok2 && err == nil && swap > 0 && n > 10 {
				wrong = append(wrong, fmt.Sprintf("vm.swappiness=%d with %s of swap", n, size(swap)))
			}
		}
		for _, host := range fact.HugePages.Subjects(v) {
			pages, ok := fact.HugePages.Latest(v, host)
			known = known || ok
			if ok && pages.Enabled == "always" {
				wrong = append(wrong, "transparent huge pages are always on")
			}
		}
		switch {
		case len(wrong) > 0:
			return yes("%s", listed(wrong))
		case !known:
			return cannotTell(v.why(fact.Sysctls))
		}
		return no("swappiness and huge pages are as they should be")
	},
}

var bytesHeldBack = &Sign{
	ID: "bytes-held-back", Title: "it sends at one rate while bytes wait", On: fact.Process, Trouble: true, Leak: 0.002,
	Doc:   "Over half a minute the rate at which an interface of the broker sends stays within a tenth of itself, 100 kB/s or more, while bytes wait at each look, in the queue of the interface or in the broker's sockets: something caps it. The speed that the link claims need not be near.",
	Needs: []fact.Key{fact.SocketsUnsent},
	Uses:  []fact.Key{fact.NetTxBytes, fact.NetBacklog},
	Test: func(v *View) Reading {
		const window, looks, flat, least = 30 * time.Second, 5, 0.1, 1e5
		waiting, seen := lowest(v, fact.SocketsUnsent, v.Subject, window)
		devices, suspected := fact.NetTxBytes.Subjects(v), false
		if waiting > 0 && len(devices) == 0 {
			return cannotTell(v.why(fact.NetTxBytes))
		}
		for _, device := range devices {
			if device.Name == "lo" || strings.HasSuffix(device.Name, ":lo") {
				continue // nothing caps a loopback: a steady load is flat, too
			}
			queued, _ := lowest(v, fact.NetBacklog, device, window)
			low, high, n := spread(v, fact.NetTxBytes, device, window)
			if n > 0 && (low < least || (high-low)/high > flat) || queued+waiting <= 0 {
				continue // more looks cannot make it flat, or fast, or waiting at each
			}
			if suspected = true; min(n+1, seen) < looks {
				continue
			}
			return yes("%s sends %s/s, never more, while %s or more wait", device.Name, size(high), size(max(queued, waiting)))
		}
		if suspected {
			return notYet("wants some looks more")
		}
		return no("it sends what there is to send")
	},
}

// lowest is the least value of a gauge over a window, and of how many looks.
func lowest(v *View, k fact.Of[float64], s fact.Subject, window time.Duration) (least float64, looks int) {
	for _, sample := range v.Past(k.Def(), s) {
		if x, isNumber := sample.Value.(float64); isNumber && v.Now().Sub(sample.At) <= window {
			if looks++; looks == 1 || x < least {
				least = x
			}
		}
	}
	return least, looks
}

// spread is the least and the greatest rate of a counter over a window, and of how
// many pairs of looks.
func spread(v *View, k fact.Of[float64], s fact.Subject, window time.Duration) (low, high float64, pairs int) {
	past := slices.DeleteFunc(slices.Clone(v.Past(k.Def(), s)), func(one fact.Sample) bool { return v.Now().Sub(one.At) > window })
	for i := 1; i < len(past); i++ {
		a, _ := past[i-1].Value.(float64)
		b, _ := past[i].Value.(float64)
		perSecond := max(0, b-a) / max(past[i].At.Sub(past[i-1].At).Seconds(), 0.001)
		if high = max(high, perSecond); i == 1 || perSecond < low {
			low = perSecond
		}
		pairs++
	}
	return low, high, pairs
}
