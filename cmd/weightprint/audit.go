package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	claim, budget   string
	nonce           string
	dated           datedFlags
	file            string
	json            bool
	failOn, parents []string
	references      []string
}

func auditCommand() *cobra.Command {
	var f auditFlags
	c := &cobra.Command{
		Use:   "audit MODEL",
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
to each of them within a stated floor, or what it shares.

A claim is contradicted only by what excludes it. Exit codes: 1 for a
contradicted or confirmed claim that --fail-on names, 2 when a claimed parent
cannot be opened, 3 for an unproven claim, or none at all, with --fail-on unproven.`,
		Example: `  weightprint audit suspect/ --claim claim.json --fail-on contradicted
  weightprint audit suspect/ --parents models/ --json
  weightprint audit release/ --claim from-scratch --references models/`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return f.audit(c, a[0]) },
	}
	fl := c.Flags()
	fl.StringVar(&f.claim, "claim", "", "JSON file with the claim to check, or from-scratch")
	fl.StringSliceVar(&f.references, "references", nil, "models, or folders of them, that --claim from-scratch is held against")
	fl.StringSliceVar(&f.parents, "parents", nil, "folders that hold the parents which the model's files name")
	fl.StringVar(&f.budget, "budget", report.DefaultBudget.String(), `bytes to read of each model, such as 64MiB, or "full"`)
	fl.StringVar(&f.nonce, "nonce", "", "a text that nobody could foresee when the files were made (default: drawn, and recorded)")
	f.dated.flags(fl)
	fl.BoolVar(&f.json, "json", false, "print JSON")
	fl.StringVarP(&f.file, "output", "o", "", "write the result to a file")
	fl.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 1 (3 for unproven) on one of these outcomes: confirmed, contradicted, unproven")
	completes(c, "fail-on", []string{string(audit.Confirmed), string(audit.Contradicted), string(audit.Unproven)})
	return c
}

func (f *auditFlags) audit(c *cobra.Command, model string) error {
	budget, err := warnedBudget(f.budget, c.ErrOrStderr())
	if err != nil {
		return usageError{fmt.Errorf("--budget: %w", err)}
	}
	for _, x := range f.failOn {
		if known := []string{string(audit.Confirmed), string(audit.Contradicted), string(audit.Unproven)}; !slices.Contains(known, x) {
			return usageError{oneOf("fail-on", x, known)}
		}
	}
	to, err := destine(c, []string{model}, f.file, isResult)
	if err != nil {
		return err
	}
	if f.claim == fromScratch {
		return f.scratch(c, model, budget, to)
	}
	if len(f.references) > 0 {
		return usageError{errors.New("--references belongs to --claim from-scratch")}
	}
	claims, err := readClaims(f.claim)
	if err != nil {
		return err
	}
	n := networkOf(c.Context())
	o := &report.Options{Budget: budget, Parents: f.parents, Nonce: nonce(f.nonce, true), Private: n.private, Offline: n.offline, Lenient: n.lenient, Log: n.log}
	if err := f.dated.apply(o); err != nil {
		return err
	}
	all, err := audit.Run(c.Context(), model, claims, o)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return audit.WriteText(w, all) }
	if f.json {
		write = func(w io.Writer) error { return audit.WriteJSON(w, source.Redacted(model), o.Nonce, all) }
	}
	if err := to.write(write); err != nil {
		return err
	}
	return f.finding(all)
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

// fromScratch is the claim that a model was trained from scratch.
const fromScratch = "from-scratch"

// scratch holds that claim against references.
func (f *auditFlags) scratch(c *cobra.Command, model string, budget report.Bytes, to *destination) error {
	if len(f.references) == 0 {
		return usageError{errors.New("--claim from-scratch needs --references")}
	}
	n := networkOf(c.Context())
	o := &report.Options{Budget: budget, Nonce: nonce(f.nonce, true), Private: n.private, Offline: n.offline, Lenient: n.lenient, Log: n.log}
	var refs []string
	for _, r := range f.references {
		all, err := referencesOf(c, r, o)
		if err != nil {
			return err
		}
		refs = append(refs, all...)
	}
	cert, err := audit.Scratch(c.Context(), model, refs, o)
	if err != nil {
		return err
	}
	write := cert.WriteText
	if f.json {
		write = cert.WriteJSON
	}
	if err := to.write(write); err != nil {
		return err
	}
	return f.finding([]audit.Result{{Source: "references", Outcome: cert.Outcome}})
}

// referencesOf is a model, or all models of a folder that is none.
func referencesOf(c *cobra.Command, ref string, o *report.Options) ([]string, error) {
	m, err := openModel(c.Context(), ref, nil)
	if err == nil {
		return []string{ref}, m.Close()
	}
	if path, e := source.Local(ref); e == nil {
		if all, e := audit.References(c.Context(), path, o); e == nil {
			return all, nil
		}
	}
	return nil, err
}
