package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ktriage/ktriage/probes/history"
	"github.com/ktriage/ktriage/probes/probe"
	"github.com/ktriage/ktriage/tui/text"
)

// asHistory is what the command history is asked for beside the paths.
type asHistory struct {
	since  time.Duration
	at     string
	topic  string
	group  string
	broker int
	each   bool

	then time.Time // what at says
}

func newHistory(s *settings) *cobra.Command {
	a := &asHistory{since: 6 * time.Hour, broker: -1}
	cmd := &cobra.Command{
		Use: "history [PATH...]", Short: "What changed in the cluster and when, from this node's own logs",
		Long: "What changed in the cluster and when, newest last, from the metadata log that every\n" +
			"KRaft node keeps on its disk, brokers and controllers alike; also with every broker\n" +
			"dead. Brokers also have partitions of __consumer_offsets and __transaction_state: what\n" +
			"befell the groups and transactions of those is told, too; with ZooKeeper, which has no\n" +
			"metadata log, that alone. A PATH is a log dir or a __cluster_metadata-0 in one; without it the log dirs of\n" +
			"this host's broker. What changed alike within seconds is one line, --each shows all.\n" +
			"Files are only read; of this host's own log the quorum is asked, where it answers, how\n" +
			"much of it is committed. Exit status: 0, 2 usage, 3 the log could not be read to its end.",
		RunE: func(cmd *cobra.Command, paths []string) error {
			if cmd.Flags().Changed("broker") && a.broker < 0 {
				return asked(fmt.Errorf("--broker: %d, expected a broker's id", a.broker))
			}
			return s.history(cmd.Context(), a, paths)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&a.since, "since", a.since, "how far back, counted from the newest record; 0 all that is there")
	f.StringVar(&a.at, "at", "", "the state at this `TIME` (2026-11-25T02:06:17Z, 02:06:17, -90m), and what led to it")
	f.StringVar(&a.topic, "topic", "", "only what concerns the topic `NAME`")
	f.StringVar(&a.group, "group", "", "only what concerns the group `NAME`, and how it stands")
	f.IntVar(&a.broker, "broker", -1, "only what concerns the broker `ID`")
	f.BoolVar(&a.each, "each", false, "every partition's change on a line of its own")
	return cmd
}

// history reads the metadata log and says what it tells.
func (s *settings) history(ctx context.Context, a *asHistory, paths []string) error {
	if a.since < 0 {
		return asked(fmt.Errorf("--since: %s, expected a time", a.since))
	}
	var err error
	if a.then, err = text.Moment(a.at, time.Now()); err != nil {
		return asked(fmt.Errorf("--at: %w", err))
	}
	if a.then.After(time.Now()) {
		return asked(fmt.Errorf("--at: %s UTC is yet to come, expected a time that has passed", stampText(a.then)))
	}
	t := s.target()
	defer t.Close()
	dir, places, err := s.metadataDir(ctx, t, paths)
	if err != nil {
		return err
	}
	told := toldHistory{now: t.Now(), as: a}
	want := history.Want{Topic: a.topic, Broker: int32(a.broker), Each: a.each}
	if dir == "" {
		err = s.coordinatorsAlone(ctx, t, &told, want, places)
	} else {
		err = s.fromMetadata(ctx, t, &told, want, dir, paths)
	}
	if err != nil {
		return err
	}
	if s.output == "json" {
		err = told.json(s.out)
	} else {
		err = told.text(s.out)
	}
	if err != nil {
		return err
	}
	if told.cut != nil || len(told.damage()) > 0 || told.groups.broken() {
		return exit(3)
	}
	return nil
}

// fromMetadata reads a metadata log, and what this node has of coordinators'.
func (s *settings) fromMetadata(ctx context.Context, t *probe.Target, h *toldHistory, want history.Want, dir string, paths []string) error {
	h.committed = s.committed(ctx, t, paths)
	l, err := history.Read(ctx, t, dir, history.Options{Since: h.as.since, At: h.as.then, Rate: 200e6, Committed: max(h.committed, 0)})
	if l == nil {
		if errors.Is(err, fs.ErrPermission) {
			return exitWith(3, s, err)
		}
		return asked(err)
	}
	h.Log, h.node, h.cut = l, storedNode(t, filepath.Dir(filepath.Clean(dir))), err
	if h.as.since > 0 {
		want.Since = l.Last.Add(-h.as.since)
	}
	if h.as.group == "" {
		h.changes = l.Cluster.Changes(want)
	}
	if l.First.IsZero() && !l.Next.IsZero() && !h.as.then.IsZero() {
		return asked(fmt.Errorf("--at: %s UTC is before what the metadata log has: it begins at %s", stampText(h.as.then), stampText(l.Next)))
	}
	if h.as.broker < 0 {
		dirs, err := s.coordinatorDirs(ctx, t, dir, paths)
		if err != nil {
			return err
		}
		s.coordinators(ctx, t, h, want, dirs)
	}
	return h.strangers()
}

// strangers is the error of a topic or broker that is asked for and that the log,
// read to its end, knows nothing of: a name with a slip would seem to be one of
// which nothing changed.
func (h *toldHistory) strangers() error {
	if len(h.changes) > 0 || h.cut != nil || len(h.Damage) > 0 {
		return nil
	}
	span := fmt.Sprintf("in the metadata log from %s to %s UTC", stampText(h.First), stampText(h.Last))
	if topic := h.as.topic; topic != "" && !h.Cluster.Knew(topic) {
		return asked(fmt.Errorf("--topic: no topic %.249q %s", topic, span))
	}
	if id := h.as.broker; id >= 0 && h.Cluster.Brokers[int32(id)] == nil && !h.Cluster.Places(int32(id)) {
		return asked(fmt.Errorf("--broker: no broker %d %s", id, span))
	}
	return nil
}

// coordinatorsAlone tells of groups and transactions where there is no metadata
// log, as with ZooKeeper.
func (s *settings) coordinatorsAlone(ctx context.Context, t *probe.Target, h *toldHistory, want history.Want, places []string) error {
	h.node = -1
	none := asked(fmt.Errorf("no %s in %s: name the metadata.log.dir of this node (with ZooKeeper there is none)", history.MetadataDir, strings.Join(places, ", ")))
	places = slices.DeleteFunc(places, func(dir string) bool { return noDirectory(ctx, dir) })
	if h.as.broker >= 0 || len(places) == 0 {
		return none
	}
	for _, dir := range places {
		if h.node = storedNode(t, dir); h.node >= 0 {
			break
		}
	}
	s.coordinators(ctx, t, h, want, places)
	if h.groups.broken() || slices.ContainsFunc(h.groups.readings(), func(r history.Reading) bool { return len(r.Partitions) > 0 }) {
		return nil
	}
	return none
}

// metadataDir finds the metadata log below the paths, or on this host; "" where
// there is none in the places that were looked at.
func (s *settings) metadataDir(ctx context.Context, t *probe.Target, paths []string) (dir string, places []string, err error) {
	places = slices.Clone(paths)
	if len(places) == 0 {
		if places, err = s.ownLogDirs(ctx, t); err != nil {
			return "", nil, err
		}
		places = append(places, s.metadataLogDirs(t)...)
	}
	for _, place := range places {
		if strings.HasPrefix(filepath.Base(place), "__cluster_metadata") {
			return place, places, nil
		}
		if info, err := stat(place); err == nil && info.Mode().IsRegular() {
			return "", nil, asked(fmt.Errorf("%s is a file, expected a log dir or the %s in it", place, history.MetadataDir))
		}
		dir := filepath.Join(place, history.MetadataDir)
		if !noDirectory(ctx, dir) {
			return dir, places, nil
		}
	}
	return "", places, nil
}

// metadataLogDirs is what this host's brokers have configured apart.
func (s *settings) metadataLogDirs(t *probe.Target) []string {
	var dirs []string
	for _, set := range s.configured(t) {
		if dir := set["metadata.log.dir"]; dir != "" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// configured is the properties of --broker-config and of this host's brokers, as far
// as they can be read.
func (s *settings) configured(t *probe.Target) (all []map[string]string) {
	files := []string{s.brokerConfig}
	for _, b := range t.Brokers() {
		files = append(files, t.PathOf(b.PID, b.Config))
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		raw, err := t.ReadFile(file, maxProperties)
		if err != nil {
			continue
		}
		if set, err := parseProperties(file, raw); err == nil {
			all = append(all, set)
		}
	}
	return all
}

// storedNode is the node id in the meta.properties of a log dir, which calls it
// broker.id with ZooKeeper; -1 where it does not say.
func storedNode(t *probe.Target, dir string) int {
	file := filepath.Join(dir, "meta.properties")
	raw, err := t.ReadFile(file, maxProperties)
	if err != nil {
		return -1
	}
	set, err := parseProperties(file, raw)
	if err != nil {
		return -1
	}
	if id, err := strconv.Atoi(cmp.Or(set["node.id"], set["broker.id"])); err == nil {
		return id
	}
	return -1
}
