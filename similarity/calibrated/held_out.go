package calibrated

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// nullHeldOut is the null of the agreement in layers that no basis was fitted to.
const nullHeldOut = "two independently trained networks agree on units, in layers that took no part in finding a common basis, no more than the control population does"

// HeldOut counts the hidden units that find the same partner through two
// groups of views in layers that the common basis was not fitted to; the first
// match comes from quantities that depend on no basis, label or token (package
// tokenfree). The first result has the share of agreeing units as its effect,
// the second the mean cosine of matched units, beside the most that a rotation
// aimed at all these layers brings strangers to (the statistic).
func HeldOut() *similarity.Test {
	return &similarity.Test{Name: "held-out-agreement", Doc: "units that agree under a basis found in other layers", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := heldOut(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e...)
		}
		return out, nil
	}}
}

func heldOut(ctx context.Context, p *align.Pair, t align.TowerPair) ([]similarity.Evidence, error) {
	share, cosine := evidence("held-out-agreement", "mlp (token-free)", t), evidence("held-out-cosine", "mlp (token-free)", t)
	share.Component, cosine.Component = "mlp", "mlp"
	share.Null, cosine.Null = nullHeldOut, nullHeldOut
	s, err := mlp.Read(ctx, p, t)
	if err != nil {
		return nil, err
	}
	found, err := agreed(ctx, p, t, s)
	if err != nil {
		return nil, err
	}
	if found == nil {
		share.Skipped, cosine.Skipped = s.Why, s.Why
		return []similarity.Evidence{share, cosine}, nil
	}
	r := found.result
	share.Statistic, share.N, share.Effect, share.Warnings = float64(r.Agree), r.Tested, r.Share(), found.notes
	_, reach := tokenfree.Ceiling(min(t.A.Hidden, t.B.Hidden), r.Tested/max(1, len(r.Layers)), len(r.Layers))
	cosine.Statistic, cosine.N, cosine.Effect = reach, r.Tested, r.Cosine
	if r.Tested == 0 {
		share.Skipped, cosine.Skipped = "no unit could be tested", "no unit could be tested"
	}
	return append([]similarity.Evidence{share, cosine}, found.byLayer(share, t)...), nil
}

// agreement is the agreement of layers under one pairing.
type agreement struct {
	layers []align.LayerPair // by position in the towers
	result *tokenfree.Result
	notes  []string
}

// chance is the share of agreeing units up to which a layer may have been
// paired wrongly.
const chance = 0.05

// agreed compares layers as they are paired, and where one of them shows nothing, as
// their signatures pair them, and with B's matrices in one another's roles. It is nil
// where nothing could be compared.
func agreed(ctx context.Context, p *align.Pair, t align.TowerPair, s *mlp.Stacks) (*agreement, error) {
	var best *agreement
	keep := func(g *agreement) {
		if g != nil && (best == nil || g.result.Share() > best.result.Share()) {
			best = g
		}
	}
	if s.Why == "" {
		keep(placed(ctx, p, t, s, s.B))
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(best.result.Layers, func(l tokenfree.Layer) bool { return float64(l.Agree) <= chance*float64(l.Tested) }) {
			return best, nil
		}
	}
	a, b, atA, atB, err := mlp.All(ctx, p, t)
	if err != nil {
		return best, err
	}
	tries := misnamings(ctx, p, s, a, b)
	whole := newStack(p, a, atA)
	if a = nil; len(whole.layers) > 0 { // what the others are rejoined from is asked for no more
		keep(whole.paired(ctx, p, t, b, atB, best != nil))
	}
	for _, try := range tries {
		if best != nil && best.result.Share() > plain {
			break
		}
		var found [2]*agreement
		if s.Why == "" && len(try.stack) > 0 && worthwhile(ctx, p, s, inRoles(s.B, try.stack)) {
			found[0] = placed(ctx, p, t, s, inRoles(s.B, try.stack))
		}
		if len(try.all) > 0 {
			found[1] = whole.paired(ctx, p, t, inRoles(b, try.all), atB, false)
		}
		for _, g := range found {
			if g != nil {
				g.notes = append(g.notes, "matrices of B's layers were taken in one another's roles")
			}
			keep(g)
		}
	}
	return best, ctx.Err()
}

// placed compares the layers as they were paired for reading, with these views of B's.
func placed(ctx context.Context, p *align.Pair, t align.TowerPair, s *mlp.Stacks, b []mlp.Block) *agreement {
	g := &agreement{layers: s.Layers}
	g.compare(ctx, p, s.A, b)
	if slices.ContainsFunc(s.Layers, func(l align.LayerPair) bool { return !slices.Contains(t.Layers, l) }) {
		g.notes = append(g.notes, pairedAnew)
	}
	return g
}

// pairedAnew is said where layers are held against others than those at their places.
const pairedAnew = "layers were paired by what no change of basis alters"

// stack holds all layers of A, which B's are held against more than once.
type stack struct {
	layers []mlp.Block // rejoined
	at     []int       // their places in the tower
	known  *tokenfree.Stack
}

func newStack(p *align.Pair, a []mlp.Block, at []int) *stack {
	a = rejoinedAll(a)
	return &stack{a, at, tokenfree.NewStack(a, &tokenfree.Options{Seed: p.Seed})}
}

// paired compares layers as their signatures pair them. It is nil where these pair
// fewer than two, or none but as they are paired already and have been compared.
func (s *stack) paired(ctx context.Context, p *align.Pair, t align.TowerPair, b []mlp.Block, atB []int, compared bool) *agreement {
	g := &agreement{}
	var xa, xb []mlp.Block
	moved := false
	var joined []*mlp.Joined
	for _, x := range b {
		joined = append(joined, mlp.Join(x))
	}
	for _, c := range s.known.Counterparts(ctx, joined) {
		l := align.LayerPair{A: s.at[c[0]], B: atB[c[1]]}
		xa, xb, g.layers = append(xa, s.layers[c[0]]), append(xb, joined[c[1]].Block()), append(g.layers, l)
		moved = moved || !slices.Contains(t.Layers, l)
	}
	if len(xa) < 2 || !moved && compared {
		return nil
	}
	g.compare(ctx, p, xa, xb)
	if moved {
		g.notes = append(g.notes, pairedAnew)
	}
	return g
}

func rejoinedAll(blocks []mlp.Block) []mlp.Block {
	out, _ := rejoined(blocks)
	return out
}

func (g *agreement) compare(ctx context.Context, p *align.Pair, a, b []mlp.Block) {
	a, joinedA := rejoined(a)
	b, joinedB := rejoined(b)
	g.result = tokenfree.CrossFit(ctx, a, b, &tokenfree.Options{Seed: p.Seed})
	for i, joined := range []int{joinedA, joinedB} {
		if joined > 0 {
			g.notes = append(g.notes, fmt.Sprintf("%d units of %s open together with others and were put together", joined, []string{"A", "B"}[i]))
		}
	}
}

// rejoined puts units together that open together, so that a unit that was
// split meets the one it was split from.
func rejoined(blocks []mlp.Block) (out []mlp.Block, joined int) {
	for _, b := range blocks {
		b, n := mlp.Rejoined(b)
		out, joined = append(out, b), joined+n
	}
	return out, joined
}

// byLayer repeats the agreement layer by layer.
func (g *agreement) byLayer(all similarity.Evidence, t align.TowerPair) (out []similarity.Evidence) {
	for i, l := range g.result.Layers {
		e := all
		e.LayerA, e.LayerB = t.A.Layers[g.layers[i].A].Index, t.B.Layers[g.layers[i].B].Index
		e.Axis, e.Warnings = fmt.Sprintf("layers.%d.mlp (token-free)", e.LayerB), nil
		e.Statistic, e.N, e.Effect = float64(l.Agree), l.Tested, float64(l.Agree)/float64(max(1, l.Tested))
		out = append(out, e)
	}
	return out
}
