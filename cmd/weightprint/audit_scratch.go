package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
)

// fromScratch is the claim that a model was trained from scratch.
const fromScratch = "from-scratch"

// scratch holds that claim against references.
func (f *auditFlags) scratch(c *cobra.Command, models []string, o *report.Options, form string, to *destination) error {
	if len(f.references) == 0 || len(models) != 1 || form != "text" && form != "json" {
		return usageError{errors.New("--claim from-scratch is of one model, needs --references, and is written as text or json")}
	}
	var refs []string
	for _, r := range f.references {
		all, err := referencesOf(c, r, o)
		if err != nil {
			return err
		}
		refs = append(refs, all...)
	}
	cert, err := audit.Scratch(c.Context(), models[0], refs, o)
	if err != nil {
		return err
	}
	write := cert.WriteText
	if form == "json" {
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
