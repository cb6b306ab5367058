// Package python runs scripts of tests that hold results against programs
// written in Python, where Python and what the scripts import are installed.
package python

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Find returns a Python that can import the modules: the one that
// WEIGHTPRINT_PYTHON names, or python3. Where there is none the test says so
// and ok is false.
func Find(t testing.TB, modules ...string) (python string, ok bool) {
	t.Helper()
	python = os.Getenv("WEIGHTPRINT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Logf("NOT CHECKED with %s: %v: %s (WEIGHTPRINT_PYTHON names another Python)", strings.Join(modules, ", "), err, lines[len(lines)-1])
		return "", false
	}
	return python, true
}

// Run runs a script and returns what it printed.
func Run(python string, args ...string) (string, error) {
	out, err := exec.Command(python, args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
