package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// plan decides on nodes, directories, addresses and ports.
func (c *Cluster) plan() error {
	roles := "broker,controller"
	if c.Shape.OwnController || c.Shape.ZooKeeper {
		roles = "broker"
	}
	add := func(id int32, roles, dir string) {
		c.Nodes = append(c.Nodes, &Node{ID: id, Roles: roles, Dir: filepath.Join(c.Dir, dir), Host: "127.0.0.1"})
	}
	for id := int32(1); id <= int32(c.Shape.brokers()); id++ {
		add(id, roles, fmt.Sprintf("b%d", id))
	}
	if c.Shape.ZooKeeper {
		add(zooKeeperID, "zookeeper", "zk")
	} else if c.Shape.OwnController {
		for i := range max(1, c.Shape.Controllers) {
			add(controllerID+int32(i), "controller", fmt.Sprintf("c%d", controllerID+i))
		}
	}
	ports, err := freePorts((5 + len(c.Shape.Listeners)) * len(c.Nodes))
	if err != nil {
		return err
	}
	for i, n := range c.Nodes {
		n.install, n.jvm = c.install, c.Shape.JVM[n.ID]
		n.LogDir = filepath.Join(n.Dir, "data")
		n.Port, n.ControllerPort = ports[i], ports[len(c.Nodes)+i]
		if n.Front = c.Shape.Fronts[n.ID]; n.Front != "" {
			n.FrontPort = ports[2*len(c.Nodes)+i]
		}
		for l, listener := range c.Shape.Listeners {
			if n.IsBroker() {
				n.listeners = append(n.listeners, opened{listener, ports[(3+l)*len(c.Nodes)+i]})
			}
		}
		if c.Shape.Metrics && n.IsBroker() {
			n.metricsPort = ports[len(ports)-1-i]
		}
		if c.Shape.Jolokia && n.IsBroker() {
			n.jolokiaPort = ports[(3+len(c.Shape.Listeners))*len(c.Nodes)+i]
		}
		if c.Shape.TwoDirs && n.IsBroker() {
			n.OtherDir = filepath.Join(n.Dir, "other")
		}
		if c.ofVolume(n) {
			n.MetadataDir = filepath.Join(n.Dir, "metadata")
		}
	}
	if !c.Shape.Namespaces {
		return nil
	}
	var ids []int32
	for _, n := range c.Nodes {
		ids = append(ids, n.ID)
	}
	if c.network, err = newNetwork(ids); err != nil {
		c.network = nil
		return err
	}
	for _, n := range c.Nodes {
		n.Host, n.namespace = c.network.address(n.ID), c.network.nodes[n.ID]
	}
	return nil
}

// ofVolume says whether a node has the volume of the cluster's shape.
func (c *Cluster) ofVolume(n *Node) bool {
	return n.ID == int32(c.Shape.brokers()) && c.Shape.volume() != nil
}

// mountVolume mounts what a node is to have under a log dir.
func (c *Cluster) mountVolume(n *Node) error {
	v, dir := c.Shape.volume(), n.LogDir
	if v.Other {
		dir = n.OtherDir
	}
	if v.Disk {
		return c.newDisk(v, dir)
	}
	options := fmt.Sprintf("size=%dm", v.MiB)
	if v.Inodes > 0 {
		options += fmt.Sprintf(",nr_inodes=%d", v.Inodes)
	}
	return c.state.mount(mountSource, dir, "tmpfs", options)
}

// prepare makes a node's directories and files, formatted storage included.
func (c *Cluster) prepare(n *Node, cluster string) error {
	dirs := []string{n.LogDir}
	if n.OtherDir != "" {
		dirs = []string{n.OtherDir, n.LogDir}
	}
	if n.MetadataDir != "" {
		dirs = append(dirs, n.MetadataDir)
	}
	for _, d := range append(dirs, n.LogsDir()) {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if c.ofVolume(n) {
		if err := c.mountVolume(n); err != nil {
			return err
		}
	}
	if limit := c.Shape.Memory[n.ID]; limit > 0 {
		cgroup, err := c.confine(n, "memory")
		if err == nil {
			err = setControl(cgroup, "memory.limit_in_bytes", fmt.Sprintf("%dm", limit))
		}
		if err != nil {
			return err
		}
	}
	if n.usesTLS() {
		if err := c.certify(n); err != nil {
			return err
		}
	}
	files := map[string]string{
		n.properties(): serverProperties(n, c.Nodes, c.Shape.Settings),
		filepath.Join(n.Dir, "log4j2.properties"): log4j2(),
		filepath.Join(n.Dir, "log4j.properties"):  log4j1(),
	}
	if n.metricsPort > 0 {
		files[n.metricsConfig()] = "lowercaseOutputName: true\n"
	}
	if !c.Shape.ZooKeeper {
		if err := c.format(n, dirs, cluster); err != nil {
			return err
		}
	}
	if c.disk != nil && c.ofVolume(n) {
		if err := c.disk.sync(); err != nil { // what a broker was formatted with survives any fault
			return err
		}
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// format writes what StorageTool would.
func (c *Cluster) format(n *Node, dirs []string, cluster string) error {
	formatted := filepath.Join(c.install.Dir, "formatted")
	meta, err := os.ReadFile(filepath.Join(formatted, "meta.properties"))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		directory := ""
		if strings.Contains(string(meta), "directory.id") {
			directory = newID()
		}
		if err := os.WriteFile(filepath.Join(d, "meta.properties"), []byte(metaProperties(n.ID, cluster, directory)), 0o644); err != nil {
			return err
		}
	}
	boot, err := os.ReadFile(filepath.Join(formatted, "bootstrap.checkpoint"))
	if err != nil {
		return err
	}
	// That of the metadata is the last: the first of log.dirs, or one apart.
	return os.WriteFile(filepath.Join(dirs[len(dirs)-1], "bootstrap.checkpoint"), boot, 0o644)
}
