package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

func indexCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "index",
		Short:   "keep many fingerprints and search them",
		Long:    "index keeps fingerprints in two append-only files, FILE and FILE.details, and finds\nthe models that share an origin with another.",
		Example: "  weightprint index add --index models.wpi models/*\n  weightprint index search --index models.wpi suspect/",
	}
	var file string
	c.PersistentFlags().StringVar(&file, "index", "", "index file")
	if err := c.MarkPersistentFlagRequired("index"); err != nil {
		panic(err)
	}
	c.AddCommand(indexAdd(&file), indexSearch(&file), indexList(&file), indexMerge(&file))
	return c
}

func indexAdd(file *string) *cobra.Command {
	var ndjson bool
	c := &cobra.Command{
		Use:   "add MODEL…",
		Short: "add models or fingerprint files, under their names",
		Long: `add appends fingerprints; what has the same name and the same values is added
once. Models with the values of an earlier entry are added under their own name,
and the output says whose values they are.`,
		Example: "  weightprint index add --index models.wpi base/ base.wfp\n  weightprint index add --index models.wpi --ndjson < prints.ndjson",
		RunE: func(c *cobra.Command, refs []string) error {
			if len(refs) == 0 && !ndjson {
				return usageError{fmt.Errorf("index add: no models given")}
			}
			return addAll(c, *file, refs, ndjson)
		},
	}
	c.Flags().BoolVar(&ndjson, "ndjson", false, "read records of fingerprint --ndjson from the standard input")
	return c
}

// addAll adds models one by one and records some at a time, so that what was
// done before an error stays.
func addAll(c *cobra.Command, file string, refs []string, ndjson bool) error {
	w, err := index.OpenWriter(file)
	if err != nil {
		return err
	}
	defer w.Close()
	var total index.Added
	add := func(all []index.Entry) error {
		a, err := w.Add(all...)
		total.New, total.Known, total.Copies = total.New+a.New, total.Known+a.Known, append(total.Copies, a.Copies...)
		return err
	}
	for _, ref := range refs {
		f, err := printWatched(c, ref, int64(report.Full))
		if err != nil {
			return err
		}
		if err := add([]index.Entry{{Name: nameOf(ref), Fingerprint: f}}); err != nil {
			return err
		}
	}
	failed := 0
	if ndjson {
		if failed, err = readLines(c.InOrStdin(), add); err != nil {
			return err
		}
	}
	out := c.OutOrStdout()
	for _, x := range total.Copies {
		fmt.Fprintf(out, "%s has the values of %s\n", escape.Printable(x.Name), escape.Printable(x.Of))
	}
	fmt.Fprintf(out, "added %d of %d\n", total.New, total.New+total.Known)
	if failed > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: %d records of errors were passed over\n", failed)
	}
	return w.Close()
}

// nameOf is the last part of a reference that says something.
func nameOf(ref string) string {
	name := filepath.Base(filepath.Clean(ref))
	if ext := filepath.Ext(name); ext == ".wfp" {
		name = name[:len(name)-len(ext)]
	}
	return name
}

func indexSearch(file *string) *cobra.Command {
	var top int
	var asJSON bool
	var level float64
	var budget, base string
	c := &cobra.Command{
		Use:   "search MODEL",
		Short: "find the entries that share an origin with a model",
		Long: `search tests a model against every entry that is near it and prints those that
share an origin with it: a copy, a parent, a child, a sibling, or no more than
the same random initialisation. Which of these, a comparison of weights says.

Leads are entries whose units look alike to the same tokens although no exact
test finds them: a relative that was disguised looks so. They have no p-value.`,
		Example: "  weightprint index search --index models.wpi suspect/",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if !(level > 0 && level < 1) || top < 1 {
				return usageError{fmt.Errorf("index search: --level lies between 0 and 1, --top is at least 1")}
			}
			most, err := budgetOf(budget)
			if err != nil {
				return err
			}
			p := watched(c, most)
			p.base, p.applied = base, true
			f, err := p.of(c.Context(), a[0])
			if err != nil {
				return err
			}
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			defer x.Close()
			found, err := x.Search(c.Context(), f, top, stats.LogP(math.Log(level)))
			if err != nil {
				return err
			}
			return writeFound(c.OutOrStdout(), found, asJSON)
		},
	}
	fl := c.Flags()
	fl.IntVar(&top, "top", 10, "at most so many hits")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	fl.Float64Var(&level, "level", 1e-3, "largest p-value of a hit, corrected for the number of entries")
	fl.StringVar(&base, "base", "", "the model that a LoRA adapter is applied to")
	fl.StringVar(&budget, "budget", "full", `"full", or a number of bytes: larger models are searched by fewer sketches`)
	return c
}

// hit is the JSON form of a search result.
type hit struct {
	Name     string           `json:"name"`
	Log10P   *verdict.Number  `json:"log10P"` // corrected for the number of entries searched; null for leads
	Relation verdict.Relation `json:"relation"`
	Test     string           `json:"test"`
	Matching int              `json:"matchingUnits"`
	Units    int              `json:"units"`
	Alike    int              `json:"alikeToTokens"` // units that the same tokens find and that look alike
	Probed   int              `json:"probed"`
	Note     string           `json:"note"`
}

// sharedShare is the share of alike units below which a hit may be no more than
// the same initialisation: training makes other units answer to a token.
const sharedShare = 0.1

func hitOf(h *index.Hit) hit {
	x := hit{Name: h.Name, Relation: verdict.Related, Test: h.Evidence.Test, Matching: int(h.Evidence.Statistic), Units: h.Evidence.N, Alike: int(h.Agreement.Statistic), Probed: h.Agreement.N}
	p := verdict.Number(h.P.Log10())
	x.Log10P = &p
	switch {
	case h.Same:
		x.Relation, x.Note = verdict.Identical, "the same values"
	case h.Evidence.P != nil && x.Probed > 0 && float64(x.Alike) < sharedShare*float64(x.Probed):
		x.Note = "screening hit: common origin, perhaps no more than the same random initialisation; to be settled by compare"
	default:
		x.Note = "screening hit: common origin, to be settled by compare"
	}
	return x
}

func leadOf(h *index.Hit) hit {
	x := hitOf(h)
	x.Log10P, x.Relation, x.Test = nil, verdict.Inconclusive, h.Agreement.Test
	x.Matching, x.Units = x.Alike, x.Probed
	x.Note = "lead: units look alike to the same tokens, though no exact test finds them; to be settled by compare"
	return x
}

func writeFound(w io.Writer, found *index.Found, asJSON bool) error {
	hits, leads := []hit{}, []hit{}
	for i := range found.Hits {
		hits = append(hits, hitOf(&found.Hits[i]))
	}
	for i := range found.Leads {
		leads = append(leads, leadOf(&found.Leads[i]))
	}
	if asJSON {
		return escape.WriteJSON(w, map[string]any{"searched": found.Searched, "quarantined": found.Quarantined, "hits": hits, "leads": leads})
	}
	fmt.Fprintf(w, "searched %d entries, %d hits; p-values are corrected for that number\n", found.Searched, len(hits))
	for _, h := range hits {
		fmt.Fprintf(w, "%-12s %8.1f  %4d of %4d  %s\n%14s%s\n", h.Relation, float64(*h.Log10P), h.Matching, h.Units, escape.Printable(h.Name), "", h.Note)
	}
	for _, h := range leads {
		fmt.Fprintf(w, "%-12s %8s  %4d of %4d  %s\n%14s%s\n", "lead", "no p", h.Matching, h.Units, escape.Printable(h.Name), "", h.Note)
	}
	return nil
}

func indexList(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list the entries",
		Example: "  weightprint index list --index models.wpi",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			defer x.Close()
			names, err := x.Names()
			for _, n := range names {
				fmt.Fprintln(c.OutOrStdout(), escape.Printable(n))
			}
			return err
		},
	}
}

func indexMerge(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "merge INDEX…",
		Short:   "write the entries of other indexes, sorted and each once, to a new index",
		Example: "  weightprint index merge --index all.wpi one.wpi other.wpi",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE:    func(_ *cobra.Command, from []string) error { return index.Merge(*file, from...) },
	}
}
