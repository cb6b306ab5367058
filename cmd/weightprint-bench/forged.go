package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/report"
)

func forgedCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "forged [ZOO]",
		Short: "make copies that look like ancestors, and count directions stated and claims judged wrongly",
		Long: `forged takes networks of the zoo in the given folder and of families that it trains
itself, and makes of each a copy that looks like what it was made from. The copy is A
and the victim is B. The false claim is that B was made from A, the true one that A
was made from B: neither may be confirmed from the weights, and the true one must not
be contradicted.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			all, err := k.families(c.Context(), args)
			if err != nil {
				return err
			}
			return k.run(c.Context(), c.OutOrStdout(), k.forgeries(all), forgedHeader, forgedRow)
		},
	}
	k.flags(c, "victims in each family, 0 for all")
	return c
}

func (k *campaign) forgeries(all []*family) (jobs []job) {
	for _, a := range adversary.Forgeries {
		if !k.wanted(a.Name) {
			continue
		}
		for _, f := range all {
			for i, v := range spread(f.residents, k.pairs) {
				jobs = append(jobs, job{a.Name, "copy", v.name, func(ctx context.Context) (*finding, error) {
					return forged(ctx, a, v.net, rand.New(rand.NewPCG(uint64(i), 0xf06)))
				}})
			}
		}
	}
	return jobs
}

// forged carries one forgery out, compares and holds both claims against the report.
func forged(ctx context.Context, a adversary.Forgery, victim *adversary.Decoder, r *rand.Rand) (*finding, error) {
	published := victim.Clone()
	if a.Publish != nil {
		published = a.Publish(r, published)
	}
	made := a.Apply(r, published.Clone())
	if gap := adversary.Gap(published, made); gap > a.Off {
		return &finding{relation: failed, alternatives: []string{fmt.Sprintf("scores move by %.2g of their size", gap)}}, nil
	}
	rep, err := report.Build(ctx, input("copy", made), input("victim", published), nil)
	if err != nil {
		return nil, err
	}
	f, err := found(rep)
	if err != nil {
		return nil, err
	}
	for what, claim := range map[string]report.Claim{
		"false":   {Relation: "related", Direction: "a-to-b"},
		"true":    {Relation: "related", Direction: "b-to-a"},
		"related": {Relation: "related"},
	} {
		f.claims[what] = outcome(rep.Check(claim))
	}
	return f, nil
}

// outcome is the word for what became of a claim.
func outcome(err error) string {
	switch {
	case err == nil:
		return "confirmed"
	case errors.Is(err, report.ErrContradicted):
		return "contradicted"
	}
	return "unproven"
}

const forgedHeader = `| forgery | victims | found | direction stated | read as a story | false claim confirmed | true claim contradicted | common origin confirmed |
|---|---|---|---|---|---|---|---|
`

func forgedRow(name string, all []*finding) string {
	return fmt.Sprintf("| %s | %d | %s | %d | %d | %d | %d | %d |", name, len(all), relations(all),
		count(all, (*finding).directed), count(all, func(f *finding) bool { return f.read }),
		count(all, func(f *finding) bool { return f.claims["false"] == "confirmed" }),
		count(all, func(f *finding) bool { return f.claims["true"] == "contradicted" }),
		count(all, func(f *finding) bool { return f.claims["related"] == "confirmed" }))
}
