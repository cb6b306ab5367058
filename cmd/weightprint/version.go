package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: "  weightprint version",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "weightprint %s (policy %d, %s, %s/%s)\n", report.Version(), verdict.PolicyVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
