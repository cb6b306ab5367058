package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
)

func verifyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify REPORT.json A B",
		Short: "make a report anew and compare every number",
		Long: `verify runs the comparison that a report states, with the options it states, on
the given models, and compares the two reports field by field. It exits with 4
and names the first difference when they differ.

verify FINGERPRINT.wfp MODEL holds a model against its fingerprint.`,
		Example: "  weightprint verify report.json base/ suspect/",
		Args:    args(cobra.RangeArgs(2, 3)),
		RunE: func(c *cobra.Command, a []string) error {
			if len(a) == 2 {
				return verifyFingerprint(c, a[0], a[1])
			}
			return verifyReport(c, a)
		},
	}
	return c
}

func verifyReport(c *cobra.Command, a []string) error {
	f, err := os.Open(a[0])
	if err != nil {
		return err
	}
	defer f.Close()
	want, err := report.ReadJSON(f)
	if err != nil {
		return fmt.Errorf("%s: %w", a[0], err)
	}
	n := networkOf(c.Context())
	o := want.Options
	o.Private, o.Offline, o.Log = n.private, n.offline, n.log
	got, err := report.Compare(c.Context(), a[1], a[2], &o)
	if err != nil {
		return err
	}
	d, err := want.Differs(got)
	if err != nil {
		return err
	}
	if d != nil {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s is %s in the report and %s anew\n", d.Path, d.Want, d.Got)
		return exitCode(exitMismatch)
	}
	fmt.Fprintln(c.OutOrStdout(), "verified: every field of the report is as stated")
	return nil
}
