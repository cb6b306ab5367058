package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/plan"
)

func fingerprintCommand() *cobra.Command {
	var file, budget, base, near, spool string
	var stdin, ndjson, dry, asJSON bool
	c := &cobra.Command{
		Use:   "fingerprint MODEL -o FILE.wfp",
		Short: "write what may be published of a model: digests and one-bit sketches",
		Long: `fingerprint reads every value of a model once and writes digests of them, how
they are distributed, and one-bit sketches of a few units of every layer. The
file can be published, verified against the model, compared and indexed; it does
not give the weights away. A model larger than --budget has only its sketched
units read; the file then says that it holds no digests.

With --stdin --ndjson it reads one model reference a line and writes one JSON
record a line; a model that cannot be read gives a record with its error. With
-o FILE the records are appended to FILE, references that have a record there
are passed over, and a record that was cut off is made anew: a run that was
stopped goes on where it was.`,
		Example: "  weightprint fingerprint model/ -o model.wfp\n  ls -d models/* | weightprint fingerprint --stdin --ndjson -o prints.ndjson",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			most, err := budgetOf(budget)
			if err != nil {
				return err
			}
			n := networkOf(c.Context())
			if n.near, err = nearOf(near); err != nil {
				return err
			}
			n.spool = spool
			if dry && len(a) == 1 {
				return planPrint(c, a[0], most, asJSON)
			}
			if stdin != ndjson || stdin == (len(a) == 1) || !stdin && file == "" {
				return usageError{fmt.Errorf("fingerprint: give a model and -o FILE, or --stdin --ndjson")}
			}
			if stdin {
				return printAll(c, file, most)
			}
			to, err := destine(c, a, file, isFingerprint)
			if err != nil {
				return err
			}
			p := watched(c, most)
			p.base, p.applied = base, true
			f, err := p.of(c.Context(), a[0])
			if err != nil {
				return err
			}
			return to.write(func(w io.Writer) error { _, err := f.WriteTo(w); return err })
		},
	}
	fl := c.Flags()
	fl.StringVarP(&file, "output", "o", "", "file to write")
	fl.StringVar(&budget, "budget", "full", `"full", or a number of bytes: of larger models only sketches are made`)
	fl.StringVar(&base, "base", "", "the model that a LoRA adapter is applied to")
	fl.StringVar(&near, "near", "1KiB", "ask a server at once for ranges no further apart than this: fewer requests, more bytes")
	fl.StringVar(&spool, "spool", "", "a folder for what a server sends while it is read: two requests a shard, its beginning and the rest")
	fl.BoolVar(&stdin, "stdin", false, "read model references from the standard input")
	fl.BoolVar(&ndjson, "ndjson", false, "write one JSON record a line")
	fl.BoolVar(&dry, "dry-run", false, "print what would be read (files, tensors, bytes)")
	fl.BoolVar(&asJSON, "json", false, "with --dry-run: print JSON")
	return c
}

// budgetOf parses a --budget of fingerprints.
func budgetOf(s string) (int64, error) {
	b, err := report.ParseBytes(s)
	if err != nil {
		return 0, usageError{fmt.Errorf("--budget: %w", err)}
	}
	return int64(b), nil
}

// nearOf parses a --near.
func nearOf(s string) (int64, error) {
	b, err := report.ParseBytes(s)
	if err != nil || b == report.Full {
		return 0, usageError{fmt.Errorf("--near: a number of bytes such as 64KiB, not %s", escape.Printable(s))}
	}
	return int64(b), nil
}

// optionsFor are those of a fingerprint of which no more than sketches is made
// where the model has more than most bytes; 0 asks for these in any case.
func optionsFor(m *formats.Checkpoint, most int64) *fingerprint.Options {
	return &fingerprint.Options{SketchOnly: most != int64(report.Full) && m.BytesTotal() > most}
}

// planPrint prints what fingerprinting a model would read.
func planPrint(c *cobra.Command, ref string, most int64, asJSON bool) error {
	m, err := openModel(c.Context(), ref, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	return planned(plan.Fingerprint(report.Headers(m), optionsFor(m, most)), asJSON)(c.OutOrStdout())
}

// printing says how a fingerprint is made.
type printing struct {
	most    int64  // see optionsFor
	base    string // the model that an adapter is applied to, "" for none
	applied bool   // an adapter alone is an error
	watch   func(models ...*formats.Checkpoint) (stop func())
}

// printModel computes the fingerprint of a model, or reads it where ref is a
// fingerprint file.
func printModel(ctx context.Context, ref string, most int64) (*fingerprint.Fingerprint, error) {
	return quietly(most).of(ctx, ref)
}

func quietly(most int64) printing {
	return printing{most: most, watch: func(...*formats.Checkpoint) func() { return func() {} }}
}

// printWatched is printModel with progress.
func printWatched(c *cobra.Command, ref string, most int64) (*fingerprint.Fingerprint, error) {
	return watched(c, most).of(c.Context(), ref)
}

func watched(c *cobra.Command, most int64) printing {
	return printing{most: most, watch: func(models ...*formats.Checkpoint) func() { return watch(c, models...) }}
}

func (p printing) of(ctx context.Context, ref string) (*fingerprint.Fingerprint, error) {
	if isPrint(ref) {
		return readPrint(ref)
	}
	m, err := openModel(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	files, model, o := []*formats.Checkpoint{m}, tensor.Model(m), optionsFor(m, p.most)
	switch adapter := packed.IsAdapter(m); {
	case adapter && p.base != "":
		base, err := openModel(ctx, p.base, nil)
		if err != nil {
			return nil, err
		}
		defer base.Close()
		if model, err = packed.NewAdapter(base, m); err != nil {
			return nil, err
		}
		files, o = append(files, base), optionsFor(base, p.most)
	case adapter && p.applied:
		return nil, fmt.Errorf("%s is a LoRA adapter, which holds nothing of the weights that it was trained on; --base MODEL applies it to its base", ref)
	}
	if !o.SketchOnly {
		if err := fingerprint.Fits(model); err != nil {
			return nil, fmt.Errorf("%s: %w; a --budget below its size makes sketches, which list no tensors", escape.Printable(source.Redacted(ref)), err)
		}
	}
	stop := p.watch(files...)
	f, err := fingerprint.Compute(ctx, model, o)
	stop()
	for _, c := range files {
		err = cmp.Or(err, c.Verify())
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func isPrint(ref string) bool { return strings.HasSuffix(ref, ".wfp") }

func readPrint(file string) (*fingerprint.Fingerprint, error) {
	r, _, err := saferio.Open(file)
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
	stop := watch(c, m)
	d, err := f.Verify(c.Context(), m)
	stop()
	if err != nil {
		return err
	}
	if d != nil {
		fmt.Fprintf(c.OutOrStdout(), "differs: tensor %s: %s\n", escape.Printable(d.Tensor), escape.Visible(d.What))
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
		f, err := printModel(ctx, ref, 0)
		if err != nil {
			return nil, err
		}
		s[i] = report.Sketched{Ref: source.Redacted(ref), Fingerprint: f}
	}
	return report.Screen(s[0], s[1], o), nil
}
