package kafka

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/magiconair/properties"
)

// maxProvided bounds in bytes a file that a config provider reads.
const maxProvided = 1 << 20

// reference is a value that a config provider has: ${env:NAME},
// ${file:/path:key}, ${dir:/path:name}.
var reference = regexp.MustCompile(`\$\{([^}:]*):(?:([^}:]*):)?([^}:]*)\}`)

// providers is Kafka's own config providers by the last part of their classes.
var providers = map[string]func(path, key string) (string, error){
	"EnvVarConfigProvider":    provideEnv,
	"FileConfigProvider":      provideFile,
	"DirectoryConfigProvider": provideDirectory,
}

// provide is the settings with what config providers have in place of the
// references to it. As in Java, config.providers names the providers; without
// it, env, file, dir and directory are Kafka's own. Only what connections are
// made by is looked up. Errors name the setting and the reference, which is no
// secret, and not what else stands there.
func provide(settings map[string]string) (map[string]string, error) {
	named, err := namedProviders(settings)
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(settings))
	for name, value := range settings {
		all[name] = value
		if !strings.HasPrefix(name, "ssl.") && !strings.HasPrefix(name, "sasl.") && name != "security.protocol" {
			continue
		}
		if all[name], err = substitute(value, named); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// namedProviders is the providers by the names that the settings give them.
func namedProviders(settings map[string]string) (map[string]func(path, key string) (string, error), error) {
	list := strings.TrimSpace(settings["config.providers"])
	if list == "" {
		return map[string]func(path, key string) (string, error){"env": provideEnv, "file": provideFile, "dir": provideDirectory, "directory": provideDirectory}, nil
	}
	named := map[string]func(path, key string) (string, error){}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		setting := "config.providers." + name + ".class"
		class := strings.TrimSpace(settings[setting])
		p := providers[class[strings.LastIndexByte(class, '.')+1:]]
		if p == nil {
			return nil, fmt.Errorf("%s: %.80q, expected org.apache.kafka.common.config.provider.EnvVarConfigProvider, …FileConfigProvider or …DirectoryConfigProvider", setting, class)
		}
		named[name] = p
	}
	return named, nil
}

// substitute replaces every reference in a value. What a provider has is taken
// as it is: references in it stay.
func substitute(value string, named map[string]func(path, key string) (string, error)) (string, error) {
	var b strings.Builder
	end := 0
	for _, at := range reference.FindAllStringSubmatchIndex(value, -1) {
		part := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return value[at[2*n]:at[2*n+1]]
		}
		p := named[part(1)]
		if p == nil {
			return "", fmt.Errorf("${%s:…}: no provider of this name, expected ${env:NAME}, ${file:/path:key} or ${dir:/path:name}", part(1))
		}
		got, err := p(part(2), part(3))
		if err != nil {
			return "", fmt.Errorf("%s: %w", value[at[0]:at[1]], err)
		}
		b.WriteString(value[end:at[0]])
		b.WriteString(got)
		end = at[1]
	}
	b.WriteString(value[end:])
	return b.String(), nil
}

func provideEnv(path, key string) (string, error) {
	value, ok := os.LookupEnv(key)
	if path != "" || !ok {
		return "", fmt.Errorf("no such variable in the environment of ktriage")
	}
	return value, nil
}

func provideFile(path, key string) (string, error) {
	text, err := readSmall(path, maxProvided)
	if err != nil {
		return "", err
	}
	all, err := parseSettings(text)
	if err != nil {
		return "", err
	}
	value, ok := all[key]
	if !ok {
		return "", fmt.Errorf("no such key in the file")
	}
	return value, nil
}

func provideDirectory(path, key string) (string, error) {
	if !filepath.IsLocal(key) {
		return "", fmt.Errorf("the name of a file in the directory is expected")
	}
	text, err := readSmall(filepath.Join(path, key), maxProvided)
	return string(text), err
}

// parseSettings reads Java properties as they stand. An error does not repeat
// what is in them.
func parseSettings(text []byte) (map[string]string, error) {
	loader := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
	p, err := loader.LoadBytes(text)
	if err != nil {
		return nil, fmt.Errorf("no Java properties: KEY=VALUE is expected in each line")
	}
	all := make(map[string]string, p.Len())
	for _, key := range p.Keys() {
		all[key], _ = p.Get(key)
	}
	return all, nil
}
