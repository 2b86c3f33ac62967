package diagnosetest

import (
	"testing"

	"github.com/ktriage/ktriage/diagnose"
)

func TestCases(t *testing.T) { Run(t, diagnose.All, "../testdata") }
