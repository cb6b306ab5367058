package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/hostile"
)

// mostMemory is the bound on the peak memory of a command, in bytes, whatever
// it is given.
const mostMemory = 256 << 20

// slowest is how much of a processor's time a command may take for a hostile input, and
// patience how long it is waited for where the machine has other things to do.
const slowest, patience = 5 * time.Minute, time.Hour

func hostileCommand() *cobra.Command {
	var exe, dir, only, to string
	c := &cobra.Command{
		Use:   "hostile",
		Short: "give the program hostile inputs and measure its peak memory",
		Long: `hostile makes every input of internal/hostile, one after the other, runs the
program on it as a child process and prints its peak resident memory, time,
exit code and first line of error. It fails where the memory goes beyond
256 MiB or the time beyond five minutes of a processor, and where the program panics
or is killed.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if to != "" {
				return makeOne(only, to)
			}
			work, err := os.MkdirTemp(dir, "weightprint-hostile-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(work)
			fmt.Fprintf(c.OutOrStdout(), "| input | peak MiB | s | CPU s | exit | |\n|---|---:|---:|---:|---:|---|\n")
			bad := 0
			for _, in := range hostile.Inputs() {
				if !strings.Contains(in.Name, only) {
					continue
				}
				r, err := suffer(c.Context(), exe, work, in)
				if err != nil {
					return fmt.Errorf("%s: %w", in.Name, err)
				}
				fmt.Fprintf(c.OutOrStdout(), "| %s | %d | %.1f | %.1f | %d | %s |\n", in.Name, r.memory>>20, r.took.Seconds(), r.worked.Seconds(), r.exit, r.said())
				if r.bad() {
					bad++
				}
			}
			if bad > 0 {
				return fmt.Errorf("%d inputs went beyond the bounds", bad)
			}
			return nil
		},
	}
	c.Flags().StringVar(&exe, "bin", "weightprint", "the program")
	c.Flags().StringVar(&dir, "dir", "", "where to make the files (default: the system's folder for temporary files)")
	c.Flags().StringVar(&to, "make", "", "only make the input that --only names, in this folder")
	c.Flags().StringVar(&only, "only", "", "inputs whose name holds this")
	return c
}

// makeOne makes one input.
func makeOne(name, dir string) error {
	for _, in := range hostile.Inputs() {
		if in.Name == name {
			return in.Make(dir)
		}
	}
	return fmt.Errorf("there is no input %q", name)
}

// suffered is what came of one input.
type suffered struct {
	memory int64
	took   time.Duration
	worked time.Duration // of processors
	exit   int
	errors string
}

func (s suffered) bad() bool {
	return s.memory > mostMemory || s.worked > slowest || strings.Contains(s.errors, "goroutine ") || s.exit < 0
}

// said is the beginning of what the program complained of.
func (s suffered) said() string {
	line, _, _ := strings.Cut(strings.TrimSpace(s.errors), "\n")
	if r := []rune(strings.ReplaceAll(line, "|", "/")); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return strings.ReplaceAll(line, "|", "/")
}

// suffer makes one input, runs the program on it and removes it.
func suffer(ctx context.Context, exe, work string, in hostile.Input) (s suffered, err error) {
	files, out := filepath.Join(work, "in"), filepath.Join(work, "out")
	defer os.RemoveAll(files)
	defer os.RemoveAll(out)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return s, err
	}
	// In a process of its own: the peak of a child begins with what its parent
	// holds.
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	if text, err := exec.CommandContext(ctx, self, "hostile", "--only", in.Name, "--make", files).CombinedOutput(); err != nil {
		return s, fmt.Errorf("%w: %s", err, text)
	}
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	args := make([]string, len(in.Args))
	for i, a := range in.Args {
		args[i] = strings.NewReplacer("{dir}", files, "{out}", out).Replace(a)
	}
	cmd := exec.CommandContext(ctx, exe, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	start := time.Now()
	err = cmd.Run()
	s.took, s.errors = time.Since(start), complaints.String()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return s, err
	}
	s.exit, s.worked = cmd.ProcessState.ExitCode(), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.memory = peak(int64(u.Maxrss))
	}
	return s, nil
}

// peak is the resident memory in bytes: Linux counts it in KiB.
func peak(maxrss int64) int64 { return maxrss << 10 }
