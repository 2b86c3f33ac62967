package host

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes/probe"
)

// Devices says what the devices under the log dirs are.
var Devices = &probe.Probe{
	Name:    "host.devices",
	Doc:     "kind, parts, scheduler, state and error counts of the devices under the log dirs, from /sys",
	Cost:    probe.Free,
	Every:   15 * time.Second,
	Needs:   []*probe.Probe{Brokers},
	Yields:  []fact.Key{fact.BlockDevice},
	Observe: observeDevices,
}

func observeDevices(ctx context.Context, t *probe.Target) ([]fact.Observation, error) {
	keys := []fact.Key{fact.BlockDevice}
	if t.Iostat != nil {
		return Nowhere(keys, &fact.Unknown{Reason: fact.NotAskedFor, Detail: "a captured iostat is looked at, not the disks of this host"}), nil
	}
	dirs := logDirs(t, "host.devices")
	if len(dirs) == 0 {
		return noDirs(t, keys)
	}
	names, err := devices(ctx, t, dirs)
	if len(names) == 0 && err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return Nowhere(keys, noDevice), nil
	}
	var seen []fact.Observation
	for _, name := range names {
		seen = append(seen, fact.BlockDevice.Is(fact.Subject{Scope: fact.Device, Name: name}, deviceInfo(t, name)))
	}
	return seen, nil
}

// block is the directory of a block device in /sys.
type block struct {
	t    *probe.Target
	name string
	dir  string
}

// word is the one line of a file of the device; empty where there is none.
func (b block) word(file string) string {
	text, err := b.t.ReadFile(filepath.Join(b.dir, file), 4<<10)
	if err != nil {
		return ""
	}
	return cut(strings.TrimSpace(string(text)), 300)
}

func (b block) number(file string) float64 {
	v, err := strconv.ParseFloat(b.word(file), 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}

func (b block) has(file string) bool {
	_, err := stat(b.t, filepath.Join(b.dir, file))
	return err == nil
}

// deviceInfo reads what /sys says of a device. What it does not say is left out:
// each kind of device has files of its own.
func deviceInfo(t *probe.Target, name string) fact.DeviceInfo {
	b := block{t, name, t.Root + "/sys/class/block/" + name}
	info := fact.DeviceInfo{Kind: b.kind(), ReadOnly: b.word("ro") == "1"}
	disk := b // a partition has its queue and state from its disk
	if info.Kind == "partition" {
		if link, err := os.Readlink(b.dir); err == nil {
			whole := filepath.Base(filepath.Dir(link))
			info.On = []string{whole}
			disk = block{t, whole, t.Root + "/sys/class/block/" + whole}
		}
	} else if entries, err := os.ReadDir(b.dir + "/slaves"); err == nil {
		for _, e := range entries {
			info.On = append(info.On, e.Name())
		}
		slices.Sort(info.On)
	}
	switch info.Kind {
	case "lvm", "crypt", "multipath", "device-mapper":
		info.Name = b.word("dm/name")
	case "loop":
		info.Name = b.word("loop/backing_file")
	case "md":
		info.Level, info.Degraded = b.word("md/level"), int(b.number("md/degraded"))
	}
	info.Rotational = disk.word("queue/rotational") == "1"
	info.ReadAhead = disk.number("queue/read_ahead_kb") * 1024
	if scheduler, err := ParseChoice([]byte(disk.word("queue/scheduler"))); err == nil {
		info.Scheduler = scheduler
	}
	info.State = disk.word("device/state")
	// SCSI counts in hexadecimal; ext4 counts the errors of its file system.
	if n, err := strconv.ParseUint(disk.word("device/ioerr_cnt"), 0, 52); err == nil {
		info.Errors = float64(n)
	}
	info.Errors += block{t, name, t.Root + "/sys/fs/ext4/" + name}.number("errors_count")
	return info
}

// kind is what a device is, by the files it has in /sys and by its name.
func (b block) kind() string {
	switch {
	case b.has("partition"):
		return "partition"
	case b.has("dm"):
		uuid := b.word("dm/uuid")
		for prefix, kind := range map[string]string{"LVM-": "lvm", "CRYPT-": "crypt", "mpath-": "multipath"} {
			if strings.HasPrefix(uuid, prefix) {
				return kind
			}
		}
		return "device-mapper"
	case b.has("md"):
		return "md"
	}
	for _, k := range []struct{ prefix, kind string }{
		{"loop", "loop"}, {"nvme", "nvme"}, {"vd", "virtio"}, {"xvd", "xen"}, {"zram", "zram"}, {"nbd", "nbd"}, {"rbd", "rbd"}, {"drbd", "drbd"}, {"mmcblk", "mmc"}, {"pmem", "pmem"},
	} {
		if strings.HasPrefix(b.name, k.prefix) {
			return k.kind
		}
	}
	return "disk"
}
