package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/faithful"
)

// faithfulFlags are the flags of faithful.
type faithfulFlags struct {
	format, file, importance string
	json, pin                bool
	asked                    bool // for this form, in so many words
	failOn                   []string
	named                    int
}

// faithfulForms are the forms of its report.
var faithfulForms = map[string]func(*faithful.Report, io.Writer) error{
	"text":   (*faithful.Report).WriteText,
	"json":   (*faithful.Report).WriteJSON,
	"md":     (*faithful.Report).WriteMarkdown,
	"intoto": (*faithful.Report).WriteStatement,
}

func faithfulCommand() *cobra.Command {
	var f faithfulFlags
	c := &cobra.Command{
		Use:   "faithful QUANTISED SOURCE",
		Short: "tell whether a quantised model is what its quantiser makes of a source",
		Long: `faithful holds every block of a quantised model against what the quantiser of its
type makes of the source, and says

  faithful      every block is byte for byte what the rule of its type gives
  reachable     every block is one that the quantiser can come to: sums that
                round otherwise, an importance matrix that nobody shows
  deviates      some block is neither; tensor, row, block, place and size follow
  undetermined  no block deviates, but some type is not determined by rounding,
                or some tensor has no counterpart in the source

Everything is read. GGUF's types are judged block for block, other layouts
(bitsandbytes, MLX, GPTQ, AWQ, FP8, MXFP4, NVFP4, INT8 …) value by value.
docs/FAITHFUL.md says what each type determines and how much is found.

A file that deviates need not be an attack: another source, another program or a
step in between does that too.

Exit codes: 1 for a verdict that --fail-on names (3 for undetermined), 2 when a
model cannot be read.`,
		Example: `  weightprint faithful model-q4_k_m.gguf model/
  weightprint faithful model-iq3_s.gguf model/ --importance imatrix.gguf --fail-on deviates,undetermined`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, refs []string) error { return f.run(c, refs) },
	}
	fl := c.Flags()
	fl.StringVar(&f.format, "format", "", "form of the result: text, json, md or intoto (default: what the ending of -o says, else text)")
	fl.BoolVar(&f.json, "json", false, "short for --format json")
	fl.StringVarP(&f.file, "output", "o", "", "write the result to a file")
	fl.StringVar(&f.importance, "importance", "", "importance matrix that the quantiser was given, as llama.cpp writes it")
	fl.IntVar(&f.named, "named", 20, "deviating blocks to name of each tensor")
	fl.BoolVar(&f.pin, "pin", false, "digest whole files")
	fl.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 1 (3 for undetermined) on one of these verdicts: reachable, deviates, undetermined, faithful")
	completes(c, "format", []string{"text", "json", "md", "intoto"})
	completesList(c, "fail-on", verdictNames())
	return c
}

func verdictNames() (out []string) {
	for _, v := range faithful.Verdicts {
		out = append(out, string(v))
	}
	return out
}

// check looks at the flags before any work is done.
func (f *faithfulFlags) check() error {
	if f.json {
		f.format = "json"
	}
	f.asked = f.format != ""
	if f.format == "" {
		f.format = formOf(f.file, faithfulForms)
	}
	if faithfulForms[f.format] == nil {
		return usageError{oneOf("format", f.format, []string{"text", "json", "md", "intoto"})}
	}
	for _, x := range f.failOn {
		if !slices.Contains(verdictNames(), x) {
			return usageError{oneOf("fail-on", x, verdictNames())}
		}
	}
	f.pin = f.pin || f.format == "intoto"
	return nil
}

func (f *faithfulFlags) run(c *cobra.Command, refs []string) error {
	if err := f.check(); err != nil {
		return err
	}
	to, err := destine(c, refs, f.file, isResult)
	if err != nil {
		return err
	}
	ctx := c.Context()
	o := &faithful.Options{Pin: f.pin, Named: f.named}
	if o.Importance, err = readImportance(ctx, f.importance); err != nil {
		return err
	}
	r, err := checkFaithful(c, refs, o)
	if err != nil {
		return err
	}
	if exchanged(r) {
		fmt.Fprintln(c.ErrOrStderr(), "weightprint: warning: the first model is larger than the second and is not made of it: the arguments seem to be exchanged; the quantised model comes first")
	}
	if err := f.write(c, to, r); err != nil {
		return err
	}
	switch {
	case !slices.Contains(f.failOn, string(r.Verdict)):
		return nil
	case r.Verdict == faithful.Undetermined:
		return exitCode(exitInconclusive)
	}
	return exitCode(exitFinding)
}

// exchanged tells whether the source seems to be named first.
func exchanged(r *faithful.Report) bool {
	made := r.Verdict == faithful.Faithful || r.Verdict == faithful.Reachable
	return !made && r.Quantised.BytesTotal > r.Source.BytesTotal
}

// write writes the report; with --quiet one line stands for what nobody asked for in
// another form or in a file.
func (f *faithfulFlags) write(c *cobra.Command, to *destination, r *faithful.Report) error {
	quiet, _ := c.Flags().GetBool("quiet") // every verb has it
	if to.target != nil || !quiet || f.asked {
		if err := to.write(func(w io.Writer) error { return faithfulForms[f.format](r, w) }); err != nil {
			return err
		}
	}
	if !quiet || to.target == nil && f.asked {
		return nil
	}
	_, err := fmt.Fprintln(c.OutOrStdout(), r.Summary())
	return err
}

// checkFaithful opens both models and holds them against each other.
func checkFaithful(c *cobra.Command, refs []string, o *faithful.Options) (*faithful.Report, error) {
	ctx := c.Context()
	quantised, err := openModel(ctx, refs[0], nil)
	if err != nil {
		return nil, err
	}
	defer quantised.Close()
	source, err := openModel(ctx, refs[1], nil)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	defer watch(c, quantised, source)()
	return faithful.Check(ctx, report.Headers(quantised), report.Headers(source), o)
}

// readImportance reads an importance matrix, nil where none is named.
func readImportance(ctx context.Context, name string) (map[string][]float32, error) {
	if name == "" {
		return nil, nil
	}
	file, info, err := saferio.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return faithful.ReadImportance(ctx, name, file, info.Size())
}
