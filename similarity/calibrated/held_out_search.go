package calibrated

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// agreement is the agreement of layers under one pairing.
type agreement struct {
	layers []align.LayerPair // by position in the towers
	result *tokenfree.Result
	notes  []string
}

// chance is the share of agreeing units up to which a layer may have been
// paired wrongly.
const chance = 0.05

// search looks for the way of holding the layers of two towers against each other under
// which most units agree.
type search struct {
	pair   *align.Pair
	towers align.TowerPair
	read   *mlp.Stacks // layers as they were paired for reading
	idle   *idle
	best   *agreement
}

// agreed compares layers as they are paired, and where one of them shows nothing, as
// their signatures pair them, and with B's matrices in one another's roles. It is nil
// where nothing could be compared.
func agreed(ctx context.Context, p *align.Pair, t align.TowerPair, s *mlp.Stacks) (*agreement, error) {
	idle, err := idleOf(ctx, p, t)
	if err != nil {
		return nil, err
	}
	x := &search{pair: p, towers: t, read: s, idle: idle}
	if s.Why == "" {
		x.inPlace(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if x.everyLayer() {
			return x.best, nil
		}
	}
	a, b, atA, atB, err := mlp.All(ctx, p, t)
	if err != nil {
		return x.best, err
	}
	x.elsewhere(ctx, a, b, atA, atB)
	return x.best, ctx.Err()
}

// keep keeps what shows more.
func (x *search) keep(g *agreement) {
	if g != nil && (x.best == nil || g.result.More(x.best.result)) {
		x.best = g
	}
}

// inPlace compares the layers as they were read, and once more without what comes to
// nothing, which is left out from then on.
func (x *search) inPlace(ctx context.Context) {
	x.keep(x.placed(ctx, x.read.B))
	if notes := x.idle.trim(&x.read); notes != nil {
		g := x.placed(ctx, x.read.B)
		g.notes = append(g.notes, notes...)
		x.keep(g)
	}
}

// everyLayer tells whether each layer that was compared shows more than chance.
func (x *search) everyLayer() bool {
	return !slices.ContainsFunc(x.best.result.Layers, func(l tokenfree.Layer) bool {
		return float64(l.Agree) <= chance*float64(l.Tested)
	})
}

// elsewhere compares all layers as their signatures pair them, and with B's matrices in
// one another's roles.
func (x *search) elsewhere(ctx context.Context, a, b []mlp.Block, atA, atB []int) {
	a, b = x.idle.without(a, b)
	tries := misnamings(ctx, x.pair, x.read, a, b)
	whole := newStack(x, a, atA, atB)
	if len(whole.layers) > 0 {
		joined := joinedAll(b)
		x.keep(whole.paired(ctx, joined, x.best != nil))
		if x.best == nil || x.best.result.Share() <= chance {
			x.keep(whole.throughOne(ctx, joined))
		}
	}
	for _, try := range tries {
		if x.best != nil && x.best.result.Share() > plain {
			return
		}
		for _, g := range []*agreement{x.renamed(ctx, try), whole.renamed(ctx, try, b)} {
			if g != nil {
				g.notes = append(g.notes, "matrices of B's layers were taken in one another's roles")
			}
			x.keep(g)
		}
	}
}

// renamed compares the layers as they were read, B's matrices in other roles.
func (x *search) renamed(ctx context.Context, try misnaming) *agreement {
	if x.read.Why != "" || len(try.stack) == 0 {
		return nil
	}
	b := inRoles(x.read.B, try.stack)
	if !worthwhile(ctx, x.pair, x.read, b) {
		return nil
	}
	return x.placed(ctx, b)
}

// placed compares the layers as they were paired for reading, with these views of B's.
func (x *search) placed(ctx context.Context, b []mlp.Block) *agreement {
	g := &agreement{layers: x.read.Layers}
	g.compare(ctx, x.pair, x.read.A, b)
	if slices.ContainsFunc(x.read.Layers, func(l align.LayerPair) bool { return !slices.Contains(x.towers.Layers, l) }) {
		g.notes = append(g.notes, pairedAnew)
	}
	return g
}

// pairedAnew is said where layers are held against others than those at their places.
const pairedAnew = "layers were paired by what no change of basis alters"

// stack holds all layers of A, which B's are held against more than once.
type stack struct {
	*search
	layers   []mlp.Block // rejoined
	atA, atB []int       // places of layers in the towers
	known    *tokenfree.Stack
}

// newStack takes the layers of A from the caller, and lets go of each that is put together.
func newStack(x *search, a []mlp.Block, atA, atB []int) *stack {
	for i := range a {
		a[i], _ = mlp.Rejoined(a[i])
	}
	return &stack{x, a, atA, atB, tokenfree.NewStack(a, &tokenfree.Options{Seed: x.pair.Seed})}
}

// renamed compares all layers, B's matrices in other roles.
func (s *stack) renamed(ctx context.Context, try misnaming, b []mlp.Block) *agreement {
	if len(try.all) == 0 {
		return nil
	}
	return s.paired(ctx, joinedAll(inRoles(b, try.all)), false)
}

// paired compares layers as their signatures pair them. It is nil where these pair
// fewer than two, or none but as they are paired already and have been compared.
func (s *stack) paired(ctx context.Context, b []*mlp.Joined, compared bool) *agreement {
	return s.pairedAs(ctx, s.known.Counterparts(ctx, b), b, compared)
}

// deepFits is how many fits to one layer are made where a pair is to be looked at as deep
// as can be.
const deepFits = 256

// throughOne compares layers as one of them shows that they belong together.
func (s *stack) throughOne(ctx context.Context, b []*mlp.Joined) *agreement {
	fits := 0
	if s.pair.Deep {
		fits = deepFits
	}
	return s.pairedAs(ctx, s.known.ThroughOne(ctx, b, fits), b, true)
}

// pairedAs compares layers (a, b). It is nil where there are fewer than two pairs, or none
// but as they are paired already and have been compared.
func (s *stack) pairedAs(ctx context.Context, pairs [][2]int, b []*mlp.Joined, compared bool) *agreement {
	g := &agreement{}
	var xa, xb []mlp.Block
	moved := false
	for _, c := range pairs {
		l := align.LayerPair{A: s.atA[c[0]], B: s.atB[c[1]]}
		xa, xb, g.layers = append(xa, s.layers[c[0]]), append(xb, b[c[1]].Block()), append(g.layers, l)
		moved = moved || !slices.Contains(s.towers.Layers, l)
	}
	if len(xa) < 2 || !moved && compared {
		return nil
	}
	g.compare(ctx, s.pair, xa, xb)
	if moved {
		g.notes = append(g.notes, pairedAnew)
	}
	return g
}

// joinedAll are blocks that are put together when they are asked for.
func joinedAll(blocks []mlp.Block) (out []*mlp.Joined) {
	for _, b := range blocks {
		out = append(out, mlp.Join(b))
	}
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
