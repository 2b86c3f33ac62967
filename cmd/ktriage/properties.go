package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/magiconair/properties"
)

// maxProperties is the most bytes that are read of a properties file.
const maxProperties = 1 << 20

// readProperties reads a file of Java properties.
func readProperties(file string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxProperties+1))
	if err != nil {
		return nil, err
	}
	return parseProperties(file, text)
}

// parseProperties parses Java properties as they stand, ${…} included; errors
// name file and line. Values may be secret, so no error holds one.
func parseProperties(file string, text []byte) (map[string]string, error) {
	if len(text) > maxProperties {
		return nil, fmt.Errorf("%s: more than %d bytes, which no properties file has", file, maxProperties)
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return nil, fmt.Errorf("%s:%d: a zero byte, expected text", file, 1+bytes.Count(text[:i], []byte{'\n'}))
	}
	load := func(text []byte) (*properties.Properties, error) {
		loader := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
		return loader.LoadBytes(text)
	}
	p, err := load(text)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, badLine(text, load), cause(err))
	}
	all := make(map[string]string, p.Len())
	for _, key := range p.Keys() {
		all[key], _ = p.Get(key)
	}
	return all, nil
}

// badLine is the number of the first line with which the text cannot be loaded.
func badLine(text []byte, load func([]byte) (*properties.Properties, error)) int {
	lines := bytes.SplitAfter(text, []byte{'\n'})
	end := 0
	for i, line := range lines {
		end += len(line)
		if _, err := load(text[:end]); err != nil {
			return i + 1
		}
	}
	return len(lines)
}

// cause is what the library says, without where: it counts otherwise.
func cause(err error) error {
	said := err.Error()
	if i := strings.LastIndex(said, ": "); i >= 0 {
		said = said[i+2:]
	}
	return errors.New(said + ", expected KEY=VALUE")
}
