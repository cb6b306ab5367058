package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/redteam"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

func redteamCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "redteam",
		Short: "attack fingerprints, index and commitments, and print what came of it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintf(c.OutOrStdout(), "| attack | setting | outcome | limit |\n|---|---|---|---|\n")
			broken := 0
			for _, attack := range attacks {
				all, err := attack(c.Context())
				if err != nil {
					return err
				}
				broken += printResults(c.OutOrStdout(), all)
			}
			if broken > 0 {
				return fmt.Errorf("%d documented limits do not hold", broken)
			}
			return nil
		},
	}
}

// printResults prints results and counts limits that do not hold.
func printResults(w io.Writer, all []redteam.Result) (broken int) {
	for _, r := range all {
		fmt.Fprintln(w, r)
		if !r.Holds && !r.Open {
			broken++
		}
	}
	return broken
}

var attacks = []func(context.Context) ([]redteam.Result, error){
	forgeTrained, forgeLarge, forgeTokens, recoverEdits, grind, redteam.PoisonedIndex,
}

// forgeTrained forges on two trained networks.
func forgeTrained(ctx context.Context) ([]redteam.Result, error) {
	dir, err := os.MkdirTemp("", "weightprint-redteam-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := demo.Extract(dir); err != nil {
		return nil, err
	}
	var in [2]report.Input
	for i, name := range []string{"base", "other-seed"} {
		c, err := formats.Open(ctx, filepath.Join(dir, name), nil)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		in[i] = report.FromCheckpoint(ctx, c)
	}
	r, err := redteam.ForgedSketch(ctx, in[0], in[1], redteam.Forging{Units: 7, Wrong: 24}, "two trained networks of 0.8 M parameters, a third of the sketched units")
	return []redteam.Result{r}, err
}

// forgeTokens forges what is published of tokens.
func forgeTokens(ctx context.Context) ([]redteam.Result, error) {
	r, err := redteam.ForgedTokens(ctx, 512)
	return []redteam.Result{r}, err
}

// forgeLarge forges every bit at the size of a layer of a 1.1 B-parameter
// model.
func forgeLarge(ctx context.Context) ([]redteam.Result, error) {
	s := zoo.Shape{Layers: 1, Hidden: 2048, Width: 5632, Heads: 32, KVHeads: 4, HeadDim: 64, Vocab: 512}
	var in [2]report.Input
	for i := range in {
		in[i] = report.Input{Ref: fmt.Sprint("random ", i), Format: "memory", Model: zoo.Random(rand.New(rand.NewPCG(uint64(i), 11)), s, zoo.Quirks{})}
	}
	r, err := redteam.ForgedSketch(ctx, in[0], in[1], redteam.Forging{}, "a layer of width 5632 on 2048, every bit of every sketched unit")
	return []redteam.Result{r}, err
}

// recoverEdits attacks what is published, at several sizes.
func recoverEdits(ctx context.Context) ([]redteam.Result, error) {
	out := redteam.LinearRecovery(64)
	for _, size := range [][2]int{{128, 64}, {178, 96}, {256, 96}, {1024, 256}, {4096, 1024}} {
		for _, relative := range []float64{0.01, 0.1, 1} {
			r, err := redteam.SketchRecovery(ctx, size[0], size[1], relative, 200)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	out = append(out, redteam.SketchRecoveryUnbounded(2048, 200))
	for _, size := range [][2]int{{300, 128}, {1024, 96}, {4096, 512}} {
		for _, relative := range []float64{0.01, 0.1, 0.3} {
			r, err := redteam.TokenRecovery(ctx, size[0], size[1], relative, 400)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	out = append(out, redteam.TokenRecoveryUnbounded(400))
	for _, s := range []struct{ rows, cols, opened int }{{256, 96, 5}, {1024, 256, 1}, {4096, 1024, 1}, {11008, 4096, 1}} {
		for _, relative := range []float64{0.01, 0.1} {
			r, err := redteam.AnswerRecovery(ctx, s.rows, s.cols, relative, s.opened)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// grind tries out what a party computes alone.
func grind(ctx context.Context) ([]redteam.Result, error) {
	commit, err := redteam.GrindCommitment(ctx, 3000)
	if err != nil {
		return nil, err
	}
	out := []redteam.Result{commit}
	for _, forged := range []int{4, 12, 24} {
		alone, beacon, err := redteam.GrindOpenings(ctx, forged, 12, 4000)
		if err != nil {
			return nil, err
		}
		out = append(out, alone, beacon)
	}
	return out, nil
}
