package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
)

func showCommand() *cobra.Command {
	var out output
	var all bool
	c := &cobra.Command{
		Use:   "show REPORT.json",
		Short: "print a report that is at hand in another form",
		Long: `show prints a report that compare wrote as JSON in any of its other forms. It
opens no model and checks nothing: verify does.`,
		Example: `  weightprint show report.json
  weightprint show report.json -o report.html`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := out.check(); err != nil {
				return usageError{err}
			}
			to, err := destine(c, a, out.file, isResult)
			if err != nil {
				return err
			}
			r, err := readReport(a[0])
			if err != nil {
				return err
			}
			return to.write(out.report(r, c.OutOrStdout(), all))
		},
	}
	out.flags(c.Flags())
	c.Flags().BoolVarP(&all, "verbose", "v", false, "print everything (default: one screen)")
	completes(c, "format", formNames)
	return c
}

// readReport reads a report of a comparison.
func readReport(file string) (*report.Report, error) {
	text, err := readSmall(file)
	if err != nil {
		return nil, err
	}
	r, err := report.ParseJSON(text)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil, fmt.Errorf("%s: %w; compare --json writes one", file, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}
