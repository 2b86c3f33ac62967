package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ktriage/ktriage/diagnose"
	"github.com/ktriage/ktriage/diagnose/fact"
	"github.com/ktriage/ktriage/probes"
	"github.com/ktriage/ktriage/probes/host"
	"github.com/ktriage/ktriage/probes/jstat"
	"github.com/ktriage/ktriage/probes/kafka"
	"github.com/ktriage/ktriage/probes/metrics"
	"github.com/ktriage/ktriage/probes/probe"
)

// settings is what the global flags say.
type settings struct {
	bootstrap     []string
	commandConfig string
	brokerConfig  string
	pid           int
	logDirs       []string
	kafkaLogs     string
	metricsURLs   []string
	gcLog         string
	iostatFile    string
	jstatFile     string
	timeout       time.Duration
	deadline      time.Duration
	samples       int
	every         time.Duration
	only, skip    []string
	symptom       string
	plain         bool
	ascii         bool
	noColor       bool
	output        string
	scan          scanFlag

	client      map[string]string // what commandConfig holds
	iostat      []byte            // what iostatFile holds
	jstat       []byte            // what jstatFile holds
	out, errOut io.Writer
}

func (s *settings) bind(f *pflag.FlagSet) {
	f.StringSliceVar(&s.bootstrap, "bootstrap-server", nil, "ask these brokers, `HOST:PORT,...`; without it the broker of this host")
	f.StringVar(&s.commandConfig, "command-config", "", "Java client properties, the `FILE` that kafka-topics.sh takes")
	f.StringVar(&s.brokerConfig, "broker-config", "", "server.properties of this host's broker: `FILE`, where it is not found")
	f.IntVar(&s.pid, "pid", 0, "the broker's `PID`, where there are several on this host")
	f.StringSliceVar(&s.logDirs, "log-dir", nil, "log dirs, `DIR,...`, where they are not found")
	f.StringVar(&s.kafkaLogs, "kafka-logs", "", "the `DIR` of server.log, where it is not found")
	f.StringSliceVar(&s.metricsURLs, "metrics-url", nil, "metrics of a broker, `URL`: a jmx_exporter, Strimzi's reporter or Jolokia; ID=URL says whose; repeatable")
	f.StringVar(&s.gcLog, "gc-log", "", "the GC log `FILE` of this host's broker, where it is not found")
	f.StringVar(&s.iostatFile, "iostat-file", "", "output of iostat -x instead of this host's disks: `FILE`, or - for standard input")
	f.StringVar(&s.jstatFile, "jstat-file", "", "captured output of jstat, `FILE` or -, in place of this host's JVM")
	f.DurationVar(&s.timeout, "timeout", 5*time.Second, "for each broker and probe")
	f.DurationVar(&s.deadline, "deadline", 15*time.Second, "for a whole check")
	f.IntVar(&s.samples, "samples", 2, "how often a check looks")
	f.DurationVar(&s.every, "every", 2*time.Second, "time between the samples of a check")
	f.StringSliceVar(&s.only, "only", nil, "run only each `PROBE,...` and what it needs")
	f.StringSliceVar(&s.skip, "skip", nil, "do not run any `PROBE,...` named here")
	f.StringVar(&s.symptom, "symptom", "", "what is reported, a `FAULT` as consumer-lag: where to look first")
	f.BoolVar(&s.plain, "plain", false, "text instead of the console")
	f.BoolVar(&s.ascii, "ascii", false, "draw with ASCII only")
	f.BoolVar(&s.noColor, "no-color", false, "no colours (also NO_COLOR)")
	s.scan = scanFlag{256 << 20}
	f.Var(&s.scan, "scan", "how much of each log dir's closed segments and indexes to verify, newest first; 0 none, all")
	f.StringVarP(&s.output, "output", "o", "text", "`FORMAT`: text or json")
}

// environment sets every flag that was not given from KTRIAGE_…; the flag wins.
func environment(f *pflag.FlagSet) error {
	var failed error
	f.VisitAll(func(flag *pflag.Flag) {
		name := "KTRIAGE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		value := os.Getenv(name)
		if flag.Changed || value == "" || failed != nil || flag.Name == "help" || flag.Name == "version" {
			return
		}
		if err := f.Set(flag.Name, value); err != nil {
			failed = fmt.Errorf("%s: %w", name, err)
		}
	})
	return failed
}

// check says which setting cannot be used, and reads the files they name.
func (s *settings) check() error {
	for _, address := range s.bootstrap {
		host, port, err := net.SplitHostPort(address)
		n, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" || bad != nil || n == 0 {
			return fmt.Errorf("--bootstrap-server: %q, expected HOST:PORT", address)
		}
	}
	for _, address := range s.metricsURLs {
		if _, _, err := metrics.ParseURL(address); err != nil {
			return fmt.Errorf("--metrics-url: %w", err)
		}
	}
	if s.output != "text" && s.output != "json" {
		return fmt.Errorf("--output: %q, expected text or json", s.output)
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
		least time.Duration
	}{{"--timeout", s.timeout, time.Millisecond}, {"--deadline", s.deadline, time.Millisecond}, {"--every", s.every, 0}} {
		if d.value < d.least || d.value > 24*time.Hour {
			return fmt.Errorf("%s: %s, expected between %s and 24h", d.flag, d.value, d.least)
		}
	}
	if s.samples < 1 || s.samples > 1000 {
		return fmt.Errorf("--samples: %d, expected between 1 and 1000", s.samples)
	}
	if s.pid < 0 {
		return fmt.Errorf("--pid: %d, expected a process id", s.pid)
	}
	for flag, names := range map[string][]string{"--only": s.only, "--skip": s.skip} {
		if err := probes.CheckNames(probes.All, names); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	if all := diagnose.Symptoms(diagnose.All); s.symptom != "" && !slices.Contains(all, s.symptom) {
		return fmt.Errorf("--symptom: %q, expected one of %s", s.symptom, strings.Join(all, ", "))
	}
	return s.readFiles()
}

func (s *settings) readFiles() error {
	if s.commandConfig != "" {
		client, err := readProperties(s.commandConfig)
		if err != nil {
			return fmt.Errorf("--command-config: %w", err)
		}
		if err := kafka.CheckClientConfig(client); err != nil {
			return fmt.Errorf("--command-config: %s: %w", s.commandConfig, err)
		}
		s.client = client
	}
	if s.brokerConfig != "" {
		if _, err := readProperties(s.brokerConfig); err != nil {
			return fmt.Errorf("--broker-config: %w", err)
		}
	}
	if s.iostatFile != "" {
		text, err := captured(s.iostatFile)
		if err == nil {
			_, err = host.ParseIostat(text)
		}
		if err != nil {
			return fmt.Errorf("--iostat-file: %w", err)
		}
		s.iostat = text
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for flag, dirs := range map[string][]string{"--log-dir": s.logDirs, "--kafka-logs": {s.kafkaLogs}} {
		for _, dir := range dirs {
			if dir != "" && noDirectory(ctx, dir) {
				return fmt.Errorf("%s: %s is not a directory", flag, dir)
			}
		}
	}
	if s.jstatFile != "" {
		var err error
		if s.jstat, err = captured(s.jstatFile); err == nil {
			_, err = jstat.Parse(s.jstat)
		}
		if err != nil {
			return fmt.Errorf("--jstat-file: %s: %w", s.jstatFile, err)
		}
	}
	if s.gcLog != "" && noFile(ctx, s.gcLog) {
		return fmt.Errorf("--gc-log: %s is not a file", s.gcLog)
	}
	return nil
}

var stat = os.Stat // another one in tests: a disk that hangs

// noDirectory says whether a path is surely none. A dead disk is what is looked
// for, so what does not answer, or not well, is no mistake of the operator.
func noDirectory(ctx context.Context, path string) bool {
	look := stat
	info, err := probe.Within(ctx, &probe.Target{}, path, func() (os.FileInfo, error) { return look(path) })
	return errors.Is(err, fs.ErrNotExist) || (err == nil && !info.IsDir())
}

// noFile is noDirectory of a file.
func noFile(ctx context.Context, path string) bool {
	look := stat
	info, err := probe.Within(ctx, &probe.Target{}, path, func() (os.FileInfo, error) { return look(path) })
	return errors.Is(err, fs.ErrNotExist) || (err == nil && info.IsDir())
}

// target is what the probes look at.
func (s *settings) target() *probe.Target {
	return &probe.Target{
		Bootstrap: s.bootstrap, ClientConfig: s.client, BrokerConfig: s.brokerConfig, PID: s.pid, LogDirs: s.logDirs, LogsDir: s.kafkaLogs, MetricsURLs: s.metricsURLs,
		GCLog: s.gcLog, Iostat: s.iostat, Jstat: s.jstat,
		Scan: int64(s.scan.bytesFlag), Timeout: s.timeout, Version: version(), Now: time.Now, Ledger: &probe.Ledger{},
	}
}

// live is the source that looks at a target now.
func (s *settings) live(t *probe.Target) *probes.Live {
	l := probes.NewLive(t, probes.All, s.options())
	if s.symptom != "" {
		l.Mark(fact.Mark{At: t.Now(), Kind: fact.Symptom, Text: s.symptom})
	}
	return l
}

func (s *settings) options() probes.LiveOptions {
	return probes.LiveOptions{Only: s.only, Skip: s.skip, Deadline: s.deadline, First: probes.Discovery}
}

// newRoot is the command line.
func newRoot(out, errOut io.Writer) *cobra.Command {
	s := &settings{out: out, errOut: errOut}
	root := &cobra.Command{
		Use:   "ktriage",
		Short: "Find out what is wrong with a Kafka cluster, without touching it",
		Long: "ktriage looks at a Kafka cluster, its brokers' processes, JVMs, disks and logs, names the cause of\n" +
			"what is wrong and what follows from it, and opens the playbook. It only reads.\n\n" +
			"On a broker's host there is nothing else to type. From afar: --bootstrap-server.\n" +
			"Without a Kafka at hand: ktriage demo",
		Version:       version(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Name() == "version" || cmd.Parent() != nil && cmd.Parent().Name() == "completion" {
				return nil
			}
			if err := environment(cmd.Flags()); err != nil {
				return err
			}
			return s.check()
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return s.console(cmd.Context()) },
	}
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetVersionTemplate("ktriage {{.Version}}\n")
	s.bind(root.PersistentFlags())
	root.AddCommand(newCheck(s), newRecord(s), newReplay(s), newDemo(s), newReport(s), newGCLog(s), newExplain(s), newAudit(s), newSegments(s), newHistory(s), newPreflight(s), newVersion(s))
	root.InitDefaultCompletionCmd() // now, as its arguments can be wrong, too
	wrongWords(root)
	return root
}
