package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	base        string // base of adapters
	key         string // public key of the signer
	report      string // the report that a statement is about
	noSignature bool
	extra       bool
	opening     string // of a commitment
	policy      int    // that the report must be of; 0 for any
	program     string // that holds that policy, where this one does not
	dated       datedFlags
	disclosed   string // time before which the commitments of a dispute had to be made
	signed      bool   // set once the signature was checked
	folder      string // of the case that the report lies in
}

func verifyCommand() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify FILE [MODEL…]",
		Short: "make a report anew, or hold models against what was stated of them",
		Long: `verify holds models against a file that states something of them. It exits with
4 and names the first difference when they differ.

  verify REPORT.json A B       runs the comparison that the report states, with the
                               options it states, and compares every field; with
                               --dated and --roots the tokens of its dates too
  verify SIGNED.json A B       checks the signature of a comparison (--key), runs it
                               anew and compares; without A and B the signature only
  verify MODEL.sig MODEL       checks the signature of a model (OpenSSF Model
                               Signing, --key) and digests its files
  verify MANIFEST.json MODEL   the same for a manifest without a signature
  verify PRINT.wfp MODEL       holds a model against its fingerprint
  verify COMMIT MODEL --opening FILE
                               shows that a model is the one committed to
  verify DIR [A B]             checks the folder of a case; with A and B all of it anew
  verify CASE/transcript.jsonl [A B]
                               replays a dispute; with A and B the comparison too`,
		Example: `  weightprint verify report.json base/ suspect/
  weightprint verify report.dsse.json base/ suspect/ --key auditor.pub.pem
  weightprint verify model.sig model/ --key maker.pub.pem
  weightprint verify model.commit model/ --opening model.commit.opening`,
		Args: args(cobra.RangeArgs(1, 3)),
		RunE: func(c *cobra.Command, a []string) error { return f.verify(c, a[0], a[1:]) },
	}
	fl := c.Flags()
	fl.StringVar(&f.key, "key", "", "the signer's public key, a PEM file")
	fl.StringVar(&f.report, "report", "", "also require that this is the report that was signed")
	fl.StringVar(&f.base, "base", "", "the model that a LoRA adapter among A and B was applied to")
	fl.BoolVar(&f.noSignature, "no-signature", false, "leave the signature unchecked and say so")
	fl.BoolVar(&f.extra, "ignore-unsigned-files", false, "allow files that the manifest of a model does not list")
	fl.StringVar(&f.opening, "opening", "", "the opening of a commitment")
	fl.IntVar(&f.policy, "policy", 0, "require that the report was drawn under this policy, and judge by it")
	fl.StringVar(&f.program, "program", "", "the program that holds the policy of --policy, where this one does not: it makes the report anew")
	fl.StringVar(&f.disclosed, "disclosed", "", "of a dispute: the time before which the parties had to commit, if not that of the beacon")
	f.dated.tokens(fl)
	return c
}

// maxStatement bounds the files that verify and sign read.
const maxStatement = 32 << 20

// readSmall reads a file that is no model.
func readSmall(name string) ([]byte, error) {
	return saferio.ReadFile(name, maxStatement)
}

// verify looks at what kind of file it is and how many models it takes.
func (f *verifyFlags) verify(c *cobra.Command, file string, models []string) error {
	if f.key != "" && f.noSignature {
		return usageError{errors.New("verify: --key has the signature checked, --no-signature leaves it unchecked; give one of them")}
	}
	if f.opening != "" {
		if len(models) != 1 {
			return usageError{fmt.Errorf("verify: a commitment takes one model")}
		}
		if err := takes(c, "a commitment", "opening"); err != nil {
			return err
		}
		return verifyCommitment(c, file, models[0], f.opening)
	}
	if isCase(file) {
		return f.verifyCase(c, file, models)
	}
	if isPrint(file) {
		if len(models) != 1 {
			return usageError{fmt.Errorf("verify: a fingerprint takes one model")}
		}
		if err := takes(c, "a fingerprint"); err != nil {
			return err
		}
		return verifyFingerprint(c, file, models[0])
	}
	text, err := readSmall(file)
	if err != nil {
		return err
	}
	if isTranscript(text) {
		return f.verifyDispute(c, file, models)
	}
	var kind struct {
		Type     string          `json:"_type"`
		Payload  *string         `json:"payload"`
		Envelope json.RawMessage `json:"dsseEnvelope"`
	}
	// What cannot be read here is named by the reader of reports below.
	if err := json.Unmarshal(text, &kind); err == nil && (kind.Type != "" || kind.Payload != nil || kind.Envelope != nil) {
		return f.verifyStatement(c, file, text, models)
	}
	if len(models) != 2 {
		return usageError{fmt.Errorf("verify: a report takes two models, A and B")}
	}
	if err := takes(c, "a report without a signature", "base", "policy", "program", "dated", "roots"); err != nil {
		return err
	}
	return f.verifyReport(c, file, text, models)
}

// checking are the flags of verify that ask for something to be checked, or not.
var checking = []string{"key", "report", "base", "no-signature", "ignore-unsigned-files", "opening", "policy", "dated", "roots", "disclosed", "program"}

// takes refuses flags that say nothing about a kind of file: who gives them
// believes that they were heeded.
func takes(c *cobra.Command, kind string, flags ...string) error {
	for _, name := range checking {
		if c.Flags().Changed(name) && !slices.Contains(flags, name) {
			return usageError{fmt.Errorf("verify: --%s says nothing about %s", name, kind)}
		}
	}
	return nil
}

func (f *verifyFlags) verifyReport(c *cobra.Command, file string, text []byte, models []string) error {
	want, err := report.ParseJSON(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := possible(c.OutOrStdout(), &want.Options); err != nil {
		return err
	}
	if f.program != "" && f.policy == 0 {
		return usageError{errors.New("verify: --program says by which program to judge, --policy by which policy; give both")}
	}
	here, err := underPolicy(c.OutOrStdout(), want, f, file, models)
	if err != nil {
		return err
	}
	if !here {
		return f.judgedBy(c, f.policy, file, models)
	}
	got, err := f.again(c, models, want.Options)
	if err != nil {
		return err
	}
	d, err := report.DiffersJSON(text, got)
	if err != nil {
		return err
	}
	if d != nil {
		words, swapped := want.SubjectsDiffer(got)
		err := differs(c.OutOrStdout(), d, want.Tool.Version)
		explain(c.OutOrStdout(), words, swapped, cmp.Or(f.folder, file), models)
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), "verified: every field of the report is as stated, apart from the names of the models and the program's version, which were not compared")
	unusual(c.OutOrStdout(), want.Options)
	f.dated.unchecked(c.OutOrStdout(), want.Options)
	return nil
}

// again makes a report with given options, and shows progress while it does.
func (f *verifyFlags) again(c *cobra.Command, models []string, o report.Options) (*report.Report, error) {
	if isPrint(models[0]) || isPrint(models[1]) {
		return screen(c.Context(), models, &o)
	}
	if len(f.dated.files) > 0 {
		var err error
		if o.Dates, err = f.dated.read(); err != nil {
			return nil, err
		}
	}
	n := networkOf(c.Context())
	o.Private, o.Offline, o.Log = n.private, n.offline, n.log
	n.component = o.Component
	as := compareFlags{base: f.base, lenient: o.Lenient}
	as.quiet, _ = c.Flags().GetBool("quiet") // every verb has it
	return as.compare(c.Context(), models, &o, c.ErrOrStderr())
}

// possible finds options that no comparison can have, whoever states them.
func possible(w io.Writer, o *report.Options) error {
	if err := o.Check(); err != nil {
		fmt.Fprintf(w, "differs: %s\n", oneLine(err))
		return exitCode(exitMismatch)
	}
	return nil
}

// explain says which file is another, and where A and B were only exchanged.
func explain(w io.Writer, words string, swapped bool, file string, models []string) {
	switch {
	case swapped:
		fmt.Fprintf(w, "A and B stand in each other's place; try: weightprint verify %s %s %s\n", escape.Printable(file), escape.Printable(models[1]), escape.Printable(models[0]))
	case words != "":
		fmt.Fprintf(w, "not the models of the report: %s\n", escape.Visible(words))
	}
}

// differs names the first difference and, where another version made the
// report, says so.
func differs(w io.Writer, d *report.Difference, version string) error {
	fmt.Fprintf(w, "differs: %s is %s in the report and %s anew\n", d.Path, d.Want, d.Got)
	if here := report.Version(); version != here {
		fmt.Fprintf(w, "the report was made by version %q, this is version %q\n", version, here)
	}
	return exitCode(exitMismatch)
}

// unusual says where a report was made with other thresholds than the default
// ones: it is as stated, but not as anyone would expect.
func unusual(w io.Writer, o report.Options) {
	usual := verdict.DefaultPolicy()
	if o.Policy != usual {
		fmt.Fprintf(w, "note: the report was made with alpha %g and cosine %g, where the defaults are %g and %g\n", o.Policy.Alpha, o.Policy.Cosine, usual.Alpha, usual.Cosine)
	}
}
