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

// exporter is the agent that exports a broker's MBeans as Prometheus text.
const exporter = "io.prometheus.jmx:jmx_prometheus_javaagent:1.0.1"

// exporterJar fetches the agent with Maven, once.
func exporterJar(ctx context.Context) (string, error) {
	final := filepath.Join(cacheDir(), strings.ReplaceAll(exporter, ":", "_")+".jar")
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(cacheDir(), 0o755); err != nil {
		return "", fmt.Errorf("fetch the exporter: %w", err)
	}
	work, err := os.MkdirTemp(cacheDir(), "exporter")
	if err != nil {
		return "", fmt.Errorf("fetch the exporter: %w", err)
	}
	defer os.RemoveAll(work)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "dependency:copy", "-Dartifact="+exporter, "-DoutputDirectory="+work)
	mvn.Dir = work
	if out, err := run(mvn); err != nil {
		return "", fmt.Errorf("fetch the exporter: %w: %s", err, lastLines(out, 5))
	}
	jars, err := filepath.Glob(filepath.Join(work, "*.jar"))
	if err != nil || len(jars) != 1 {
		return "", fmt.Errorf("fetch the exporter: %d jars came", len(jars))
	}
	return final, os.Rename(jars[0], final)
}

// export gives every node that is to have one its exporter.
func (c *Cluster) export(ctx context.Context) error {
	if !c.Shape.Metrics {
		return nil
	}
	jar, err := exporterJar(ctx)
	for _, n := range c.Nodes {
		n.metricsJar = jar
	}
	return err
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
