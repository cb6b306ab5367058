package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
)

// A policy is its thresholds and the code around them, so the program that holds
// it is the only one that judges by it. --program names that program; it is held
// against what is on record of the policy before it is believed.

// judgedBy has another program make a report anew, under the policy n that it
// holds, and passes on what it says.
func (f *verifyFlags) judgedBy(c *cobra.Command, n int, file string, models []string) error {
	if err := holdsPolicy(c.Context(), f.program, n); err != nil {
		return err
	}
	words := append([]string{"verify", file}, models...)
	if f.base != "" {
		words = append(words, "--base", f.base)
	}
	code, err := runProgram(c.Context(), f.program, c.OutOrStdout(), c.ErrOrStderr(), words...)
	switch {
	case err != nil:
		return err
	case code != 0:
		return exitCode(code)
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "judged under policy %d, by %s\n", n, escape.Printable(f.program))
	return err
}

// holdsPolicy requires that a program's policy has the number n, and the thresholds
// that are on record for it.
func holdsPolicy(ctx context.Context, program string, n int) error {
	var out, complaints bytes.Buffer
	code, err := runProgram(ctx, program, &out, &complaints, "policy", strconv.Itoa(n), "--json")
	if err != nil {
		return err
	}
	var held verdict.Rules
	if code != 0 || json.Unmarshal(out.Bytes(), &held) != nil || held.Version != n || held.Thresholds == nil {
		return fmt.Errorf("%s does not hold policy %d: ask it with: %s policy", escape.Printable(program), n, escape.Printable(program))
	}
	if p, _ := verdict.PolicyOf(n); p.Fixed != "" {
		digest, err := held.Digest()
		if err != nil {
			return err
		}
		if digest != p.Fixed {
			return fmt.Errorf("%s calls its policy %d, but its thresholds have the digest %s, those on record %s", escape.Printable(program), n, digest, p.Fixed)
		}
	}
	return nil
}

// runProgram runs a program and gives its exit code.
func runProgram(ctx context.Context, program string, out, complaints io.Writer, words ...string) (int, error) {
	cmd := exec.CommandContext(ctx, program, words...)
	cmd.Stdout, cmd.Stderr = out, complaints
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.As(err, &exit):
		return exit.ExitCode(), nil
	case err != nil:
		return 0, fmt.Errorf("--program: %s", strings.TrimPrefix(oneLine(err), "exec: "))
	}
	return 0, nil
}
