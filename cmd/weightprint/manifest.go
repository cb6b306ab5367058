package main

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

func manifestCommand() *cobra.Command {
	var file string
	var o oms.Options
	c := &cobra.Command{
		Use:   "manifest MODEL -o FILE",
		Short: "list the files of a model by digest (OpenSSF Model Signing 1.0)",
		Long: `manifest writes an in-toto statement that lists every file of a model with its
digest, as the OpenSSF Model Signing specification 1.0 defines it. Sign it with
weightprint sign, hold a model against it with weightprint verify.`,
		Example: "  weightprint manifest model/ -o manifest.json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			path, err := source.Local(a[0])
			if err != nil {
				return err
			}
			to, err := destine(c, a, file, isManifest)
			if err != nil {
				return err
			}
			if !isStream(file) {
				o.Without = append(o.Without, file)
			}
			quiet, _ := c.Flags().GetBool("quiet") // every verb has it
			tell, stop := follow(c.Context(), c.ErrOrStderr(), quiet)
			o.Progress = digesting(tell)
			m, err := oms.Make(c.Context(), path, &o)
			stop()
			if err != nil {
				return err
			}
			s, err := m.Statement()
			if err != nil {
				return err
			}
			return to.write(func(w io.Writer) error { return escape.WriteJSON(w, s) })
		},
	}
	fl := c.Flags()
	fl.StringVarP(&file, "output", "o", "", "write the manifest to a file")
	fl.StringVar(&o.HashType, "hash", "sha256", "sha256, blake2b or blake3")
	fl.Int64Var(&o.ShardSize, "shard-size", 0, "digest ranges of so many bytes instead of whole files")
	fl.BoolVar(&o.AllowSymlinks, "allow-symlinks", false, "follow symbolic links")
	fl.StringSliceVar(&o.Ignore, "ignore-paths", nil, "relative paths to leave out")
	return c
}

// digesting shows how many bytes were digested, at most ten times a second.
func digesting(tell func(report.Progress)) func(read, total int64) {
	if tell == nil {
		return nil
	}
	var last time.Time
	return func(read, total int64) {
		if now := time.Now(); read == total || now.Sub(last) > 100*time.Millisecond {
			last = now
			tell(report.Progress{Stage: "digest", Step: 1, Steps: 1, Read: read, Total: total})
		}
	}
}
