package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/report"
)

func demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Short:   "compare small trained networks that come with the program",
		Long:    "demo compares small trained networks that come with the program. It needs no network and takes a few seconds.",
		Example: "  weightprint demo",
		Args:    args(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return runDemo(c) },
	}
}

func runDemo(c *cobra.Command) error {
	dir, gone, err := outfile.Scratch("weightprint-demo-")
	if err != nil {
		return err
	}
	defer gone()
	if err := demo.Extract(dir); err != nil {
		return err
	}
	w := c.OutOrStdout()
	quiet, _ := c.Flags().GetBool("quiet") // every verb has it
	for i, s := range demo.Steps {
		tell, stop := follow(c.Context(), c.ErrOrStderr(), quiet)
		r, err := report.Compare(c.Context(), filepath.Join(dir, s.A), filepath.Join(dir, s.B), &report.Options{Progress: tell})
		stop()
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s and %s (%s)\n=> %s\n", s.A, s.B, s.What, r.Verdict.Relation)
		for k, b := range r.Verdict.Because {
			if k < 2 {
				fmt.Fprintf(w, "   %s\n", b)
			}
		}
		if string(r.Verdict.Relation) != s.Want {
			return fmt.Errorf("demo: %s and %s came out as %s, not %s", s.A, s.B, r.Verdict.Relation, s.Want)
		}
	}
	return nil
}
