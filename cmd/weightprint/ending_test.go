package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/outfile"
)

// A command that does not look up when it is interrupted is ended, and nothing that is
// half written stays.
func TestStuckCommandsAreEndedAndLeaveNothing(t *testing.T) {
	const key = "WEIGHTPRINT_TEST_STUCK"
	if dir := os.Getenv(key); dir != "" {
		stuck(t, dir)
		return
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "out"), []byte("{}"), 0o600))
	c := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	c.Env = append(os.Environ(), key+"="+dir, "TMPDIR="+dir)
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v: %s", err, text)
	require.Equal(t, exitInterrupted, exit.ExitCode(), "%s", text)
	require.Contains(t, string(text), interrupted)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "%v", left)
	before, err := os.ReadFile(filepath.Join(dir, "out"))
	require.NoError(t, err)
	require.Equal(t, "{}", string(before))
}

// stuck writes for ever, in two places and a folder of scratch.
func stuck(t *testing.T, dir string) {
	begun := make(chan bool)
	for _, name := range []string{"out", "other"} {
		target, err := outfile.Prepare(filepath.Join(dir, name), &outfile.Rules{Force: true})
		require.NoError(t, err)
		go target.Write(func(w io.Writer) error {
			w.Write(make([]byte, 1<<20))
			begun <- true
			select {}
		})
		<-begun
	}
	scratch, _, err := outfile.Scratch("weightprint-stuck-")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(scratch, "x"), nil, 0o600))
	half, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, half, 4)
	endSoon()
}
