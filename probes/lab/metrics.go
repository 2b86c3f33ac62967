package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The agents that export a broker's MBeans: as Prometheus text, and as JSON.
const (
	exporter = "io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1"
	jolokia  = "org.jolokia:jolokia-agent-jvm:2.1.2:jar:javaagent"
)

// agentOf fetches the jar of an agent with Maven, once.
func agentOf(ctx context.Context, artifact string) (string, error) {
	final := filepath.Join(cacheDir(), strings.ReplaceAll(artifact, ":", "_")+".jar")
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(cacheDir(), 0o755); err != nil {
		return "", fmt.Errorf("fetch an agent: %w", err)
	}
	work, err := os.MkdirTemp(cacheDir(), "fetch")
	if err != nil {
		return "", fmt.Errorf("fetch an agent: %w", err)
	}
	defer os.RemoveAll(work)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy", "-Dartifact="+artifact, "-DoutputDirectory="+work)
	mvn.Dir = work
	if out, err := run(mvn); err != nil {
		return "", fmt.Errorf("fetch an agent: %w: %s", err, lastLines(out, 5))
	}
	jars, err := filepath.Glob(filepath.Join(work, "*.jar"))
	if err != nil || len(jars) != 1 {
		return "", fmt.Errorf("fetch an agent: %d jars came", len(jars))
	}
	return final, os.Rename(jars[0], final)
}

// export gives every node that is to have them its agents.
func (c *Cluster) export(ctx context.Context) error {
	for _, agent := range []struct {
		artifact string
		wanted   bool
		jar      func(*Node) *string
	}{
		{exporter, c.Shape.Metrics, func(n *Node) *string { return &n.metricsJar }},
		{jolokia, c.Shape.Jolokia, func(n *Node) *string { return &n.jolokiaJar }},
	} {
		if !agent.wanted {
			continue
		}
		jar, err := agentOf(ctx, agent.artifact)
		if err != nil {
			return err
		}
		for _, n := range c.Nodes {
			*agent.jar(n) = jar
		}
	}
	return nil
}

// agents is the JVM's options for a node's agents.
func (n *Node) agents() []string {
	var options []string
	if n.metricsPort > 0 {
		options = append(options, fmt.Sprintf("-javaagent:%s=127.0.0.1:%d:%s", n.metricsJar, n.metricsPort, n.metricsConfig()))
	}
	if n.jolokiaPort > 0 { // as most are set up: the port alone, and loopback
		options = append(options, fmt.Sprintf("-javaagent:%s=port=%d,host=127.0.0.1", n.jolokiaJar, n.jolokiaPort))
	}
	return options
}

// metricsConfig is the exporter's configuration: no rules.
func (n *Node) metricsConfig() string { return filepath.Join(n.Dir, "exporter.yml") }

// MetricsURL is where the node's metrics are; "" when it has no exporter.
func (n *Node) MetricsURL() string {
	if n.metricsPort == 0 {
		return ""
	}
	return fmt.Sprintf("http://127.0.0.1:%d/metrics", n.metricsPort)
}

// JolokiaURL is where the node's Jolokia is; "" when it has none.
func (n *Node) JolokiaURL() string {
	if n.jolokiaPort == 0 {
		return ""
	}
	return fmt.Sprintf("http://127.0.0.1:%d/jolokia", n.jolokiaPort)
}

// Metric is the sum of the samples of a node's exporter whose line begins with
// text, as it stands there; how many there are beside it.
func (n *Node) Metric(ctx context.Context, text string) (sum float64, count int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.MetricsURL(), nil)
	if err != nil {
		return 0, 0, fmt.Errorf("read the metrics of node %d: %w", n.ID, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("read the metrics of node %d: %w", n.ID, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, 0, fmt.Errorf("read the metrics of node %d: %w", n.ID, err)
	}
	for line := range strings.Lines(string(body)) {
		if !strings.HasPrefix(line, text) {
			continue
		}
		fields := strings.Fields(line)
		v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil || v != v {
			continue
		}
		sum += v
		count++
	}
	return sum, count, nil
}
