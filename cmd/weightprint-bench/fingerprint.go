package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
)

// fingerprintCommand measures the fingerprint of a model.
func fingerprintCommand() *cobra.Command {
	var workers, times int
	c := &cobra.Command{
		Use:   "fingerprint MODEL",
		Short: "fingerprint a model several times: time and bytes a second",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for range times {
				m, err := formats.Open(c.Context(), args[0], nil)
				if err != nil {
					return err
				}
				begun := time.Now()
				f, err := fingerprint.Compute(c.Context(), m, &fingerprint.Options{Workers: workers})
				took := time.Since(begun)
				if err != nil {
					return err
				}
				figure(c.OutOrStdout(), "Fingerprint", 1, took, fmt.Sprintf("\t%8.2f MB/s", float64(m.BytesTotal())/1e6/took.Seconds()))
				fmt.Fprintf(c.ErrOrStderr(), "root %s\n", f.Root)
				if err := m.Close(); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().IntVar(&workers, "workers", 0, "workers, one a processor if 0")
	c.Flags().IntVar(&times, "times", 3, "how often")
	return c
}
