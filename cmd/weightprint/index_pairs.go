package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"unique"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
)

// edgeLine is one relation between two entries.
type edgeLine struct {
	Schema    string           `json:"schema"`
	A         string           `json:"a"`
	B         string           `json:"b"`
	Numbers   [2]int64         `json:"numbers"` // of the records
	Relation  verdict.Relation `json:"relation"`
	Log10P    *verdict.Number  `json:"log10P"` // not corrected; null where no exact test ran
	Test      string           `json:"test"`
	Alike     int              `json:"alikeToTokens"`
	Probed    int              `json:"probed"`
	Component int64            `json:"component"`
	InTree    bool             `json:"inTree"`
}

// pairLine is a pair that was tested, as machines that share an index give it to the
// one that puts their work together. The p-value is the natural logarithm, exact.
type pairLine struct {
	A     int64    `json:"a"`
	B     int64    `json:"b"`
	Same  bool     `json:"same"`
	P     *float64 `json:"p"`
	Test  string   `json:"test"`
	Alike int32    `json:"alike"`
	Of    int32    `json:"of"`
}

func indexPairs(at *place) *cobra.Command {
	var rows, from string
	var tested bool
	var q float64
	c := &cobra.Command{
		Use:   "pairs",
		Short: "find all pairs of entries that share an origin",
		Long: `pairs holds all entries against each other and writes one JSON record a line for
each pair that shares an origin, with the trees of nearest relatives. Of all that it
names, the expected share of false ones is at most --q, counted over all pairs
(Benjamini and Yekutieli). A hit screens: which relation it is, compare says.

To share the work among machines, let each write what it --tested of some --rows
to a file, put the files together, and give them to --from.`,
		Example: "  weightprint index pairs --index models.wpi > edges.ndjson\n  weightprint index pairs --index models.wpi --tested --rows 0:1000 > part.ndjson\n  weightprint index pairs --index models.wpi --from parts.ndjson > edges.ndjson",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if !(q > 0 && q < 1) {
				return usageError{errors.New("index pairs: --q lies between 0 and 1")}
			}
			first, last, err := rangeOf(rows)
			if err != nil {
				return err
			}
			x, closing, err := at.index(c)
			if err != nil {
				return err
			}
			defer closing()
			if tested {
				return writeTested(c, x, first, last)
			}
			pairs, err := pairsOf(c, x, from)
			if err != nil {
				return err
			}
			return writeEdges(c.OutOrStdout(), x, index.Discover(pairs, x.Len(), q))
		},
	}
	fl := c.Flags()
	fl.StringVar(&rows, "rows", "", "with --tested: records FIRST:LAST that are held against all later ones; LAST is not among them")
	fl.BoolVar(&tested, "tested", false, "write the pairs that were tested, and choose none")
	fl.StringVar(&from, "from", "", "choose among the pairs that were tested before, of a file or - for the standard input")
	fl.Float64Var(&q, "q", 0.01, "largest expected share of false pairs")
	c.MarkFlagsMutuallyExclusive("tested", "from")
	c.MarkFlagsMutuallyExclusive("rows", "from")
	return c
}

func rangeOf(rows string) (first, last int64, err error) {
	if rows == "" {
		return 0, math.MaxInt64, nil
	}
	if n, err := fmt.Sscanf(rows, "%d:%d", &first, &last); n != 2 || err != nil || first < 0 || last < first || rows != fmt.Sprintf("%d:%d", first, last) {
		return 0, 0, usageError{fmt.Errorf("index pairs: --rows %q is not FIRST:LAST", rows)}
	}
	return first, last, nil
}

// index opens the files of an index; of a database a copy.
func (p *place) index(c *cobra.Command) (x *index.Index, closing func(), err error) {
	file, clean := p.file, func() {}
	if p.dsn != "" {
		dir, gone, err := outfile.Scratch("weightprint-pairs-")
		if err != nil {
			return nil, nil, err
		}
		clean = gone
		file = filepath.Join(dir, "saved")
		s, err := p.open(c)
		if err == nil {
			err = errors.Join(s.Save(c.Context(), file), s.Close())
		}
		if err != nil {
			clean()
			return nil, nil, err
		}
	}
	if x, err = index.Open(file); err != nil {
		clean()
		return nil, nil, err
	}
	return x, func() { x.Close(); clean() }, nil
}

func writeTested(c *cobra.Command, x *index.Index, first, last int64) error {
	w := bufio.NewWriter(c.OutOrStdout())
	lines := json.NewEncoder(w)
	err := x.Pairs(c.Context(), first, last, func(p index.Pair) error {
		return lines.Encode(pairLine{p.A, p.B, p.Same, (*float64)(p.P), p.Test, p.Alike, p.Of})
	})
	return errors.Join(err, w.Flush())
}

// pairsOf tests all pairs, or reads those that were tested before.
func pairsOf(c *cobra.Command, x *index.Index, from string) (out []index.Pair, err error) {
	if from == "" {
		err = x.Pairs(c.Context(), 0, math.MaxInt64, func(p index.Pair) error {
			out = append(out, p)
			return nil
		})
		return out, err
	}
	in := interruptible(c.Context(), c.InOrStdin())
	if from != "-" {
		f, _, err := saferio.Open(from)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return readTested(c.Context(), in)
}

func readTested(ctx context.Context, in io.Reader) (out []index.Pair, err error) {
	lines := json.NewDecoder(in)
	for n := 1; ; n++ {
		var l pairLine
		switch err := lines.Decode(&l); {
		case errors.Is(err, io.EOF):
			return out, errors.Join(testedTwice(out), ctx.Err())
		case err != nil:
			return nil, fmt.Errorf("tested pair %d: %w", n, err)
		}
		out = append(out, index.Pair{A: l.A, B: l.B, Same: l.Same, P: (*stats.LogP)(l.P), Test: unique.Make(l.Test).Value(), Alike: l.Alike, Of: l.Of})
	}
}

// testedTwice refuses pairs that are there twice. It sorts them.
func testedTwice(pairs []index.Pair) error {
	byNumbers := func(a, b index.Pair) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) }
	if !slices.IsSortedFunc(pairs, byNumbers) { // ranges of rows one after the other are
		slices.SortStableFunc(pairs, byNumbers)
	}
	for i := range pairs[min(1, len(pairs)):] {
		if byNumbers(pairs[i], pairs[i+1]) == 0 {
			return fmt.Errorf("records %d and %d were tested twice; p-values are corrected for each pair once", pairs[i].A, pairs[i].B)
		}
	}
	return nil
}

func writeEdges(out io.Writer, x *index.Index, edges []index.Edge) error {
	names, err := x.Names()
	if err != nil {
		return err
	}
	named := map[int64]string{}
	for i, n := range names {
		named[x.Number(i)] = n
	}
	w := bufio.NewWriter(out)
	for _, e := range edges {
		l := edgeLine{"weightprint.edge/1", named[e.A], named[e.B], [2]int64{e.A, e.B}, verdict.Related, nil, e.Test, int(e.Alike), int(e.Of), e.Component, e.InTree}
		if e.P != nil {
			p := verdict.Number(e.P.Log10())
			l.Log10P = &p
		}
		if e.Same {
			l.Relation = verdict.Identical
		}
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if _, err := w.Write(append(escape.JSON(b), '\n')); err != nil {
			return err
		}
	}
	return w.Flush()
}
