package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/report"
)

func evadedCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "evaded [ZOO]",
		Short: "disguise copies, and count those found and those cleared",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := k.families(c.Context(), args)
			if err != nil {
				return err
			}
			return k.run(c.Context(), c.OutOrStdout(), k.evasions(all), "| disguise | copies | found | cleared |\n|---|---|---|---|\n", func(name string, all []*finding) string {
				return fmt.Sprintf("| %s | %d | %s | %d |", name, len(all), relations(all), count(all, func(f *finding) bool { return f.relation == "no-evidence" }))
			})
		},
	}
	k.flags(c, "victims in each family, 0 for all")
	return c
}

func (k *campaign) evasions(all []*family) (jobs []job) {
	for _, a := range adversary.Evasions {
		if !k.wanted(a.Name) {
			continue
		}
		for _, f := range all {
			for i, v := range spread(f.residents, k.pairs) {
				jobs = append(jobs, job{a.Name, "copy", v.name, func(ctx context.Context) (*finding, error) {
					made := a.Apply(rand.New(rand.NewPCG(uint64(i), 0xe7a)), v.net.Clone())
					return compared(ctx, made, v.net)
				}})
			}
		}
	}
	return jobs
}

func compared(ctx context.Context, a, b *adversary.Decoder) (*finding, error) {
	r, err := report.Build(ctx, input("a", a), input("b", b), nil)
	if err != nil {
		return nil, err
	}
	return found(r)
}

func kinlessCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "kinless",
		Short: "train pairs that share a mask, a formula, a seed, a teacher or an adapter, and count the verdicts",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			say := map[string]adversary.Kinless{}
			for _, s := range adversary.Shared {
				say[s.Name] = s
			}
			return k.run(c.Context(), c.OutOrStdout(), k.kinless(), "| shared | pairs | found | wrong | relation stated and the true cause not named |\n|---|---|---|---|---|\n", func(name string, all []*finding) string {
				s := say[name]
				return fmt.Sprintf("| %s | %d | %s | %d | %d |", name, len(all), relations(all),
					count(all, func(f *finding) bool { return !slices.Contains(s.Want, f.relation) }),
					count(all, func(f *finding) bool { return f.accuses() && f.relation != "shared-init" && !f.names(s.Say) }))
			})
		},
	}
	k.flags(c, "pairs in each family")
	c.Flags().Lookup("pairs").DefValue = "8"
	k.pairs = 8
	return c
}

func (k *campaign) kinless() (jobs []job) {
	for _, s := range adversary.Shared {
		if !k.wanted(s.Name) {
			continue
		}
		for _, f := range adversary.Families {
			for i := range k.pairs {
				jobs = append(jobs, job{s.Name, f.Name, fmt.Sprint(i), func(ctx context.Context) (*finding, error) {
					r := rand.New(rand.NewPCG(f.Seed, uint64(5000+i)))
					x, y := s.Make(r, f.Build, adversary.NewCorpus(r, f.Build.Vocab))
					return compared(ctx, x, y)
				}})
			}
		}
	}
	return jobs
}
