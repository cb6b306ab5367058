package main

import (
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

// searchLevel is the largest corrected p-value of a hit, if nothing else is asked for.
const searchLevel = 1e-3

func indexSearch(at *place) *cobra.Command {
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
			x, err := at.open(c)
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
			warnOfLost(c, found.Lost)
			if asJSON {
				return escape.WriteJSON(c.OutOrStdout(), store.Describe(found))
			}
			store.Describe(found).WriteText(c.OutOrStdout())
			return nil
		},
	}
	fl := c.Flags()
	fl.IntVar(&top, "top", 10, "at most so many hits")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	fl.Float64Var(&level, "level", searchLevel, "largest p-value of a hit, corrected for the number of entries")
	fl.StringVar(&base, "base", "", "the model that a LoRA adapter is applied to")
	fl.StringVar(&budget, "budget", "full", `"full", or a number of bytes: larger models are searched by fewer sketches`)
	return c
}

func indexList(at *place) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list the entries",
		Example: "  weightprint index list --index models.wpi",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			x, err := at.open(c)
			if err != nil {
				return err
			}
			defer x.Close()
			l, err := x.List(c.Context())
			if err != nil {
				return err
			}
			warnOf(c, l.Bad)
			for _, n := range l.Names {
				fmt.Fprintln(c.OutOrStdout(), escape.Printable(n))
			}
			return nil
		},
	}
}

// shownBad is how many entries that cannot be read are named in warnings.
const shownBad = 5

// warnOf says which entries were left out.
func warnOf(c *cobra.Command, bad []index.Bad) {
	for _, s := range store.DescribeBad(bad[:min(len(bad), shownBad)]) {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: left out, as it cannot be read: %s\n", s.Words())
	}
	if n := len(bad) - shownBad; n > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: %d more were left out; see index check\n", n)
	}
}

// warnOfLost says that a commit may have been lost, whose entries are not searched.
func warnOfLost(c *cobra.Command, lost []error) {
	for _, err := range lost {
		fmt.Fprintf(c.ErrOrStderr(), "weightprint: warning: %s\n", oneLine(err))
	}
}

func indexCheck(at *place) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "read every entry whole and name those that are damaged",
		Long: `check reads every record and its details, holds one against the other, and names
what cannot be used, by number; remove --number takes it out. It also looks at both
copies of the header, and for records that lie behind the last commit, as they do when
it was lost. It exits with 4 when there is any of these.`,
		Example: "  weightprint index check --index models.wpi",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			x, err := at.open(c)
			if err != nil {
				return err
			}
			defer x.Close()
			checked, err := x.Check(c.Context())
			if err != nil {
				return err
			}
			if err := writeChecked(c.OutOrStdout(), checked, asJSON); err != nil {
				return err
			}
			if len(checked.Bad)+len(checked.Header) > 0 {
				return exitCode(exitMismatch)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func writeChecked(w io.Writer, checked *store.Checked, asJSON bool) error {
	bad, header := store.DescribeBad(checked.Bad), []string{}
	for _, err := range checked.Header {
		header = append(header, oneLine(err))
	}
	if asJSON {
		return escape.WriteJSON(w, map[string]any{"entries": checked.Entries, "bad": bad, "header": header})
	}
	for _, h := range header {
		fmt.Fprintf(w, "damaged: %s\n", h)
	}
	for _, s := range bad {
		fmt.Fprintf(w, "damaged: %s\n", s.Words())
	}
	damaged := ""
	if len(header) > 0 {
		damaged = "; the header or what lies behind its commit is not sound"
	}
	_, err := fmt.Fprintf(w, "checked %d entries, %d damaged%s\n", checked.Entries, len(bad), damaged)
	return err
}
