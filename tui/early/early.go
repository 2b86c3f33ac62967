// Package early keeps the terminal library from asking the terminal for its
// background colour when the program starts.
//
// Bubble Tea v1 asks in an init function, and waits up to five seconds where the
// terminal never answers: a serial line, a dumb terminal server, a recorder.
// That hits every command of the binary, --version too. The question is skipped
// where the environment says CI, so this package says so until the terminal
// library has been initialised, and then takes it back.
//
// Why this works: Go initialises packages in the order of their import paths as
// soon as what they import is done. This package imports os alone and sorts
// before github.com/muesli/termenv, which imports os too and which everything
// that asks must wait for. A package that told lipgloss the answer directly
// would have to import lipgloss, and would then come too late: the path of Bubble
// Tea sorts before ours. A test runs on a terminal that never answers.
//
// Import nothing here but os.
package early

import "os"

const name = "CI"

var was, had = os.LookupEnv(name)

func init() { os.Setenv(name, "true") }

// Restore puts the environment back as it was. To be called from an init of a
// package that imports Bubble Tea.
func Restore() {
	if had {
		os.Setenv(name, was)
		return
	}
	os.Unsetenv(name)
}
