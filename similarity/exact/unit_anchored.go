package exact

import (
	"context"
	"strconv"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/exact/evalue"
	"github.com/weightprint/weightprint/similarity/exact/unitanchored"
	"github.com/weightprint/weightprint/similarity/mlp"
	"github.com/weightprint/weightprint/similarity/stats"
)

// UnitAnchored runs fixed points and label e-values on hidden units as the
// units of earlier layers see them (package unitanchored): coordinates that no
// rotation of the residual stream alters and that need no tokens.
func UnitAnchored() *similarity.Test {
	return &similarity.Test{Name: "unit-anchored", Doc: "labels of units as the units of earlier layers see them", Tier: similarity.Exact, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			s, err := mlp.Read(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, unitAnchored(p, t, s)...)
		}
		return out, nil
	}}
}

func unitAnchored(p *align.Pair, t align.TowerPair, s *mlp.Stacks) []similarity.Evidence {
	c := &component{name: "mlp", tower: t.B.Name, coordinates: "unit-anchored"}
	skipped := map[string]int{}
	if s.Why != "" {
		skipped[s.Why]++
	}
	held := map[int]bool{}
	for _, u := range t.Held() {
		held[u] = true
	}
	good := eligibleOf(s, skipped)
	layers := unitanchored.Layers(s.A, s.B, &unitanchored.Options{Seed: p.Seed, Usable: func(at, u int) bool {
		return good[at] != nil && good[at][u] && !held[u]
	}})
	var byFixed, byE []tally
	labels := map[*axis.Axis]weighed{}
	for _, l := range layers {
		if len(l.Labels) < axis.MinUnits {
			continue
		}
		pair := s.Layers[l.At]
		x := &axis.Axis{Name: "layers." + strconv.Itoa(t.B.Layers[pair.B].Index) + ".mlp (unit-anchored)", LayerA: t.A.Layers[pair.A].Index, LayerB: t.B.Layers[pair.B].Index, Charge: t.Charge()}
		x.A, x.B = sideOf(&s.A[l.At], l.Labels), sideOf(&s.B[l.At], l.Labels)
		k := l.Fixed(p.Seed)
		labels[x] = weigh(evalue.Table{Likeness: l.Likeness, N: len(l.Labels), Name: x.Name}, p.Seed)
		byFixed = append(byFixed, tally{axis: x, count: float64(k), n: len(l.Labels), p: stats.FixedPoints(k, 1)})
		byE = append(byE, labels[x].tally(x))
	}
	out := c.results("fixed-points", byFixed, skipped, func(all []tally) stats.LogP {
		k := 0
		for _, t := range all {
			k += int(t.count)
		}
		return stats.FixedPoints(k, len(all))
	})
	return append(out, c.results("label-e", byE, skipped, func(all []tally) stats.LogP { return pooledE(labels, all) })...)
}

// sideOf holds the labels of a block that were compared.
func sideOf(b *mlp.Block, labels []int) axis.Side {
	rows := make([]float32, 0, len(labels)*b.Hidden)
	for _, u := range labels {
		rows = append(rows, b.First[0].Rows[u*b.Hidden:(u+1)*b.Hidden]...)
	}
	return axis.SideOf(b.Units, labels, rows, b.Hidden)
}

// eligibleOf runs the guards on every block of both sides. A block has nil
// where its labels may give no p-value.
func eligibleOf(s *mlp.Stacks, skipped map[string]int) [][]bool {
	out := make([][]bool, len(s.A))
	for i := range s.A {
		a, b := &s.A[i], &s.B[i]
		if a.Units != b.Units {
			skipped["the two sides have different numbers of units"]++
			continue
		}
		ok := make([]bool, a.Units)
		for u := range ok {
			ok[u] = true
		}
		why := ""
		for v := range a.Views() {
			for _, x := range []*mlp.Block{a, b} {
				good, reason := axis.Check(x.Views()[v].Rows, x.Units, x.Hidden)
				for u := range ok {
					ok[u] = ok[u] && good[u]
				}
				if why == "" {
					why = reason
				}
			}
		}
		if why != "" {
			skipped[why]++
			continue
		}
		out[i] = ok
	}
	return out
}
