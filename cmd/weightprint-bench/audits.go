package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func auditsCommand() *cobra.Command {
	var k campaign
	c := &cobra.Command{
		Use:   "audits ZOO",
		Short: "hold true and false claims against the zoo, with the child renamed, laid out anew and forged",
		Long: `audits takes every child of the zoo with its parent, and samples of pairs of one seed
and of strangers, lays the child out anew or forges it to look like an ancestor, and
holds true and false claims against the comparison. A true claim must never be
contradicted, and a false one never confirmed.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			jobs, err := k.audits(c.Context(), args[0])
			if err != nil {
				return err
			}
			return k.run(c.Context(), c.OutOrStdout(), jobs, auditsHeader, auditsRow)
		},
	}
	k.flags(c, "pairs of one seed, and pairs of strangers")
	c.Flags().IntVar(&k.forged, "forged", 30, "pairs whose child each forgery is tried on, 0 for all")
	return c
}

// audited are the pairs of a zoo whose claims are held against reports.
func audited(dir string, sample int) (out []*pairing, err error) {
	cases, err := zooCases(dir, "")
	if err != nil {
		return nil, err
	}
	by := map[string][]*pairing{}
	for _, c := range cases {
		switch {
		case c.direct:
			out = append(out, c)
		case c.truth != "related" && c.a.Name < c.b.Name:
			by[c.truth] = append(by[c.truth], c)
		}
	}
	for _, truth := range []string{"shared-init", "strangers"} {
		out = append(out, spread(by[truth], sample)...)
	}
	return out, nil
}

func (k *campaign) audits(ctx context.Context, dir string) (jobs []job, err error) {
	pairs, err := audited(dir, k.pairs)
	if err != nil {
		return nil, err
	}
	for _, l := range layouts {
		if !k.wanted(l.name) {
			continue
		}
		for i, p := range pairs {
			jobs = append(jobs, job{l.name, p.a.Name, p.b.Name, func(ctx context.Context) (*finding, error) {
				return laidOut(ctx, dir, p, l, rand.New(rand.NewPCG(uint64(i), 0xa0d)))
			}})
		}
	}
	children := map[string]*resident{} // those whose layout package adversary can work on
	for _, p := range pairs {
		if _, seen := children[p.b.Name]; !seen {
			children[p.b.Name], _ = open(ctx, p.b.Name, filepath.Join(dir, p.b.Path))
		}
	}
	for _, a := range adversary.Forgeries {
		for i, p := range spread(pairs, k.forged) {
			if child := children[p.b.Name]; child != nil && k.wanted(a.Name) {
				jobs = append(jobs, job{a.Name, p.a.Name, p.b.Name, func(ctx context.Context) (*finding, error) {
					made := a.Apply(rand.New(rand.NewPCG(uint64(i), 0xf06)), child.net.Clone())
					return p.judged(ctx, dir, input(p.b.Name, made))
				}})
			}
		}
	}
	return jobs, nil
}

// laidOut holds the claims of a pair against its comparison with the child laid out anew.
func laidOut(ctx context.Context, dir string, p *pairing, l layout, r *rand.Rand) (*finding, error) {
	c, err := formats.Open(ctx, filepath.Join(dir, p.b.Path), nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	in := report.FromCheckpoint(ctx, c)
	if l.move != nil {
		if in, err = l.apply(ctx, r, in); err != nil {
			return nil, err
		}
	}
	return p.judged(ctx, dir, in)
}

// judged compares the parent with what became of the child, and holds claims against it.
func (c *pairing) judged(ctx context.Context, dir string, child report.Input) (*finding, error) {
	parent, err := formats.Open(ctx, filepath.Join(dir, c.a.Path), nil)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	rep, err := report.Build(ctx, report.FromCheckpoint(ctx, parent), child, nil)
	if err != nil {
		return nil, err
	}
	f, err := found(rep)
	if err != nil {
		return nil, err
	}
	for what, claim := range c.claimed() {
		f.claims[what] = outcome(rep.Check(claim))
	}
	return f, nil
}

// claimed lists claims about a pair, of which each name says whether it is true.
func (c *pairing) claimed() map[string]report.Claim {
	switch c.truth {
	case "strangers":
		return map[string]report.Claim{"true: strangers": {Relation: verdict.NoEvidence}, "false: related": {Relation: verdict.Related}, "false: shared-init": {Relation: verdict.SharedInit}, "false: identical": {Relation: verdict.Identical}}
	case "shared-init":
		return map[string]report.Claim{"true: shared-init": {Relation: verdict.SharedInit}, "false: identical": {Relation: verdict.Identical}}
	}
	out := map[string]report.Claim{"true: related": {Relation: verdict.Related}, "true: direction": {Relation: verdict.Related, Direction: verdict.AToB}, "false: direction": {Relation: verdict.Related, Direction: verdict.BToA}, "false: no-evidence": {Relation: verdict.NoEvidence}, "false: shared-init": {Relation: verdict.SharedInit}}
	for _, t := range truths {
		if strings.HasPrefix(c.b.Relation+"; "+c.b.Recipe, t.prefix) {
			out["true: kind"] = report.Claim{Relation: verdict.Related, Kinds: t.kinds[:1]}
			break
		}
	}
	return out
}

const auditsHeader = `| child | pairs | found | true claims: confirmed | unproven | contradicted | false claims: confirmed | unproven | contradicted |
|---|---|---|---|---|---|---|---|---|
`

func auditsRow(name string, all []*finding) string {
	n := map[string]int{}
	for _, f := range all {
		for what, became := range f.claims {
			truth, _, _ := strings.Cut(what, ":")
			n[truth+became]++
		}
	}
	return fmt.Sprintf("| %s | %d | %s | %d | %d | %d | %d | %d | %d |", name, len(all), relations(all), n["trueconfirmed"], n["trueunproven"], n["truecontradicted"], n["falseconfirmed"], n["falseunproven"], n["falsecontradicted"])
}
