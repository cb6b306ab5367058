package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
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
	c := &cobra.Command{
		Use:   "pairs DIR",
		Short: "make an index of synthetic strangers and planted families in DIR and find all pairs: time, cost, and how many of those planted are found",
		Long: `pairs makes an index of synthetic strangers among which every hundredth entry is the
child of the one before it: a share of the bits of its sketches differs, as training
would have it, from a twentieth to two fifths. The index is kept and used again.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := filepath.Join(args[0], fmt.Sprintf("pairs-%d", entries))
			if err := plantChildren(path, entries); err != nil || only {
				return err
			}
			return benchPairs(c.Context(), c.OutOrStdout(), path)
		},
	}
	c.Flags().IntVar(&entries, "entries", 20_000, "records")
	c.Flags().BoolVar(&only, "only-make", false, "make the index and leave it at that")
	return c
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

func benchPairs(ctx context.Context, w io.Writer, path string) error {
	x, err := index.Open(path)
	if err != nil {
		return err
	}
	defer x.Close()
	begun, cpu := time.Now(), processTime()
	var all []index.Pair
	if err := x.Pairs(ctx, 0, math.MaxInt64, func(p index.Pair) error {
		all = append(all, p)
		return nil
	}); err != nil {
		return err
	}
	cost := (processTime() - cpu).Seconds()
	edges := index.Discover(all, x.Len(), 0.01)
	pairs := float64(x.Len()) * float64(x.Len()-1) / 2
	figure(w, "Pairs", x.Len(), time.Since(begun), fmt.Sprintf("\t%.2f cpu-s\t%.4f cpu-s/Mpair\t%d tested\t%d edges", cost, cost/pairs*1e6, len(all), len(edges)))
	return recall(w, x, edges)
}

// recall counts the planted children that were found, by the share of bits that
// differ. Anything else that was found is false.
func recall(w io.Writer, x *index.Index, edges []index.Edge) error {
	names, err := x.Names()
	if err != nil {
		return err
	}
	planted, found := map[float64]int{}, map[float64]int{}
	child := map[int64]float64{}
	for i, n := range names {
		var number int
		var share float64
		if k, _ := fmt.Sscanf(n, "child %d %g", &number, &share); k == 2 {
			child[int64(i)] = share
			planted[share]++
		}
	}
	for _, e := range edges {
		share, ok := child[e.B]
		if !ok || e.A != e.B-1 {
			return fmt.Errorf("%s and %s are strangers", names[e.A], names[e.B])
		}
		found[share]++
	}
	for _, s := range shares {
		fmt.Fprintf(w, "# share of bits %.2f (cosine %.2f): %d of %d found\n", s, math.Cos(math.Pi*s), found[s], planted[s])
	}
	return nil
}
