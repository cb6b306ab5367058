package main

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func policyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "policy [N]",
		Short: "say what a policy of verdicts is, what it changed and whether it holds",
		Long: `policy lists the policies that there have been: the rules, thresholds and words by
which facts become a verdict. With a number it says what that policy changed against
the one before, why, and whether it was retracted; with --json also the thresholds,
where this program holds them. A report names its policy.`,
		Example: `  weightprint policy
  weightprint policy 2 --json`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if len(a) == 0 {
				return listPolicies(c.OutOrStdout(), asJSON)
			}
			n, err := strconv.Atoi(a[0])
			p, ok := verdict.PolicyOf(n)
			if err != nil || !ok {
				return usageError{fmt.Errorf("policy: %q is none of the policies 1 to %d", a[0], verdict.PolicyVersion)}
			}
			return explainPolicy(c.OutOrStdout(), p, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// standing says in a word whether a policy holds.
func standing(p verdict.PolicyRecord) string {
	switch {
	case p.Retracted != "":
		return "retracted"
	case p.Version == verdict.PolicyVersion:
		return "this program's"
	}
	return "earlier"
}

func listPolicies(w io.Writer, asJSON bool) error {
	if asJSON {
		return writeIndented(w, verdict.Policies())
	}
	for _, p := range verdict.Policies() {
		if _, err := fmt.Fprintf(w, "policy %d  %-15s %s\n", p.Version, standing(p), p.Why); err != nil {
			return err
		}
	}
	return nil
}

func explainPolicy(w io.Writer, p verdict.PolicyRecord, asJSON bool) error {
	if asJSON {
		out := struct {
			verdict.PolicyRecord
			Thresholds map[string]verdict.Number `json:"thresholds"` // null where another program holds them
		}{PolicyRecord: p}
		if p.Version == verdict.PolicyVersion {
			out.Thresholds = verdict.Thresholds()
		}
		return writeIndented(w, out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "policy %d (%s)\nwhy        %s\n", p.Version, standing(p), p.Why)
	if p.Retracted != "" {
		fmt.Fprintf(&b, "RETRACTED  %s\n", p.Retracted)
	}
	for _, s := range p.Changed {
		fmt.Fprintf(&b, "rule       %s\n", s)
	}
	switch {
	case p.Fixed != "":
		fmt.Fprintf(&b, "digest     %s of its thresholds, fixed by a release\n", p.Fixed)
	case p.Version == verdict.PolicyVersion:
		fmt.Fprintln(&b, "digest     not fixed: no release carries this policy yet")
	}
	fmt.Fprintln(&b, "See docs/POLICY.md; thresholds are in every report under policy.thresholds.")
	_, err := io.WriteString(w, b.String())
	return err
}

func writeIndented(w io.Writer, x any) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// underPolicy holds the policy of a report against the one asked for (0: none) and
// the one of this program. here is false where the program that was named has to
// judge; where none was, it says which can.
func underPolicy(w io.Writer, r *report.Report, f *verifyFlags, file string, models []string) (here bool, err error) {
	of := r.Policy.Version
	if p, ok := verdict.PolicyOf(of); ok && p.Retracted != "" {
		fmt.Fprintf(w, "note: policy %d is retracted, nobody should rely on this verdict: %s\n", of, p.Retracted)
	}
	if err := asFixed(w, r); err != nil {
		return false, err
	}
	switch {
	case f.policy != 0 && f.policy != of:
		fmt.Fprintf(w, "differs: the report was drawn under policy %d, not %d\n", of, f.policy)
		return false, exitCode(exitMismatch)
	case of == verdict.PolicyVersion:
		return true, sameThresholds(w, r)
	case f.policy != 0 && f.program != "":
		return false, nil
	case f.policy != 0:
		return false, fmt.Errorf("this program holds policy %d; only a program of policy %d judges by that: name one that you have with --program, or run %s", verdict.PolicyVersion, of, itsProgram(r.Tool.Version, file, models))
	}
	fmt.Fprintf(w, "note: the report is of policy %d, %s than this program's, %d; by its own policy judges, with --policy %d --program FILE, %s\n", of, older(of), verdict.PolicyVersion, of, itsProgram(r.Tool.Version, file, models))
	return true, nil
}

// asFixed finds reports whose thresholds are not those that a release fixed for the
// policy that they name.
func asFixed(w io.Writer, r *report.Report) error {
	p, ok := verdict.PolicyOf(r.Policy.Version)
	if !ok || p.Fixed == "" || p.Version == verdict.PolicyVersion {
		return nil // sameThresholds says which one differs
	}
	digest, err := r.Policy.Digest()
	if err != nil || digest == p.Fixed {
		return err
	}
	fmt.Fprintf(w, "differs: the report calls its policy %d, but its thresholds have the digest %s, those of that policy %s\n", p.Version, digest, p.Fixed)
	return exitCode(exitMismatch)
}

func older(of int) string {
	if of < verdict.PolicyVersion {
		return "older"
	}
	return "newer"
}

// sameThresholds finds reports under this program's policy whose thresholds are
// not those of this policy: the program that made it was altered.
func sameThresholds(w io.Writer, r *report.Report) error {
	names := r.Policy.Differ(verdict.CurrentRules())
	if len(names) == 0 {
		return nil
	}
	fmt.Fprintf(w, "differs: the report calls its policy %d, but %d of its thresholds are not those of that policy, such as policy.thresholds.%s\n", r.Policy.Version, len(names), escape.Printable(names[0]))
	return exitCode(exitMismatch)
}

// released is what may stand as a version in a command line that somebody will
// copy: nothing else of a report may.
var released = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// itsProgram is the command that judges a report by the program that made it.
func itsProgram(version, file string, models []string) string {
	if !released.MatchString(version) {
		return fmt.Sprintf("the program that made it, which names no release (%s)", escape.Printable(version))
	}
	words := []string{"go run github.com/weightprint/weightprint/cmd/weightprint@" + version, "verify", escape.Printable(file)}
	for _, m := range models {
		words = append(words, escape.Printable(m))
	}
	return strings.Join(words, " ")
}
