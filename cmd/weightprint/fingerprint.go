package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

func fingerprintCommand() *cobra.Command {
	var file, budget string
	var stdin, ndjson, dry, asJSON bool
	c := &cobra.Command{
		Use:   "fingerprint MODEL -o FILE.wfp",
		Short: "write what may be published of a model: digests and one-bit sketches",
		Long: `fingerprint reads every value of a model once and writes digests of them, and
one-bit sketches of a few units of every layer. The file can be published,
verified against the model, compared and indexed; it does not give the weights
away. With --budget it reads only the sketched units and leaves the digests out.

With --stdin --ndjson it reads one model reference a line and writes one JSON
record a line; a model that cannot be read gives a record with its error.`,
		Example: "  weightprint fingerprint model/ -o model.wfp\n  ls -d models/* | weightprint fingerprint --stdin --ndjson > prints.ndjson",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			o := &fingerprint.Options{}
			if budget != "" {
				b, err := report.ParseBytes(budget)
				if err != nil {
					return usageError{fmt.Errorf("--budget: %w", err)}
				}
				o.SketchOnly = b != report.Full
			}
			if dry && len(a) == 1 {
				return planPrint(c, a[0], o, asJSON)
			}
			if stdin != ndjson || stdin == (len(a) == 1) || !stdin && file == "" {
				return usageError{fmt.Errorf("fingerprint: give a model and -o FILE, or --stdin --ndjson")}
			}
			if stdin {
				return printLines(c.Context(), c.InOrStdin(), c.OutOrStdout(), o)
			}
			f, err := printModel(c.Context(), a[0], o, c.ErrOrStderr())
			if err != nil {
				return err
			}
			return writeFile(file, 0o644, func(w io.Writer) error { _, err := f.WriteTo(w); return err })
		},
	}
	fl := c.Flags()
	fl.StringVarP(&file, "output", "o", "", "file to write")
	fl.StringVar(&budget, "budget", "", `"full" (the default) or a number of bytes: sketches only`)
	fl.BoolVar(&stdin, "stdin", false, "read model references from the standard input")
	fl.BoolVar(&ndjson, "ndjson", false, "write one JSON record a line")
	fl.BoolVar(&dry, "dry-run", false, "print what would be read (files, tensors, bytes)")
	fl.BoolVar(&asJSON, "json", false, "with --dry-run: print JSON")
	return c
}

// planPrint prints what fingerprinting a model would read.
func planPrint(c *cobra.Command, ref string, o *fingerprint.Options, asJSON bool) error {
	m, err := openModel(c.Context(), ref, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	return planned(report.PlanFingerprint(report.Headers(m), o), asJSON)(c.OutOrStdout())
}

// printModel computes the fingerprint of a model, or reads it where ref is a
// fingerprint file.
func printModel(ctx context.Context, ref string, o *fingerprint.Options, stderr io.Writer) (*fingerprint.Fingerprint, error) {
	if isPrint(ref) {
		return readPrint(ref)
	}
	m, err := openModel(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	p := startProgress(stderr, false, m.BytesTotal(), m.BytesRead)
	f, err := fingerprint.Compute(ctx, m, o)
	p.stop()
	if err != nil {
		return nil, err
	}
	return f, m.Verify()
}

func isPrint(ref string) bool { return strings.HasSuffix(ref, ".wfp") }

func readPrint(file string) (*fingerprint.Fingerprint, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := fingerprint.Read(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return f, nil
}

// line is one record of the NDJSON form.
type line struct {
	Ref         string `json:"ref"`
	Root        string `json:"root,omitempty"`
	Parameters  int64  `json:"parameters,omitempty"`
	Fingerprint []byte `json:"fingerprint,omitempty"` // the file form, base64
	Error       string `json:"error,omitempty"`
}

// printLines fingerprints one reference a line. Records are written as they
// are done, so a run that was cut off can go on with the references that have
// no record yet.
func printLines(ctx context.Context, in io.Reader, out io.Writer, o *fingerprint.Options) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		ref := strings.TrimSpace(s.Text())
		if ref == "" {
			continue
		}
		r := line{Ref: source.Redacted(ref)}
		f, err := printModel(ctx, ref, o, io.Discard)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.Error = oneLine(err)
		} else {
			var b bytes.Buffer
			if _, err := f.WriteTo(&b); err != nil {
				return err
			}
			r.Fingerprint, r.Parameters = b.Bytes(), f.Parameters
			if f.Complete {
				r.Root = f.Root.String()
			}
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(report.EscapeInvisible(raw), '\n')); err != nil {
			return err
		}
	}
	return s.Err()
}

// verifyFingerprint holds a model against a fingerprint file.
func verifyFingerprint(c *cobra.Command, file, ref string) error {
	f, err := readPrint(file)
	if err != nil {
		return err
	}
	m, err := openModel(c.Context(), ref, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	p := startProgress(c.ErrOrStderr(), false, m.BytesTotal(), m.BytesRead)
	d, err := f.Verify(c.Context(), m)
	p.stop()
	if err != nil {
		return err
	}
	if d != nil {
		fmt.Fprintf(c.OutOrStdout(), "differs: tensor %s: %s\n", tensor.Printable(d.Tensor), tensor.Visible(d.What))
		return exitCode(exitMismatch)
	}
	what := "every value is that of the fingerprint"
	if !f.Complete {
		what = "every sketched unit is that of the fingerprint; the fingerprint has no digest of the other values"
	}
	fmt.Fprintln(c.OutOrStdout(), "verified: "+what)
	return nil
}

// screen compares fingerprints, and models by their sketches.
func screen(ctx context.Context, a []string, o *report.Options) (*report.Report, error) {
	var s [2]report.Sketched
	for i, ref := range a {
		f, err := printModel(ctx, ref, &fingerprint.Options{SketchOnly: true}, io.Discard)
		if err != nil {
			return nil, err
		}
		s[i] = report.Sketched{Ref: source.Redacted(ref), Fingerprint: f}
	}
	return report.Screen(s[0], s[1], o), nil
}
