package main

import (
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

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
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			defer x.Close()
			p := watched(c, most)
			p.base, p.applied = base, true
			f, err := p.of(c.Context(), a[0])
			if err != nil {
				return err
			}
			found, err := x.Search(c.Context(), f, top, stats.LogP(math.Log(level)))
			if err != nil {
				return err
			}
			warnOf(c, found.Skipped)
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
	x := hit{Name: h.Name, Relation: verdict.Inconclusive, Test: h.Evidence.Test, Matching: int(h.Evidence.Statistic), Units: h.Evidence.N, Alike: int(h.Agreement.Statistic), Probed: h.Agreement.N}
	p := verdict.Number(h.P.Log10())
	x.Log10P = &p
	switch {
	case h.Same:
		x.Relation, x.Note = verdict.Identical, "the same values"
	case h.Evidence.P != nil && x.Probed > 0 && float64(x.Alike) < sharedShare*float64(x.Probed):
		x.Note = "screening hit: the sketches correspond, perhaps by no more than the same random initialisation; arranged or forged sketches do so too; to be settled by compare"
	default:
		x.Note = "screening hit: the sketches correspond as those of relatives do; arranged or forged ones do so too; to be settled by compare"
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
		return escape.WriteJSON(w, map[string]any{"searched": found.Searched, "quarantined": found.Quarantined, "hits": hits, "leads": leads, "skipped": skipped(found.Skipped)})
	}
	fmt.Fprintf(w, "searched %d entries, %d hits; p-values are corrected for that number\n", found.Searched, len(hits))
	if n := len(found.Skipped); n > 0 {
		fmt.Fprintf(w, "%d entries could not be read and were not searched\n", n)
	}
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
			warnOf(c, x.Bad())
			names, err := x.Names()
			for _, n := range names {
				fmt.Fprintln(c.OutOrStdout(), escape.Printable(n))
			}
			return err
		},
	}
}

// skippedEntry is the JSON form of an entry that cannot be read.
type skippedEntry struct {
	Number int64  `json:"number"` // of the record
	Name   string `json:"name"`   // "" where it cannot be read
	Error  string `json:"error"`
}

func skipped(all []index.Bad) []skippedEntry {
	out := []skippedEntry{}
	for _, b := range all {
		out = append(out, skippedEntry{b.Number, b.Name, oneLine(b.Err)})
	}
	return out
}

// words describe an entry that cannot be read.
func (s skippedEntry) words() string {
	if s.Name == "" {
		return fmt.Sprintf("record %d: %s", s.Number, s.Error)
	}
	return fmt.Sprintf("record %d, %s: %s", s.Number, escape.Printable(s.Name), s.Error)
}

// shownBad is how many entries that cannot be read are named in warnings.
const shownBad = 5

// warnOf says which entries were left out.
func warnOf(c *cobra.Command, bad []index.Bad) {
	for _, s := range skipped(bad[:min(len(bad), shownBad)]) {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: left out, as it cannot be read: %s\n", s.words())
	}
	if n := len(bad) - shownBad; n > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: %d more were left out; see index check\n", n)
	}
}

func indexCheck(file *string) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "read every entry whole and name those that are damaged",
		Long: `check reads every record and its details, holds one against the other, and names
what cannot be used, by number. It exits with 4 when there is any; remove --number
takes it out.`,
		Example: "  weightprint index check --index models.wpi",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			defer x.Close()
			bad, err := x.Check(c.Context())
			if err != nil {
				return err
			}
			if err := writeChecked(c.OutOrStdout(), x.Len()+len(x.Bad()), skipped(bad), asJSON); err != nil {
				return err
			}
			if len(bad) > 0 {
				return exitCode(exitMismatch)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func writeChecked(w io.Writer, entries int, bad []skippedEntry, asJSON bool) error {
	if asJSON {
		return escape.WriteJSON(w, map[string]any{"entries": entries, "bad": bad})
	}
	for _, s := range bad {
		fmt.Fprintf(w, "damaged: %s\n", s.words())
	}
	_, err := fmt.Fprintf(w, "checked %d entries, %d damaged\n", entries, len(bad))
	return err
}
