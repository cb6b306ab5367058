package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
)

func plantedCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "planted [ZOO]",
		Short: "measure the carry of passengers and of disguised copies",
		Long: `planted takes pairs of networks that share nothing and lets the one carry values of the
other as passengers, in every way that package adversary knows; and it disguises
copies. The table shows the weight of what agrees on both sides: how many times as
much the agreeing units count for as others.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := k.families(c.Context(), args)
			if err != nil {
				return err
			}
			fmt.Fprint(c.OutOrStdout(), "| made | pairs | measured | weight in what was made | in the other | least of both, where tokens rest on it least | least share |\n|---|---|---|---|---|---|---|\n")
			for _, p := range slices.Concat(adversary.Plants, adversary.Tongues) {
				if !k.wanted(p.Name) {
					continue
				}
				if err := k.weigh(c.Context(), c.OutOrStdout(), p.Name, all, p.Apply); err != nil {
					return err
				}
			}
			for _, e := range adversary.Evasions {
				if !k.wanted(e.Name) {
					continue
				}
				copied := func(r *rand.Rand, _, victim *adversary.Decoder) *adversary.Decoder { return e.Apply(r, victim) }
				if err := k.weigh(c.Context(), c.OutOrStdout(), "copy: "+e.Name, all, copied); err != nil {
					return err
				}
			}
			return nil
		},
	}
	k.flags(c, "pairs of strangers in each family, 0 for all")
	return c
}

// weigh prints a row: the ranges of the weights over all pairs.
func (k *campaign) weigh(ctx context.Context, w io.Writer, name string, all []*family, apply func(r *rand.Rand, own, victim *adversary.Decoder) *adversary.Decoder) error {
	var low, high, least [2]float64
	for i := range low {
		low[i], high[i], least[i] = math.Inf(1), math.Inf(-1), math.Inf(1)
	}
	pairs, measured, share := 0, 0, 1.0
	why := ""
	for _, f := range all {
		for i, pair := range spread(f.strangers, k.pairs) {
			own, victim := pair[0].net, pair[1].net
			made := apply(rand.New(rand.NewPCG(uint64(i), 0xca4)), own.Clone(), victim.Clone())
			r, err := carryOf(ctx, input("made", made), input("other", victim))
			if err != nil {
				return fmt.Errorf("%s: %s, %s: %w", name, pair[0].name, pair[1].name, err)
			}
			pairs++
			if !r.Measured {
				why = " (" + r.Why + ")"
				continue
			}
			measured++
			for s := range low {
				low[s], high[s] = min(low[s], r.Sides[s].Weight()), max(high[s], r.Sides[s].Weight())
				least[s] = min(least[s], r.Sides[s].LeastWeight())
				share = min(share, r.Sides[s].Share())
			}
		}
	}
	if measured == 0 {
		_, err := fmt.Fprintf(w, "| %s | %d | 0%s | | | | |\n", name, pairs, why)
		return err
	}
	_, err := fmt.Fprintf(w, "| %s | %d | %d%s | %.3f … %.3f | %.3f … %.3f | %.3f, %.3f | %.2f |\n", name, pairs, measured, why, low[0], high[0], low[1], high[1], least[0], least[1], share)
	return err
}
