package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/carry"
	"github.com/weightprint/weightprint/similarity/layers"
)

func carryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "carry A B…",
		Short: "measure the carry of A against each B: how much of each one's output rests on what agrees",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			fmt.Fprint(c.OutOrStdout(), "| B | agree in | units A | units B | heads A | heads B | carry A | carry B | weight A | weight B | where tokens rest on it least | block A, B in nats | companions |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
			for _, b := range args[1:] {
				r, err := carried(c.Context(), args[0], b)
				if err != nil {
					return fmt.Errorf("%s: %w", b, err)
				}
				printCarry(c.OutOrStdout(), b, r)
			}
			return nil
		},
	}
}

// carried measures one pair of checkpoints.
func carried(ctx context.Context, refs ...string) (*carry.Result, error) {
	var in [2]report.Input
	for i, ref := range refs {
		c, err := formats.Open(ctx, ref, nil)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		in[i] = report.FromCheckpoint(ctx, c)
	}
	return carryOf(ctx, in[0], in[1])
}

// carryOf measures two open models, without the tests that a comparison runs first.
func carryOf(ctx context.Context, x, y report.Input) (*carry.Result, error) {
	p := align.NewPair(x.Subject(), y.Subject(), []byte("carry"), align.NoLimit)
	if err := layers.SideBySide(ctx, p); err != nil {
		return nil, err
	}
	a, err := forward.New(p.A.Net, x.Model.Metadata())
	if err != nil {
		return &carry.Result{Why: "A: " + err.Error()}, nil
	}
	b, err := forward.New(p.B.Net, y.Model.Metadata())
	if err != nil {
		return &carry.Result{Why: "B: " + err.Error()}, nil
	}
	return carry.Pair(ctx, p, a, b)
}

func printCarry(w io.Writer, name string, r *carry.Result) {
	if !r.Measured {
		fmt.Fprintf(w, "| %s | not measured: %s |\n", name, r.Why)
		return
	}
	a, b := r.Sides[0], r.Sides[1]
	fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %d/%d | %d/%d | %.3f | %.3f | %.3f | %.3f | %.3f, %.3f | %.2f, %.2f | %d, %d |\n", name, r.Coordinates, a.Share(), b.Share(), a.HeadsAgree, a.Heads, b.HeadsAgree, b.Heads, r.A, r.B, a.Weight(), b.Weight(), a.LeastWeight(), b.LeastWeight(), a.Block, b.Block, a.Companions, b.Companions)
}
