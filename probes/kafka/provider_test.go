package kafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProvide(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "s.properties")
	if err := os.WriteFile(file, []byte("word=s3cr3t\\u0021\njaas=a ${env:X}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KTRIAGE_TEST_WORD", "of the environment")
	for _, c := range []struct{ value, want, fails string }{
		{"plain", "plain", ""},
		{"${env:KTRIAGE_TEST_WORD}", "of the environment", ""},
		{"<${file:" + file + ":word}|${file:" + file + ":jaas}>", "<s3cr3t!|a ${env:X}>", ""},
		{"${dir:" + dir + ":s.properties}", "word=s3cr3t\\u0021\njaas=a ${env:X}\n", ""},
		{"${env:KTRIAGE_TEST_NONE}", "", "${env:KTRIAGE_TEST_NONE}: no such variable"},
		{"${file:" + file + ":none}", "", "no such key"},
		{"${file:/nowhere:none}", "", "stat /nowhere: no such file"},
		{"${file:" + dir + ":none}", "", "no regular file"},
		{"${dir:" + dir + ":../x}", "", "the name of a file"},
		{"s3cr3t ${vault:/p:k}", "", "no provider of this name"},
		{"${env}$ {env:A}${", "${env}$ {env:A}${", ""},
	} {
		got, err := provide(map[string]string{"ssl.key.password": c.value, "client.id": "${vault:x:y}"})
		switch {
		case c.fails == "" && (err != nil || got["ssl.key.password"] != c.want || got["client.id"] != "${vault:x:y}"):
			t.Errorf("%s: %q, %v", c.value, got, err)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "s3cr3t") || !strings.HasPrefix(err.Error(), "ssl.key.password: ")):
			t.Errorf("%s: %v, %q is expected", c.value, err, c.fails)
		}
	}

	// Where the settings name providers, these names count and no others.
	settings := map[string]string{"config.providers": "e", "config.providers.e.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider", "sasl.jaas.config": "${e:KTRIAGE_TEST_WORD}"}
	if got, err := provide(settings); err != nil || got["sasl.jaas.config"] != "of the environment" {
		t.Errorf("%q, %v", got, err)
	}
	settings["sasl.jaas.config"] = "${env:KTRIAGE_TEST_WORD}"
	if _, err := provide(settings); err == nil {
		t.Error("a provider that is not configured was asked")
	}
	settings["config.providers.e.class"] = "com.example.Vault"
	if _, err := provide(settings); err == nil || !strings.Contains(err.Error(), "config.providers.e.class") {
		t.Errorf("%v", err)
	}
}

func FuzzSubstitute(f *testing.F) {
	f.Add("${env:A}${x:b:c}")
	f.Add("${${env:A}:}:${")
	echo := func(path, key string) (string, error) { return "", nil }
	f.Fuzz(func(t *testing.T, value string) {
		got, err := substitute(value, map[string]func(path, key string) (string, error){"env": echo})
		if err == nil && len(got) > len(value) {
			t.Errorf("%q became %q", value, got)
		}
	})
}
