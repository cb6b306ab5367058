package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/exact/evalue"
	"github.com/weightprint/weightprint/similarity/mlp"
	"github.com/weightprint/weightprint/similarity/stats"
)

// powerCommand draws pairs of weakly alike units and prints what each label
// test makes of them.
func powerCommand() *cobra.Command {
	units, dim, draws := 384, 96, 9
	var byWidth bool
	c := &cobra.Command{
		Use:   "power",
		Short: "what the label tests make of weak likeness: median −log10 p or log10 E",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			if byWidth {
				writeWidths(out)
				return nil
			}
			fmt.Fprintf(out, "%d units of %d features, median of %d draws\n%6s %8s %8s %8s %8s %8s\n", units, dim, draws, "rho", "fixed", "swaps", "blocks", "label-e", "bound")
			for _, rho := range []float64{0, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8} {
				var all [4][]float64
				for d := range draws {
					for k, v := range labelTests(rand.New(rand.NewPCG(uint64(d), 5)), units, dim, rho) {
						all[k] = append(all[k], v)
					}
				}
				fmt.Fprintf(out, "%6.2f", rho)
				for _, x := range all {
					slices.Sort(x)
					fmt.Fprintf(out, " %8.1f", x[len(x)/2])
				}
				fmt.Fprintf(out, " %8.1f\n", -float64(units*dim)/2*math.Log1p(-rho*rho)/math.Ln10)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&byWidth, "widths", false, "instead, by hidden size, the likeness that labels find and the one that counts as content")
	c.Flags().IntVar(&units, "units", units, "units of an axis")
	c.Flags().IntVar(&dim, "features", dim, "features of a unit")
	c.Flags().IntVar(&draws, "draws", draws, "pairs drawn for each correlation")
	return c
}

// labelTests holds n Gaussian rows against rows of correlation rho: fixed
// points, swaps, block permanents, and the mixture of the first and the last.
func labelTests(r *rand.Rand, n, d int, rho float64) [4]float64 {
	a, b := make([]float64, n*d), make([]float64, n*d)
	for i := range a {
		a[i] = r.NormFloat64()
		b[i] = rho*a[i] + math.Sqrt(1-rho*rho)*r.NormFloat64()
	}
	c := make([]float32, n*n)
	fixed := 0
	for j := range n {
		best := 0
		for i := range n {
			c[j*n+i] = float32(cosine(b[j*d:(j+1)*d], a[i*d:(i+1)*d]))
			if c[j*n+i] > c[j*n+best] {
				best = i
			}
		}
		if best == j {
			fixed++
		}
	}
	var sum, squares float64
	for i := 0; i+1 < n; i += 2 {
		gain := float64(c[i*n+i] + c[(i+1)*n+i+1] - c[i*n+i+1] - c[(i+1)*n+i])
		sum, squares = sum+gain, squares+gain*gain
	}
	blocks := evalue.Blocks([]evalue.Table{{Likeness: c, N: n}}, nil)
	mixed := evalue.Mix(blocks, evalue.FixedPoints(fixed, 1))
	return [4]float64{-stats.FixedPoints(fixed, 1).Log10(), -stats.Swaps(sum, squares).Log10(), blocks / math.Ln10, mixed / math.Ln10}
}

func cosine(x, y []float64) float64 {
	var xy, xx, yy float64
	for k, v := range x {
		xy, xx, yy = xy+v*y[k], xx+v*v, yy+y[k]*y[k]
	}
	return xy / math.Sqrt(xx*yy)
}

// ceilingCommand aims rotations at random networks and prints how many units
// agree, beside the ceiling that is derived for it.
func ceilingCommand() *cobra.Command {
	rounds := 30
	c := &cobra.Command{
		Use:   "ceiling",
		Short: "how many units of strangers one rotation can make agree, against the derived ceiling",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out := c.OutOrStdout()
			fmt.Fprintf(out, "%6s %6s %6s %8s %8s %8s %8s %8s\n", "units", "hidden", "layers", "share", "ceiling", "cosine", "ceiling", "held out")
			for _, s := range [][3]int{{128, 48, 1}, {128, 48, 4}, {256, 48, 4}, {256, 96, 1}, {256, 96, 2}, {256, 96, 4}, {256, 96, 6}, {512, 96, 4}} {
				r := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1]*100+s[2])))
				a, b := gaussian(r, s), gaussian(r, s)
				share, most := 0.0, 0.0
				for _, aim := range []float64{1, 0.7, 0.5, 0.35, 0.25, 0.15} {
					x := tokenfree.Arranged(a, b, aim, &tokenfree.Options{Rounds: rounds})
					share, most = max(share, x.Share()), max(most, x.Cosine)
				}
				top, cos := tokenfree.Ceiling(s[1], s[0], s[2])
				held := "-"
				if x := tokenfree.CrossFit(c.Context(), a, b, nil); x != nil {
					held = fmt.Sprintf("%.4f", x.Share())
				}
				fmt.Fprintf(out, "%6d %6d %6d %8.3f %8.3f %8.3f %8.3f %8s\n", s[0], s[1], s[2], share, top, most, cos, held)
			}
			return nil
		},
	}
	c.Flags().IntVar(&rounds, "rounds", rounds, "rounds of the optimiser")
	return c
}

// gaussian makes gated layers without structure: units, width, layers.
func gaussian(r *rand.Rand, s [3]int) (out []mlp.Block) {
	rows := func() []float32 {
		x := make([]float32, s[0]*s[1])
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for range s[2] {
		out = append(out, mlp.Gated(rows(), rows(), rows(), s[0], s[1]))
	}
	return out
}
