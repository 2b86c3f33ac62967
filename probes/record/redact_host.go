package record

import (
	"regexp"
	"slices"

	"github.com/ktriage/ktriage/diagnose/fact"
)

// host is value for what the host's probes see.
func (r *Redactor) host(v any) any {
	switch v := v.(type) {
	case fact.CrashReport:
		v.File, v.Error, v.Frame = r.path(v.File), r.free(v.Error), r.free(v.Frame)
		return v
	case fact.DeviceInfo: // volumes bear names that people gave, loop devices those of files
		v.Name = r.name("volume", v.Name)
		return v
	case []fact.OOMKill:
		v = slices.Clone(v)
		for i := range v {
			v[i].Name = r.free(v[i].Name)
		}
		return v
	case []fact.KernelLine:
		v = slices.Clone(v)
		for i := range v {
			v[i].Text = r.kernel(v[i].Text)
		}
		return v
	case fact.SocketTable:
		v.Listeners, v.Peers = slices.Clone(v.Listeners), slices.Clone(v.Peers)
		for i := range v.Listeners {
			v.Listeners[i].Address = r.address(v.Listeners[i].Address)
		}
		for i := range v.Peers {
			v.Peers[i].Address = r.address(v.Peers[i].Address)
		}
		return v
	}
	return r.seen(v)
}

// process is how the kernel names the process that it speaks of, as in "task
// java:4711 blocked" and "comm java: ".
var process = regexp.MustCompile(`\b(comm |task )([^\s:]+)(:)`)

// kernel is a line of the kernel's log without names; Java's processes keep theirs.
func (r *Redactor) kernel(text string) string {
	text = process.ReplaceAllStringFunc(text, func(said string) string {
		part := process.FindStringSubmatch(said)
		if part[2] == "java" {
			return said
		}
		return part[1] + r.name("process", part[2]) + part[3]
	})
	return r.free(text)
}
