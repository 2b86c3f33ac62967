package lab

import (
	"regexp"
	"testing"
)

func TestMachine(t *testing.T) {
	if got := Machine(); !regexp.MustCompile(`^\d+ cores, \d+ GiB, Linux \d+(\.\d+)*$`).MatchString(got) {
		t.Errorf("%q", got)
	}
}
