package main

import (
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/outfile"
)

// streams are the names of the standard output, which is written to as it
// comes.
var streams = []string{"", "-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}

func isStream(file string) bool { return slices.Contains(streams, file) }

// destination is where a result goes: a file, or the standard output.
type destination struct {
	target *outfile.Target // nil for the standard output
	stdout io.Writer
}

// destine looks at the place of an output before any work is done. ours tells
// what may be replaced there.
func destine(c *cobra.Command, a []string, file string, ours func([]byte) bool) (*destination, error) {
	d := &destination{stdout: c.OutOrStdout()}
	if isStream(file) {
		return d, nil
	}
	var err error
	d.target, err = outfile.Prepare(file, rulesOf(c, a, ours))
	return d, err
}

// write sends a result to the standard output or, whole or not at all, to the
// file.
func (d *destination) write(write func(io.Writer) error) error {
	if d.target == nil {
		return write(d.stdout)
	}
	return d.target.Write(write)
}

// bytes writes what is at hand.
func (d *destination) bytes(b []byte) error {
	return d.write(func(w io.Writer) error { _, err := w.Write(b); return err })
}

// outputFlags name files that are written; what other flags name is read.
var outputFlags = []string{"output", "values"}

// rulesOf says what an output of the running command may replace: nothing that
// the command line names to be read, whatever the verb.
func rulesOf(c *cobra.Command, a []string, ours func([]byte) bool) *outfile.Rules {
	r := &outfile.Rules{Ours: ours}
	r.Force, _ = c.Flags().GetBool("force") // every verb has it
	add := func(refs ...string) {
		for _, ref := range refs {
			r.Inputs = append(r.Inputs, ref)
			if path, err := source.Local(ref); err == nil && path != ref {
				r.Inputs = append(r.Inputs, path)
			}
		}
	}
	add(a...)
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(outputFlags, f.Name) {
			return
		}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			add(v.GetSlice()...)
		default:
			if v.Type() == "string" {
				add(v.String())
			}
		}
	})
	return r
}
