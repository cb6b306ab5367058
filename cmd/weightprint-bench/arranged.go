package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/report"
)

// campaign says which attacks are run on what.
type campaign struct {
	zoo, cache, only, lines, family string
	pairs, members, forged          int
}

func (k *campaign) flags(c *cobra.Command, pairs string) {
	c.Flags().StringVar(&k.cache, "cache", "", "keep the networks that are trained in this folder")
	c.Flags().StringVar(&k.only, "only", "", "only attacks whose name has this in it")
	c.Flags().StringVar(&k.family, "family", "", "only families whose name has this in it")
	c.Flags().StringVar(&k.lines, "lines", "", "also write one line a comparison to this file")
	c.Flags().IntVar(&k.pairs, "pairs", 70, pairs)
	c.Flags().IntVar(&k.members, "members", 10, "networks to train in each family")
}

// families loads what the campaign works on.
func (k *campaign) families(ctx context.Context, args []string) ([]*family, error) {
	if len(args) > 0 {
		k.zoo = args[0]
	}
	return families(ctx, k.zoo, k.cache, k.members)
}

// run works through jobs and prints a row an attack.
func (k *campaign) run(ctx context.Context, w io.Writer, jobs []job, header string, row func(name string, all []*finding) string) error {
	var lines io.Writer = io.Discard
	if k.lines != "" {
		f, err := os.Create(k.lines)
		if err != nil {
			return err
		}
		defer f.Close()
		lines = f
	}
	all, err := work(ctx, jobs, func(f *finding) { fmt.Fprintln(lines, f.line()) })
	if err != nil {
		return err
	}
	fmt.Fprint(w, header)
	names, groups := byAttack(all)
	for _, name := range names {
		fmt.Fprintln(w, row(name, groups[name]))
	}
	return nil
}

func (k *campaign) wanted(name string) bool { return strings.Contains(name, k.only) }

// untouched is the comparison that arrangements are held against.
var untouched = adversary.Arrangement{Name: "untouched", Apply: func(_ *rand.Rand, own, _ *adversary.Decoder) *adversary.Decoder { return own }}

func arrangedCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "arranged [ZOO]",
		Short: "arrange strangers after one another, or plant one in the other, and count the verdicts",
		Long: `arranged takes pairs of networks that share nothing: of the zoo in the given folder
and of families that it trains itself. The accuser, who is A, arranges his network
after the victim's, who is B, without changing what it computes, or carries values of
it as passengers. Each pair is compared under each attack. The table shows what the
attack reached by figures that are not the program's: cosine of units at the same
place, share of units that agree in both views on raw rows and on token rows,
correlation of products among token rows; then what the program found.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := k.families(c.Context(), args)
			if err != nil {
				return err
			}
			return k.run(c.Context(), c.OutOrStdout(), k.arrangements(all), arrangedHeader, arrangedRow)
		},
	}
	k.flags(c, "pairs of strangers in each family, 0 for all")
	return c
}

// arrangements lists the comparisons.
func (k *campaign) arrangements(all []*family) (jobs []job) {
	attacks := append([]adversary.Arrangement{untouched}, adversary.Arrangements...)
	for _, a := range append(attacks, adversary.Plants...) {
		if !k.wanted(a.Name) {
			continue
		}
		for _, f := range all {
			if !strings.Contains(f.name, k.family) {
				continue
			}
			for i, pair := range spread(f.strangers, k.pairs) {
				jobs = append(jobs, job{a.Name, pair[0].name, pair[1].name, func(ctx context.Context) (*finding, error) {
					return arranged(ctx, a, pair, uint64(i))
				}})
			}
		}
	}
	return jobs
}

// arranged carries one attack out and compares.
func arranged(ctx context.Context, a adversary.Arrangement, pair [2]*resident, seed uint64) (*finding, error) {
	own, victim := pair[0].net, pair[1].net
	made := a.Apply(rand.New(rand.NewPCG(seed, 0xa44)), own.Clone(), victim.Clone())
	if gap := adversary.Gap(own, made); a.Off > 0 && gap > a.Off {
		return &finding{relation: failed, alternatives: []string{fmt.Sprintf("scores move by %.2g of their size", gap)}}, nil
	}
	r, err := report.Build(ctx, input("accuser", made), input("victim", victim), nil)
	if err != nil {
		return nil, err
	}
	f, err := found(r)
	if err != nil {
		return nil, err
	}
	m := adversary.Measure(victim, made)
	f.notes = map[string]float64{"cosine": m.Cosine, "raw": m.Agreement, "tokens": m.Anchored, "gram": m.Gram, "heads": m.Heads}
	return f, nil
}

const arrangedHeader = `| attack | pairs | cosine | raw agreement | on tokens | token products | head sizes | found | relation stated | of these, arrangement or passenger named | direction stated |
|---|---|---|---|---|---|---|---|---|---|---|
`

func arrangedRow(name string, all []*finding) string {
	reached := ""
	for _, figure := range []string{"cosine", "raw", "tokens", "gram", "heads"} {
		reached += fmt.Sprintf(" %.3f |", highest(all, func(f *finding) float64 { return f.notes[figure] }))
	}
	return fmt.Sprintf("| %s | %d |%s %s | %d | %d | %d |", name, len(all), reached, relations(all),
		count(all, (*finding).accuses),
		count(all, func(f *finding) bool { return f.accuses() && f.names("arrang", "passenger", "planted") }),
		count(all, (*finding).directed))
}
