package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long anything may take that must not wait. It is long because
// machines are busy; waiting would last for ever.
const patience = 20 * time.Second

// within runs the program and fails where it does not end.
func within(t *testing.T, ctx context.Context, args ...string) (code int, stderr string) {
	t.Helper()
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, io.Discard, &errs) }()
	select {
	case code := <-done:
		return code, errs.String()
	case <-time.After(patience):
		t.Fatalf("%s waits", strings.Join(args, " "))
		return 0, ""
	}
}

// A pipe in place of a file is refused by every verb, and never waited for.
func TestPipesAreRefused(t *testing.T) {
	dir := demoModels(t)
	model := filepath.Join(dir, "base")
	pipe := func(ending string) string {
		path := filepath.Join(t.TempDir(), "pipe"+ending)
		require.NoError(t, syscall.Mkfifo(path, 0o600))
		return path
	}
	out, entries := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "x.wpi")
	exits(t, 0, "index", "add", "--index", entries, model)
	for _, args := range [][]string{
		{"verify", pipe(".wfp"), model},
		{"verify", pipe(".json"), model, model},
		{"verify", pipe(".wpc"), model, "--opening", pipe(".opening")},
		{"sign", pipe(".json"), "--key", pipe(".pem"), "-o", out},
		{"compare", pipe(".wfp"), model},
		{"compare", model, pipe(".safetensors")},
		{"compare", model, model, "--base", pipe("")},
		{"inspect", pipe("")},
		{"fingerprint", pipe(""), "-o", out},
		{"recipe", pipe(""), model},
		{"tree", pipe(""), model},
		{"manifest", pipe(""), "-o", out},
		{"audit", model, "--claim", pipe(".json")},
		{"commit", pipe(""), "-o", out},
		{"challenge", pipe(".wpc"), "-o", out},
		{"respond", model, "--opening", pipe(""), "--challenge", pipe(""), "-o", out},
		{"check", pipe("")},
		{"diff", model, pipe("")},
		{"faithful", pipe(".gguf"), model},
		{"faithful", model, model, "--importance", pipe(".imatrix")},
		{"show", pipe(".json")},
		{"verify", pipe(".jsonl")},
		{"case", out, model, pipe("")},
		{"dispute", "run", out, pipe(""), model, "--beacon", "x", "--key", pipe(".pem")},
		{"index", "search", "--index", pipe(".wpi"), model},
		{"index", "pairs", "--index", pipe(".wpi")},
		{"index", "pairs", "--index", entries, "--from", pipe(".ndjson")},
		{"index", "add", "--index", pipe(".wpi"), model},
		{"serve", "--index", pipe(".wpi")},
		{"serve", "--index", entries, "--tokens", pipe("")},
		{"serve", "--index", entries, "--tls-cert", pipe(".pem"), "--tls-key", pipe(".pem"), "--listen", "127.0.0.1:0"},
		{"compare", model, model, "--dated", pipe(".tsr")},
	} {
		code, errs := within(t, context.Background(), args...)
		require.NotZero(t, code, "%v", args)
		require.NotEmpty(t, errs, "%v", args)
		_, err := os.Stat(out)
		require.ErrorIs(t, err, os.ErrNotExist, "%v", args)
	}
}

// Waiting for the standard input ends with the signal.
func TestStdinIsInterruptible(t *testing.T) {
	silent, _ := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	r := interruptible(ctx, silent)
	go stop()
	_, err := r.Read(make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled)

	r = interruptible(context.Background(), strings.NewReader("ab"))
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "ab", string(b))
}

// executable builds the program once for a test.
func executable(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "weightprint")
	text, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput()
	require.NoError(t, err, string(text))
	return exe
}

// A signal ends every verb wherever it is, with nothing left behind: SIGINT at
// points spread over its run.
func TestSignals(t *testing.T) {
	points, most := 2, patience
	verbs := [][]string{{"inspect", "{model}"}, {"compare", "{model}", "{other}"}, {"fingerprint", "{model}", "-o", "{out}/x.wfp"}, {"fingerprint", "--stdin", "--ndjson"}}
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		points, most = 50, time.Second
		verbs = append(verbs, [][]string{
			{"compare", "{model}", "{other}", "--depth", "full"}, {"recipe", "{model}", "{other}"}, {"tree", "{model}", "{other}"}, {"manifest", "{model}", "-o", "{out}/m.json"},
			{"audit", "{model}"}, {"commit", "{model}", "-o", "{out}/x.wpc"}, {"index", "add", "--index", "{out}/x.wpi", "{model}", "{other}"}, {"demo"},
		}...)
	} else if testing.Short() {
		t.Skip("builds the program")
	}
	exe := executable(t)
	dir := demoModels(t)
	names := strings.NewReplacer("{model}", filepath.Join(dir, "base"), "{other}", filepath.Join(dir, "other-seed"))
	for _, args := range verbs {
		for i := range args {
			args[i] = names.Replace(args[i])
		}
		whole := signalled(t, exe, args, time.Hour)
		for i := range points {
			after := whole * time.Duration(i) / time.Duration(points)
			took := signalled(t, exe, args, after)
			require.Less(t, took-after, most, "%v after %v", args, after)
		}
	}
}

// signalled runs the program, sends it SIGINT after a time and tells how long it
// ran in all. It must leave its folder empty unless it had finished.
func signalled(t *testing.T, exe string, args []string, after time.Duration) time.Duration {
	t.Helper()
	out := t.TempDir()
	all := make([]string, len(args))
	for i, a := range args {
		all[i] = strings.ReplaceAll(a, "{out}", out)
	}
	cmd := exec.Command(exe, all...)
	cmd.Dir = out
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	if after == time.Hour {
		in.Close()
	}
	start := time.Now()
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(after, func() { cmd.Process.Signal(os.Interrupt) })
	kill := time.AfterFunc(after%time.Hour+2*patience, func() { cmd.Process.Kill() })
	err = cmd.Wait()
	timer.Stop()
	require.True(t, kill.Stop(), "%v had to be killed", args)
	took := time.Since(start)
	if err != nil {
		left, _ := filepath.Glob(filepath.Join(out, ".*"))
		require.Empty(t, left, "%v leaves temporary files", args)
	}
	return took
}
