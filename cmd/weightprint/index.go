package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/index"
)

func indexCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "index",
		Short:   "keep many fingerprints and search them",
		Example: "  weightprint index add --index known model/ other.wfp\n  weightprint index search --index known suspect/",
		Long:    "index keeps fingerprints in two append-only files, FILE and FILE.details, and finds\nthe models that share an origin with another.",
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
		Use:     "add MODEL…",
		Short:   "add models or fingerprint files, under their names",
		Example: "  weightprint index add --index known model/ other.wfp\n  weightprint fingerprint --stdin --ndjson < refs.txt | weightprint index add --index known --ndjson",
		RunE: func(c *cobra.Command, refs []string) error {
			var all []index.Entry
			for _, ref := range refs {
				f, err := printModel(c.Context(), ref, nil, c.ErrOrStderr())
				if err != nil {
					return err
				}
				all = append(all, index.Entry{Name: nameOf(ref), Fingerprint: f})
			}
			if ndjson {
				more, err := readLines(c.InOrStdin())
				if err != nil {
					return err
				}
				all = append(all, more...)
			}
			if len(all) == 0 {
				return usageError{fmt.Errorf("index add: no models given")}
			}
			n, err := index.Add(*file, all...)
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "added %d of %d\n", n, len(all))
			}
			return err
		},
	}
	c.Flags().BoolVar(&ndjson, "ndjson", false, "read records of fingerprint --ndjson from the standard input")
	return c
}

// nameOf is the last part of a reference that says something.
func nameOf(ref string) string {
	name := filepath.Base(filepath.Clean(ref))
	if ext := filepath.Ext(name); ext == ".wfp" {
		name = name[:len(name)-len(ext)]
	}
	return name
}

// readLines takes the records of fingerprint --ndjson; records of errors are
// passed over.
func readLines(r io.Reader) ([]index.Entry, error) {
	var out []index.Entry
	s := bufio.NewScanner(r)
	s.Buffer(nil, 2*fingerprint.MaxFileBytes)
	for s.Scan() {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("record %d: %w", len(out)+1, err)
		}
		if l.Error != "" {
			continue
		}
		f, err := fingerprint.Decode(l.Fingerprint)
		if err != nil {
			return nil, fmt.Errorf("record of %q: %w", l.Ref, err)
		}
		out = append(out, index.Entry{Name: nameOf(l.Ref), Fingerprint: f})
	}
	return out, s.Err()
}

func indexSearch(file *string) *cobra.Command {
	var top int
	var asJSON bool
	var level float64
	c := &cobra.Command{
		Use:     "search MODEL",
		Short:   "find the entries that share an origin with a model",
		Example: "  weightprint index search --index known suspect/ --top 5 --json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			f, err := printModel(c.Context(), a[0], &fingerprint.Options{SketchOnly: !isPrint(a[0])}, c.ErrOrStderr())
			if err != nil {
				return err
			}
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			hits, err := x.Search(c.Context(), f, top, similarity.LogP(math.Log(level)))
			if err != nil {
				return err
			}
			return writeHits(c.OutOrStdout(), x.Len(), hits, asJSON)
		},
	}
	fl := c.Flags()
	fl.IntVar(&top, "top", 10, "at most so many hits")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	fl.Float64Var(&level, "level", 1e-3, "largest p-value of a hit, corrected for the number of entries")
	return c
}

// hit is the JSON form of a search result.
type hit struct {
	Name     string          `json:"name"`
	Log10P   report.Number   `json:"log10P"` // corrected for the number of entries searched
	Relation report.Relation `json:"relation"`
	Matching int             `json:"matchingUnits"`
	Units    int             `json:"units"`
	Note     string          `json:"note"`
}

func writeHits(w io.Writer, searched int, hits []index.Hit, asJSON bool) error {
	out := []hit{}
	for _, h := range hits {
		x := hit{h.Name, report.Number(h.P.Log10()), report.Related, int(h.Evidence.Statistic), h.Evidence.N, "screening hit: to be settled by compare"}
		if h.Same {
			x.Relation, x.Note = report.Identical, "the same values"
		}
		out = append(out, x)
	}
	if asJSON {
		return report.EncodeJSON(w, map[string]any{"searched": searched, "hits": out})
	}
	fmt.Fprintf(w, "searched %d entries, %d hits; p-values are corrected for that number\n", searched, len(out))
	for _, h := range out {
		fmt.Fprintf(w, "%-12s %8.1f  %4d of %4d  %s\n", h.Relation, float64(h.Log10P), h.Matching, h.Units, tensor.Printable(h.Name))
	}
	return nil
}

func indexList(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "list the entries",
		Example: "  weightprint index list --index known",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			x, err := index.Open(*file)
			if err != nil {
				return err
			}
			for _, n := range x.Names() {
				fmt.Fprintln(c.OutOrStdout(), tensor.Printable(n))
			}
			return nil
		},
	}
}

func indexMerge(file *string) *cobra.Command {
	return &cobra.Command{
		Use:     "merge INDEX…",
		Short:   "write the entries of other indexes, sorted and each once, to a new index",
		Example: "  weightprint index merge --index all known-a known-b",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE:    func(_ *cobra.Command, from []string) error { return index.Merge(*file, from...) },
	}
}
