package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/plan"
	"github.com/weightprint/weightprint/report/verdict"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	budget, depth string
	base          string
	nonce         string
	failOn        []string
	quiet         bool
	verbose       bool
	lenient, pin  bool
	dry           bool
	dated         datedFlags
	out           output
}

func compareCommand() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare A B",
		Short: "compare two checkpoints and print a verdict with its evidence",
		Long: `compare opens two checkpoints, reads a few MiB of each, runs the tests and
prints the verdict on one screen: how sure, what it rests on, what it does not
exclude, what to do next. -v prints all of the evidence; files hold all of it.

A and B are files of the formats that are read, folders that hold them, an
*.index.json, or any shard of a set; formats may differ. They may also be
hf:org/name[@revision][:file] (the hub's cache, then the hub), https://… (a file,
or a folder with a slash behind it), ollama:name[:tag] or
lmstudio:publisher/model: of remote models only what is tested is fetched. A LoRA adapter (PEFT) is
compared as if it were merged into the other side, or into --base.`,
		Example: `  weightprint compare base/ suspect.gguf
  weightprint compare base/ suspect/ --budget full --json -o report.json
  weightprint compare base/ release/ --fail-on related,reencoded,identical -q`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, a []string) error { return compare(c, a, f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.budget, "budget", report.DefaultBudget.String(), `bytes to read of each model, such as 64MiB, or "full"`)
	fl.StringVar(&f.depth, "depth", string(report.Normal), "how far to go: quick (first look only), normal (until settled), full (everything)")
	fl.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 1 when one of these relations is found (3 for inconclusive)")
	fl.BoolVarP(&f.quiet, "quiet", "q", false, "print the verdict in one line, and no progress")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "print everything: digests, components, layers, roles, every test with its figures, limits")
	fl.StringVar(&f.base, "base", "", "the model that a LoRA adapter among A and B is applied to (default: the other one)")
	fl.StringVar(&f.nonce, "nonce", "", "a text that nobody could foresee when the files were made, such as a public beacon's value: sampled positions follow from it (default: none; one is drawn for --format intoto)")
	fl.BoolVar(&f.pin, "pin", false, "read the files whole for their digests, also where the budget compares only a part")
	fl.BoolVar(&f.lenient, "lenient", false, "open files that break a rule harmlessly, with a warning")
	fl.BoolVar(&f.dry, "dry-run", false, "open both models and print what would be read of them (files, tensors, bytes)")
	f.dated.flags(fl)
	f.out.flags(fl)
	c.MarkFlagsMutuallyExclusive("quiet", "verbose")
	completes(c, "depth", []string{string(report.Quick), string(report.Normal), string(report.Deep)})
	completesList(c, "fail-on", relationNames())
	completes(c, "format", formNames)
	completes(c, "budget", []string{report.DefaultBudget.String(), "full"})
	return c
}

func compare(c *cobra.Command, a []string, f compareFlags) error {
	o, err := f.options(c.ErrOrStderr())
	if err != nil {
		return usageError{err}
	}
	o.Component = networkOf(c.Context()).component
	to, err := destine(c, a, f.out.file, isResult)
	if err != nil {
		return err
	}
	if f.dry {
		return f.plan(c, a, o, to)
	}
	if err := f.dated.apply(o); err != nil {
		return err
	}
	make := func() (*report.Report, error) { return f.compare(c.Context(), a, o, c.ErrOrStderr()) }
	if isPrint(a[0]) || isPrint(a[1]) {
		if len(f.dated.files) > 0 {
			return usageError{errors.New("--dated binds models by their bytes; of a fingerprint none are at hand")}
		}
		make = func() (*report.Report, error) { return screen(c.Context(), a, o) }
	}
	r, err := make()
	if err != nil {
		return err
	}
	if err := f.write(c, to, r); err != nil {
		return err
	}
	return f.finding(r)
}

// write writes the report. One screen and the one line of --quiet are for people:
// files, and forms that were asked for, are whole. Beside a file the verdict stands
// on the terminal.
func (f *compareFlags) write(c *cobra.Command, to *destination, r *report.Report) error {
	stdout := c.OutOrStdout()
	if to.target != nil || !f.quiet || f.out.asked {
		if err := to.write(f.out.report(r, stdout, f.verbose)); err != nil {
			return err
		}
	}
	line := io.Discard
	switch {
	case f.quiet && (to.target != nil || !f.out.asked):
		line = stdout
	case to.target != nil:
		line = c.ErrOrStderr()
	}
	_, err := fmt.Fprintln(line, r.Summary())
	return err
}

// options checks the flags.
func (f *compareFlags) options(stderr io.Writer) (*report.Options, error) {
	o := &report.Options{Depth: report.Depth(f.depth), Lenient: f.lenient}
	var err error
	if o.Budget, err = warnedBudget(f.budget, stderr); err != nil {
		return nil, fmt.Errorf("--budget: %w", err)
	}
	if !slices.Contains([]report.Depth{report.Quick, report.Normal, report.Deep}, o.Depth) {
		return nil, oneOf("depth", f.depth, []string{"quick", "normal", "full"})
	}
	for _, name := range f.failOn {
		if !slices.Contains(verdict.Relations(), verdict.Relation(name)) {
			return nil, oneOf("fail-on", name, relationNames())
		}
	}
	err = f.out.check()
	exhibit := f.out.format == "intoto"
	o.Pin, o.Nonce = f.pin || exhibit, nonce(f.nonce, exhibit)
	return o, err
}

func relationNames() []string {
	names := make([]string, len(verdict.Relations()))
	for i, r := range verdict.Relations() {
		names[i] = string(r)
	}
	return names
}

// compare opens both models and shows progress while they are read.
func (f *compareFlags) compare(ctx context.Context, a []string, o *report.Options, stderr io.Writer) (*report.Report, error) {
	open, in, err := f.open(ctx, a, o)
	defer closeAll(open)
	if err != nil {
		return nil, err
	}
	tell, stop := follow(ctx, stderr, f.quiet)
	o.Progress = tell
	r, err := report.Build(ctx, in[0], in[1], o)
	stop()
	if err != nil {
		return nil, err
	}
	for _, m := range open {
		if err := m.Verify(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// open opens both models and, where it is named, the base of adapters. What is
// open is to be closed also after an error.
func (f *compareFlags) open(ctx context.Context, a []string, o *report.Options) (open []*formats.Checkpoint, in []report.Input, err error) {
	refs := a
	if f.base != "" {
		refs = append(slices.Clone(a), f.base)
	}
	for _, ref := range refs {
		m, err := openModel(ctx, ref, &formats.Options{Lenient: f.lenient})
		if err != nil {
			return open, nil, err
		}
		open, in = append(open, m), append(in, report.FromCheckpoint(ctx, m))
	}
	if f.base != "" {
		o.Base = &in[2]
	}
	return open, in, nil
}

func closeAll(open []*formats.Checkpoint) {
	for _, m := range open {
		m.Close() // it was only read from
	}
}

// plan opens the models and prints what a comparison would read.
func (f *compareFlags) plan(c *cobra.Command, a []string, o *report.Options, to *destination) error {
	open, in, err := f.open(c.Context(), a, o)
	defer closeAll(open)
	if err != nil {
		return err
	}
	p, err := plan.Compare(c.Context(), in[0], in[1], o)
	if err != nil {
		return err
	}
	return to.write(planned(p, f.out.format == "json"))
}

// planned writes a plan in either of its forms.
func planned(p *plan.Plan, asJSON bool) func(io.Writer) error {
	if asJSON {
		return p.WriteJSON
	}
	return p.WriteText
}

// finding turns the verdict into an exit code, if asked for.
func (f *compareFlags) finding(r *report.Report) error {
	if !slices.Contains(f.failOn, string(r.Verdict.Relation)) {
		return nil
	}
	if r.Verdict.Relation == verdict.Inconclusive {
		return exitCode(exitInconclusive)
	}
	return exitCode(exitFinding)
}
