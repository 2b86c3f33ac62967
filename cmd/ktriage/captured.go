package main

import (
	"fmt"
	"io"
	"os"
)

// maxCaptured is how much of a captured output is taken.
const maxCaptured = 16 << 20

// captured reads what a tool printed elsewhere: a file, or standard input for "-".
func captured(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, err
		}
		defer f.Close()
	}
	text, err := io.ReadAll(io.LimitReader(f, maxCaptured+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCaptured {
		return nil, fmt.Errorf("%s has more than %d MiB", name, maxCaptured>>20)
	}
	return text, nil
}
