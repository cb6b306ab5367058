package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
)

// pairsCommand measures the search for all pairs of many entries.
func pairsCommand() *cobra.Command {
	var entries int
	var only bool
	var part sampled
	var given string
	c := &cobra.Command{
		Use:   "pairs DIR",
		Short: "make an index of synthetic strangers and planted families in DIR and find all pairs: time, cost, and how many of those planted are found",
		Long: `pairs makes an index of synthetic strangers among which every hundredth entry is the
child of the one before it: a share of the bits of its sketches differs, as training
would have it, from a twentieth to two fifths. The index is kept and used again; what
was added to it is held against the rest too. Of a large index --ranges of --rows each,
spread evenly, are held against all later entries, and what all would cost follows by the
number of pairs. With --edges nothing is searched: those of all pairs that "index pairs" or
the job on Spark found are held against what was planted.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := filepath.Join(args[0], fmt.Sprintf("pairs-%d", entries))
			if err := plantChildren(path, entries); err != nil || only {
				return err
			}
			if given != "" {
				return recallOf(c.OutOrStdout(), path, given)
			}
			return benchPairs(c.Context(), c.OutOrStdout(), path, part)
		},
	}
	c.Flags().IntVar(&entries, "entries", 20_000, "records")
	c.Flags().BoolVar(&only, "only-make", false, "make the index and leave it at that")
	c.Flags().StringVar(&given, "edges", "", "edges.ndjson of all pairs of the index")
	c.Flags().Int64Var(&part.ranges, "ranges", 1, "ranges of rows")
	c.Flags().Int64Var(&part.rows, "rows", math.MaxInt64, "rows of each")
	return c
}

// sampled is a part of all rows.
type sampled struct{ ranges, rows int64 }

// each gives the ranges of n records.
func (s sampled) each(n int64) (out [][2]int64) {
	for i := range s.ranges {
		first, end := n*i/s.ranges, n*(i+1)/s.ranges
		out = append(out, [2]int64{first, first + min(s.rows, end-first)})
	}
	return out
}

// shares of bits that differ between planted children and their parents.
var shares = []float64{.05, .1, .15, .2, .25, .3, .35, .4}

func plantChildren(path string, entries int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, &fingerprint.Options{SketchOnly: true})
	one.Tokens = fingerprinttest.Of(fingerprinttest.Middle, 1, nil).Tokens
	out, err := index.OpenWriter(path)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 1))
	const batch = 4000
	for first := 0; first < entries; first += batch {
		var some []index.Entry
		for i := first; i < min(first+batch, entries); i++ {
			e := index.Entry{Name: fmt.Sprint("entry ", i), Fingerprint: fingerprinttest.Like(one, r)}
			if k := i / 100; i%100 == 99 {
				share := shares[k%len(shares)]
				e = index.Entry{Name: fmt.Sprintf("child %d %g", i, share), Fingerprint: fingerprinttest.Child(some[len(some)-1].Fingerprint, share, r)}
			}
			some = append(some, e)
		}
		if _, err := out.Add(some...); err != nil {
			return err
		}
	}
	return out.Close()
}

func benchPairs(ctx context.Context, w io.Writer, path string, part sampled) error {
	x, err := index.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	n := int64(x.Len())
	x.Keep(n * 1280)
	begun, cpu := time.Now(), processTime()
	var tested []index.Pair
	pairs := 0.0
	for _, rows := range part.each(n) {
		if err := x.Pairs(ctx, rows[0], rows[1], func(p index.Pair) error {
			tested = append(tested, p)
			return nil
		}); err != nil {
			return err
		}
		for i := rows[0]; i < rows[1]; i++ {
			pairs += float64(n - 1 - i)
		}
	}
	cost := (processTime() - cpu).Seconds()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	edges := index.Discover(tested, x.Len(), 0.01)
	all := float64(n) * float64(n-1) / 2
	figure(w, "Pairs", int(n), time.Since(begun), fmt.Sprintf("\t%.2f cpu-s\t%.3g pairs\t%.5f cpu-s/Mpair\t%.0f cpu-s for all %.3g\t%d tested\t%d edges\t%d sys-B", cost, pairs, cost/pairs*1e6, cost/pairs*all, all, len(tested), len(edges), m.Sys))
	return recall(w, x, edges, part)
}

// recallOf does recall for edges that were found before, of all pairs.
func recallOf(w io.Writer, path, given string) error {
	x, err := index.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	f, err := os.Open(given)
	if err != nil {
		return err
	}
	defer f.Close()
	var edges []index.Edge
	for lines := json.NewDecoder(f); ; {
		var l struct{ Numbers [2]int64 }
		if err := lines.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("%s: edge %d: %w", given, len(edges)+1, err)
		}
		edges = append(edges, index.Edge{Pair: index.Pair{A: l.Numbers[0], B: l.Numbers[1]}})
	}
	return recall(w, x, edges, sampled{ranges: 1, rows: math.MaxInt64})
}

// recall counts the planted children that were found, by the share of bits that
// differ. Among synthetic entries anything else that was found is false.
func recall(w io.Writer, x *index.Index, edges []index.Edge, part sampled) error {
	names, err := x.Names()
	if err != nil {
		return err
	}
	looked := map[int64]bool{}
	for _, rows := range part.each(int64(len(names))) {
		for i := rows[0]; i < rows[1]; i++ {
			looked[i] = true
		}
	}
	planted, found := map[float64]int{}, map[float64]int{}
	child, synthetic := map[int64]float64{}, 0
	for i, n := range names {
		var number int
		var share float64
		switch {
		case strings.HasPrefix(n, "entry "):
			synthetic = i + 1
		case strings.HasPrefix(n, "child "):
			synthetic = i + 1
			if k, _ := fmt.Sscanf(n, "child %d %g", &number, &share); k == 2 && looked[int64(i-1)] {
				child[int64(i)] = share
				planted[share]++
			}
		}
	}
	others, mixed := 0, 0
	for _, e := range edges {
		if e.B >= int64(synthetic) {
			if others++; e.A < int64(synthetic) {
				mixed++
				others--
			}
			continue
		}
		share, ok := child[e.B]
		if !ok || e.A != e.B-1 {
			return fmt.Errorf("%s and %s are strangers", names[e.A], names[e.B])
		}
		found[share]++
	}
	for _, s := range shares {
		fmt.Fprintf(w, "# share of bits %.2f (cosine %.2f): %d of %d found\n", s, math.Cos(math.Pi*s), found[s], planted[s])
	}
	if synthetic < len(names) {
		fmt.Fprintf(w, "# further entries: %d, edges among them %d, between them and synthetic ones %d\n", len(names)-synthetic, others, mixed)
	}
	return nil
}
