package main

import (
	"errors"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// fromScratch is the claim that a model was trained from scratch.
const fromScratch = "from-scratch"

// scratch holds that claim against references.
func (f *auditFlags) scratch(c *cobra.Command, models []string, o *report.Options, form string, to *destination) error {
	if len(f.references) == 0 || len(models) != 1 || form != "text" && form != "json" {
		return usageError{errors.New("--claim from-scratch is of one model, needs --references, and is written as text or json")}
	}
	var refs []string
	var searched []audit.Searched
	for _, r := range f.references {
		if strings.HasSuffix(r, indexEnding) || isPrint(r) {
			s, err := searchIn(c, r, models[0])
			if err != nil {
				return err
			}
			searched = append(searched, *s)
			continue
		}
		all, err := referencesOf(c, r, o)
		if err != nil {
			return err
		}
		refs = append(refs, all...)
	}
	cert, err := audit.Scratch(c.Context(), models[0], refs, searched, o)
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

// indexEnding is that of files that hold an index of fingerprints.
const indexEnding = ".wpi"

// mostLeads bounds the entries of an index that are named.
const mostLeads = 20

// searchIn looks for a model in an index, or holds it against one fingerprint.
func searchIn(c *cobra.Command, ref, model string) (*audit.Searched, error) {
	f, err := printWatched(c, model, int64(report.Full))
	if err != nil {
		return nil, err
	}
	if isPrint(ref) {
		return against(ref, f)
	}
	x, err := index.Open(ref)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	found, err := x.Search(c.Context(), f, mostLeads, stats.LogP(math.Log(searchLevel)))
	if err != nil {
		return nil, err
	}
	warnOf(c, found.Skipped)
	d := store.Describe(found)
	out := &audit.Searched{Index: ref, Entries: d.Searched, Left: len(d.Skipped), Leads: []audit.Lead{}}
	for _, h := range append(d.Hits, d.Leads...) {
		out.Leads = append(out.Leads, audit.Lead{Name: h.Name, Same: h.Relation == verdict.Identical, Log10P: h.Log10P, Note: h.Note})
	}
	return out, nil
}

// against holds a model's fingerprint against another one.
func against(ref string, model *fingerprint.Fingerprint) (*audit.Searched, error) {
	f, err := readPrint(ref)
	if err != nil {
		return nil, err
	}
	out := &audit.Searched{Index: ref, Entries: 1, Leads: []audit.Lead{}}
	v := report.Screen(report.Sketched{Ref: ref, Fingerprint: f}, report.Sketched{Fingerprint: model}, nil).Verdict
	if same := v.Relation == verdict.Identical; same || v.Lead {
		out.Leads = append(out.Leads, audit.Lead{Name: ref, Same: same, Log10P: v.Log10P, Note: "the sketches correspond, as those of relatives, arranged or forged ones do; to be settled by compare"})
	}
	return out, nil
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
