package lab

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// systemctl is a script that hands its arguments to this process, one caller at
// a time.
func (t *Toolbox) systemctl() string {
	return fmt.Sprintf(`exec 9>>%[1]s/lock && flock 9 || exit 1
echo "$*" >%[1]s/ask
read -r status said <%[1]s/answer
[ -z "$said" ] || echo "systemctl: $said" >&2
exit "$status"
`, t.bin)
}

// mount is a script that mounts the disk of the lab, which no /etc/fstab has,
// and leaves all else to the host's own.
func (t *Toolbox) mount() string {
	own, err := exec.LookPath("mount")
	if err != nil {
		own = "mount"
	}
	return fmt.Sprintf("case \"$#:$1\" in 1:%s/*) exec %s/systemctl mount \"$1\";; esac\nexec %s \"$@\"\n", t.cluster.Dir, t.bin, own)
}

func (t *Toolbox) serve() {
	defer close(t.done)
	lines := bufio.NewScanner(t.ask)
	for lines.Scan() {
		answer := "0"
		if err := t.unit(strings.Fields(lines.Text())); err != nil {
			answer = "1 " + strings.ReplaceAll(err.Error(), "\n", "; ")
		}
		fmt.Fprintln(t.answer, answer)
	}
}

// obeys is how long a node may take to stop before it is killed: what
// TimeoutStopSec of a unit is, in the lab's haste.
const obeys = 15 * time.Second

// unit does what systemctl would.
func (t *Toolbox) unit(args []string) error {
	if len(args) == 1 && args[0] == "daemon-reload" {
		return nil
	}
	if len(args) < 2 {
		return fmt.Errorf("%q: a verb and a unit are expected", strings.Join(args, " "))
	}
	if d := t.cluster.disk; args[0] == "mount" && d != nil && args[1] == d.dir {
		return d.mount(t.cluster.state)
	}
	n, err := t.nodeOf(args[1])
	if err != nil {
		return err
	}
	verb, more := args[0], args[2:]
	switch {
	case verb == "start" && len(more) == 0:
		return t.start(n)
	case verb == "stop" && len(more) == 0:
		return n.obey()
	case verb == "restart" && len(more) == 0:
		if err := n.obey(); err != nil {
			return err
		}
		return t.start(n)
	case verb == "set-property" && slices.Equal(more, []string{"CPUQuota="}):
		return n.loosen("cpu.cfs_quota_us")
	case verb == "set-property" && slices.Equal(more, []string{"MemoryMax=infinity"}):
		return n.loosen("memory.limit_in_bytes")
	}
	return fmt.Errorf("%q: the lab has no such command", strings.Join(args, " "))
}

func (t *Toolbox) nodeOf(unit string) (*Node, error) {
	id, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(unit, "kafka-"), ".service"), 10, 32)
	i := slices.IndexFunc(t.cluster.Nodes, func(n *Node) bool { return int64(n.ID) == id })
	if err != nil || i < 0 {
		return nil, fmt.Errorf("unit %s not found", unit)
	}
	return t.cluster.Nodes[i], nil
}

func (t *Toolbox) start(n *Node) error {
	if n.Running() {
		return nil // as systemctl does
	}
	if err := n.Start(); err != nil {
		return err
	}
	return t.cluster.state.save(t.cluster)
}

// obey stops a node by SIGTERM, and by SIGKILL where that leads to nothing.
func (n *Node) obey() error {
	if !n.Running() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), obeys)
	defer cancel()
	if n.End(ctx, syscall.SIGTERM) != nil {
		n.kill()
	}
	return nil
}

// loosen takes a limit off the control group that a node is confined to.
func (n *Node) loosen(limit string) error {
	if len(n.cgroups) != 1 {
		return fmt.Errorf("node %d is in %d control groups of its own, 1 is expected", n.ID, len(n.cgroups))
	}
	return setControl(n.cgroups[0], limit, "-1")
}
