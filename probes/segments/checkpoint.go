package segments

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxSmall is the most bytes that are read of a checkpoint or the like. A line
// takes up to 290 bytes: a hundred thousand partitions fit many times over.
const maxSmall = 8 << 20

// checkpoint is offsets by partition, "orders-3".
type checkpoint map[string]int64

// counted are the lines of a text file that begins with version 0 and the number
// of lines that follow.
func counted(text string, fields int) ([][]string, error) {
	if text == "" {
		return nil, nil // as a broker takes it: no entries
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if v := strings.TrimSpace(lines[0]); v != "0" {
		return nil, fmt.Errorf("line 1: version %q, expected 0", cut(v))
	}
	if len(lines) < 2 {
		return nil, fmt.Errorf("line 2: missing, expected the number of entries")
	}
	n, err := strconv.Atoi(strings.TrimSpace(lines[1]))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("line 2: %q, expected the number of entries", cut(lines[1]))
	}
	var all [][]string
	for i, line := range lines[2:] {
		words := strings.Fields(line)
		if len(words) == 0 && i == len(lines)-3 {
			break
		}
		if len(words) != fields {
			return nil, fmt.Errorf("line %d: %q, expected %d words", i+3, cut(line), fields)
		}
		all = append(all, words)
	}
	if len(all) != n {
		return nil, fmt.Errorf("%d entries, expected %d as line 2 says", len(all), n)
	}
	return all, nil
}

// cut is the beginning of something that may be long.
func cut(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// parseCheckpoint reads the checkpoint of offsets that a log dir has four of:
//
//	0
//	1
//	orders 3 1042
func parseCheckpoint(text string) (checkpoint, error) {
	lines, err := counted(text, 3)
	if err != nil {
		return nil, err
	}
	c := make(checkpoint, len(lines))
	for i, w := range lines {
		if _, err := strconv.ParseUint(w[1], 10, 31); err != nil {
			return nil, fmt.Errorf("line %d: partition %q, expected a number", i+3, cut(w[1]))
		}
		offset, err := strconv.ParseInt(w[2], 10, 64)
		if err != nil || offset < -1 {
			return nil, fmt.Errorf("line %d: offset %q, expected a number", i+3, cut(w[2]))
		}
		name := w[0] + "-" + w[1]
		if _, twice := c[name]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice", i+3, cut(name))
		}
		c[name] = offset
	}
	return c, nil
}

// epochStart is where a leader's messages begin.
type epochStart struct {
	epoch int32
	start int64
}

// parseEpochs reads a leader-epoch-checkpoint:
//
//	0
//	2
//	0 0
//	3 1042
func parseEpochs(text string) ([]epochStart, error) {
	lines, err := counted(text, 2)
	if err != nil {
		return nil, err
	}
	var all []epochStart
	for i, w := range lines {
		epoch, err := strconv.ParseInt(w[0], 10, 32)
		if err != nil || epoch < 0 {
			return nil, fmt.Errorf("line %d: epoch %q, expected a number", i+3, cut(w[0]))
		}
		start, err := strconv.ParseInt(w[1], 10, 64)
		if err != nil || start < 0 {
			return nil, fmt.Errorf("line %d: offset %q, expected a number", i+3, cut(w[1]))
		}
		if n := len(all); n > 0 && (all[n-1].epoch >= int32(epoch) || all[n-1].start >= start) {
			return nil, fmt.Errorf("line %d: epoch %d from %d on follows epoch %d from %d on, expected both to grow", i+3, epoch, start, all[n-1].epoch, all[n-1].start)
		}
		all = append(all, epochStart{int32(epoch), start})
	}
	return all, nil
}

// epochAt is the epoch that wrote an offset; false before the first entry.
func epochAt(all []epochStart, offset int64) (epoch int32, ok bool) {
	for _, e := range all {
		if e.start > offset {
			break
		}
		epoch, ok = e.epoch, true
	}
	return epoch, ok
}

// properties are the lines of a Java properties file as brokers write them.
func properties(text string) (map[string]string, error) {
	all := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		at := strings.IndexAny(line, "=:")
		if at < 0 {
			return nil, fmt.Errorf("line %d: %q, expected KEY=VALUE", i+1, cut(line))
		}
		all[strings.TrimSpace(line[:at])] = strings.TrimSpace(line[at+1:])
	}
	return all, nil
}

// identity is what meta.properties says of a log dir.
type identity struct {
	node      int64 // -1: not told
	kraft     bool
	cluster   string
	directory string
}

func parseMeta(text string) (identity, error) {
	id := identity{node: -1}
	p, err := properties(text)
	if err != nil {
		return id, err
	}
	id.cluster, id.directory = p["cluster.id"], p["directory.id"]
	key := "broker.id"
	switch v := p["version"]; v {
	case "", "0":
	case "1":
		key, id.kraft = "node.id", true
		if p[key] == "" || id.cluster == "" {
			return id, fmt.Errorf("version 1, expected node.id and cluster.id")
		}
	default:
		return id, fmt.Errorf("version %q, expected 0 or 1", cut(v))
	}
	if p[key] != "" {
		if id.node, err = strconv.ParseInt(p[key], 10, 32); err != nil || id.node < 0 {
			return id, fmt.Errorf("%s %q, expected a number", key, cut(p[key]))
		}
	}
	if id.directory != "" && !isUUID(id.directory) {
		return id, fmt.Errorf("directory.id %q, expected 22 characters of base64", cut(id.directory))
	}
	return id, nil
}

func isUUID(s string) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && len(b) == 16
}

// parsePartitionMetadata reads a partition.metadata, and returns the topic's id.
//
//	version: 0
//	topic_id: 5nzYLMdqQKmuLMSxgV92yA
func parsePartitionMetadata(text string) (topicID string, err error) {
	p, err := properties(text)
	switch {
	case err != nil:
		return "", err
	case p["version"] != "0":
		return "", fmt.Errorf("version %q, expected 0", cut(p["version"]))
	case !isUUID(p["topic_id"]):
		return "", fmt.Errorf("topic_id %q, expected 22 characters of base64", cut(p["topic_id"]))
	}
	return p["topic_id"], nil
}

// parseQuorumState checks the file quorum-state of the metadata log.
func parseQuorumState(text string) error {
	var q struct {
		LeaderEpoch *int64 `json:"leaderEpoch"`
		DataVersion *int64 `json:"data_version"`
	}
	if err := json.Unmarshal([]byte(text), &q); err != nil {
		return err
	}
	if q.LeaderEpoch == nil || *q.LeaderEpoch < 0 || q.DataVersion == nil {
		return fmt.Errorf("no leaderEpoch or no data_version")
	}
	return nil
}
