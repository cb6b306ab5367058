package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/store"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	known           string
	claim, budget   string
	nonce           string
	dated           datedFlags
	file            string
	format          string
	json, changed   bool
	failOn, parents []string
	references      []string
}

func auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit MODEL…",
		Short: "hold a claimed lineage against the weights",
		Long: `audit checks an explicit claim, or else the parents that the model's own files
declare (model card, configuration, adapter, GGUF keys), and says confirmed,
contradicted or unproven. A claim is a JSON file:

  {"parent": "base/", "relation": "related", "kinds": ["fine-tuned"],
   "direction": "a-to-b", "root": "b3:…", "model": "b3:…", "files": ["<sha256>"]}

Only parent is needed: a path, also one relative to the model, or any name that
compare takes. root and model pin the values of the parent and of the model,
files the SHA-256 of files of the parent; direction is seen from the parent.

A declared parent is looked for in --parents, beside the model and in the hub's
local cache. Nothing is downloaded because a model's files name it.

A claim of direction is confirmed only by time stamps of both (--dated, --roots)
with --assume-no-access, and never contradicted by dates: a date shows that
something existed by a time, not that it did not exist before. Sampled positions
follow from a nonce that is drawn and recorded, unless --nonce gives one.

--claim from-scratch holds the claim that the model was trained from scratch against
--references (folders of models, or models): of every component, that it is unrelated
to each of them within a stated floor, or what it shares. An index of fingerprints
(.wpi) or a fingerprint (.wfp) among them gives leads and clears nothing. What is shared leaves the
claim unproven, as a reference may have been made from the model; only dates with
--assume-no-access contradict it.

With --changed the arguments are files that have changed, as pre-commit names them, and
the models in whose folders they lie are audited. --format sarif is for code scanning,
junit for other runners of tests.

A claim is contradicted only by what excludes it. Where no evidence was found, that is
at the stated power: a relative in a disguise that the comparison does not cover is
not excluded. Exit codes: 1 for a
contradicted or confirmed claim that --fail-on names, 2 when a claimed parent
cannot be opened, 3 for an unproven claim, or none at all, with --fail-on unproven.`,
		Example: `  weightprint audit suspect/ --claim claim.json --fail-on contradicted
  weightprint audit suspect/ --parents models/ --json
  weightprint audit release/ --parents models/ -o audit.sarif
  weightprint audit release/ --claim from-scratch --references models/`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return f.audit(c, a) },
	}
	fl := c.Flags()
	fl.StringVar(&f.claim, "claim", "", "JSON file with the claim to check, or from-scratch")
	fl.StringSliceVar(&f.references, "references", nil, "models, folders of them, or indexes, that --claim from-scratch is held against")
	fl.StringSliceVar(&f.parents, "parents", nil, "folders that hold the parents which the model's files name")
	fl.StringVar(&f.budget, "budget", report.DefaultBudget.String(), `bytes to read of each model, such as 64MiB, or "full"`)
	fl.StringVar(&f.known, "known", "", "index of known models, or postgres://…, in which relatives are looked for; it decides no claim")
	fl.StringVar(&f.nonce, "nonce", "", "a text that nobody could foresee when the files were made (default: drawn, and recorded)")
	f.dated.flags(fl)
	fl.StringVar(&f.format, "format", "", "form of the result: text, json, sarif or junit (default: what the ending of -o says, else text)")
	fl.BoolVar(&f.json, "json", false, "short for --format json")
	fl.BoolVar(&f.changed, "changed", false, "the arguments are files that have changed; audit the models that they belong to")
	fl.StringVarP(&f.file, "output", "o", "", "write the result to a file")
	fl.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 1 (3 for unproven) on one of these outcomes: confirmed, contradicted, unproven")
	completesList(c, "fail-on", []string{string(audit.Confirmed), string(audit.Contradicted), string(audit.Unproven)})
	completes(c, "format", auditForms)
	return c
}

// auditForms are the forms of an audit.
var auditForms = []string{"text", "json", "sarif", "junit"}

// form is the form to write, as the flags or the ending of the output file say.
func (f *auditFlags) form() (string, error) {
	form := f.format
	switch {
	case f.json:
		form = "json"
	case form == "":
		form = map[string]string{".json": "json", ".sarif": "sarif", ".xml": "junit"}[filepath.Ext(f.file)]
	}
	if form == "" {
		form = "text"
	}
	if !slices.Contains(auditForms, form) {
		return "", usageError{oneOf("format", form, auditForms)}
	}
	return form, nil
}

func (f *auditFlags) audit(c *cobra.Command, models []string) error {
	o, err := f.options(c)
	if err != nil {
		return err
	}
	form, err := f.form()
	if err != nil {
		return err
	}
	if f.changed {
		models = belonging(models)
	}
	if form == "json" && len(models) != 1 || len(models) > 1 && f.claim != "" {
		return usageError{errors.New("audit: JSON and a claim are for one model; sarif and junit take several")}
	}
	to, err := destine(c, models, f.file, isResult)
	if err != nil {
		return err
	}
	if f.claim == fromScratch {
		return f.scratch(c, models, o, form, to)
	}
	if len(f.references) > 0 {
		return usageError{errors.New("--references belongs to --claim from-scratch")}
	}
	all, err := f.run(c, models, o)
	if err != nil {
		return err
	}
	failing, err := outcomesOf(f.failOn)
	if err != nil {
		return err
	}
	if err := to.write(auditWriter(form, all, failing)); err != nil {
		return err
	}
	return f.findings(all)
}

// options are what all comparisons of the audit go by.
func (f *auditFlags) options(c *cobra.Command) (*report.Options, error) {
	budget, err := warnedBudget(f.budget, c.ErrOrStderr())
	if err != nil {
		return nil, usageError{fmt.Errorf("--budget: %w", err)}
	}
	if _, err := outcomesOf(f.failOn); err != nil {
		return nil, err
	}
	n := networkOf(c.Context())
	o := &report.Options{Budget: budget, Parents: f.parents, Nonce: nonce(f.nonce, true), Private: n.private, Offline: n.offline, Lenient: n.lenient, Component: n.component, Log: n.log}
	return o, f.dated.apply(o)
}

// outcomesOf reads names of outcomes.
func outcomesOf(names []string) (out []audit.Outcome, err error) {
	known := []string{string(audit.Confirmed), string(audit.Contradicted), string(audit.Unproven)}
	for _, x := range names {
		if !slices.Contains(known, x) {
			return nil, usageError{oneOf("fail-on", x, known)}
		}
		out = append(out, audit.Outcome(x))
	}
	return out, nil
}

// auditWriter writes audits in one of auditForms.
func auditWriter(form string, all []audit.Audited, failing []audit.Outcome) func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"text": func(w io.Writer) error { return writeAudits(w, all) },
		"json": func(w io.Writer) error {
			return audit.WriteJSON(w, source.Redacted(all[0].Model), all[0].Nonce, all[0].Known, all[0].Results)
		},
		"sarif": func(w io.Writer) error { return audit.WriteSARIF(w, all, failing...) },
		"junit": func(w io.Writer) error { return audit.WriteJUnit(w, all, failing...) },
	}[form]
}

// run audits the models one by one.
func (f *auditFlags) run(c *cobra.Command, models []string, o *report.Options) ([]audit.Audited, error) {
	claims, err := readClaims(f.claim)
	if err != nil {
		return nil, err
	}
	quiet, _ := c.Flags().GetBool("quiet") // every verb has it
	tell, stop := follow(c.Context(), c.ErrOrStderr(), quiet)
	defer stop()
	o.Progress = tell
	var all []audit.Audited
	for _, m := range models {
		results, err := audit.Run(c.Context(), m, claims, o)
		if err != nil {
			return nil, err
		}
		known, err := f.relatives(c, m)
		if err != nil {
			return nil, err
		}
		all = append(all, audit.Audited{Model: m, Claim: f.claim, Nonce: o.Nonce, Results: results, Known: known})
	}
	return all, nil
}

// writeAudits writes the outcomes for people, under the model's name where there are
// several.
func writeAudits(w io.Writer, all []audit.Audited) error {
	for i, x := range all {
		if len(all) > 1 {
			if _, err := fmt.Fprintf(w, "%s%s\n", strings.Repeat("\n", min(i, 1)), escape.Printable(x.Model)); err != nil {
				return err
			}
		}
		if err := audit.WriteText(w, x.Results); err != nil {
			return err
		}
		if known, ok := x.Known.(*store.Found); ok {
			fmt.Fprint(w, "among known models: ")
			known.WriteText(w)
		}
	}
	return nil
}

// belonging lists the folders of changed files that hold a model, each once. What has
// been removed, and folders without weights, are left out.
func belonging(files []string) (out []string) {
	for _, file := range files {
		dir := filepath.Dir(file)
		if slices.Contains(out, dir) {
			continue
		}
		for _, ending := range []string{"safetensors", "gguf", "bin", "pt", "pth", "onnx", "h5", "keras", "msgpack", "npz", "tflite"} {
			if found, _ := filepath.Glob(filepath.Join(dir, "*."+ending)); found != nil { // the pattern is well formed but for the folder's name
				out = append(out, dir)
				break
			}
		}
	}
	return out
}

// findings is the gravest exit code of all models.
func (f *auditFlags) findings(all []audit.Audited) error {
	var worst error
	for _, x := range all {
		err := f.finding(x.Results)
		var code exitCode
		if errors.As(err, &code) && (worst == nil || code != exitInconclusive) {
			worst = err
		}
	}
	return worst
}

// finding turns outcomes into an exit code. A claim that could not be looked at
// never passes for one that was.
func (f *auditFlags) finding(all []audit.Result) error {
	open := len(all) == 0
	for _, x := range all {
		switch {
		case x.Source == "claim" && x.Opened == "":
			return exitCode(exitError)
		case x.Outcome == audit.Unproven:
			open = true
		case slices.Contains(f.failOn, string(x.Outcome)):
			return exitCode(exitFinding)
		}
	}
	if open && slices.Contains(f.failOn, string(audit.Unproven)) {
		return exitCode(exitInconclusive)
	}
	return nil
}

func readClaims(file string) ([]audit.Claim, error) {
	if file == "" {
		return nil, nil
	}
	f, _, err := saferio.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := audit.ReadClaim(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return []audit.Claim{c}, nil
}
