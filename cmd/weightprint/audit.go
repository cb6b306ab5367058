package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// auditFlags are the flags of audit.
type auditFlags struct {
	claim, budget   string
	known           string
	nonce           string
	dated           datedFlags
	file            string
	json            bool
	failOn, parents []string
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

A claim is contradicted only by what excludes it. Exit codes: 1 for a
contradicted or confirmed claim that --fail-on names, 2 when a claimed parent
cannot be opened, 3 for an unproven claim, or none at all, with --fail-on unproven.`,
		Example: `  weightprint audit suspect/ --claim claim.json --fail-on contradicted
  weightprint audit suspect/ --parents models/ --json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error { return f.audit(c, a[0]) },
	}
	fl := c.Flags()
	fl.StringVar(&f.claim, "claim", "", "JSON file with the claim to check")
	fl.StringSliceVar(&f.parents, "parents", nil, "folders that hold the parents which the model's files name")
	fl.StringVar(&f.budget, "budget", report.DefaultBudget.String(), `bytes to read of each model, such as 64MiB, or "full"`)
	fl.StringVar(&f.known, "known", "", "index of known models, or postgres://…, in which relatives are looked for; it decides no claim")
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
	known, err := f.relatives(c, model)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		err := audit.WriteText(w, all)
		if known != nil {
			fmt.Fprintf(w, "among known models: ")
			known.WriteText(w)
		}
		return err
	}
	if f.json {
		write = func(w io.Writer) error {
			if known == nil { // and not a nil pointer in an interface
				return audit.WriteJSON(w, source.Redacted(model), o.Nonce, nil, all)
			}
			return audit.WriteJSON(w, source.Redacted(model), o.Nonce, known, all)
		}
	}
	if err := to.write(write); err != nil {
		return err
	}
	return f.finding(all)
}

// knownTop is how many known relatives an audit names.
const knownTop = 5

// relatives looks for the model among known ones; nil where none were named. What it
// finds decides no claim.
func (f *auditFlags) relatives(c *cobra.Command, model string) (*store.Found, error) {
	if f.known == "" {
		return nil, nil
	}
	at := place{file: f.known}
	if store.IsDSN(f.known) {
		at = place{dsn: f.known}
	}
	s, err := at.open(c)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	print, err := printWatched(c, model, int64(report.Full))
	if err != nil {
		return nil, err
	}
	found, err := s.Search(c.Context(), print, knownTop, stats.LogP(math.Log(searchLevel)))
	if err != nil {
		return nil, err
	}
	warnOf(c, found.Skipped)
	return store.Describe(found), nil
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
