package mlp

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Stacks are layers of two towers, read whole: A[i] stands against B[i].
type Stacks struct {
	Layers []align.LayerPair // by position in the towers
	A, B   []Block
	Why    string // why there are none; empty when there are
	Short  bool   // it is the budget that leaves none
}

// extent is how much the tests on whole layers may take.
type extent struct {
	layers int     // at most, 0 for all
	work   float64 // multiplications
	values int     // of both sides that may be held at a time
}

// Under a budget, without one, and where the pair is to be looked at as deep as can be.
var bounded, unbounded, deep = extent{6, 24e9, 1 << 26}, extent{8, 240e9, 1 << 28}, extent{0, 2e12, 1 << 29}

func extentOf(p *align.Pair) extent {
	switch {
	case p.Bounded():
		return bounded
	case p.Deep:
		return deep
	}
	return unbounded
}

// layersOf is how many layers of the cost and the values of one are within the extent.
func (e extent) layersOf(n int, each float64, values int) int {
	if e.layers > 0 {
		n = min(n, e.layers)
	}
	return min(n, int(e.work/each), e.values/max(1, values))
}

// wholeShare is the percentage of what a budget leaves that whole layers may take.
const wholeShare = 50

// Read reads layers of a tower pair whole, evenly spread, the first only where
// there are fewer than three, as many as budget and work allow and an even
// number where there are more than three. What was read is kept with the pair.
func Read(ctx context.Context, p *align.Pair, t align.TowerPair) (*Stacks, error) {
	kept := align.Kept[map[string]*Stacks](p)
	if s := (*kept)[t.B.Name]; s != nil {
		return s, nil
	}
	s, err := read(ctx, p, t)
	if err != nil {
		return nil, err
	}
	if *kept == nil {
		*kept = map[string]*Stacks{}
	}
	(*kept)[t.B.Name] = s
	return s, nil
}

func read(ctx context.Context, p *align.Pair, t align.TowerPair) (*Stacks, error) {
	pairs, err := aligned(ctx, p, t)
	if err != nil {
		return nil, err
	}
	if pairs != nil {
		t.Layers = pairs
	}
	layers := fit(t)
	if len(layers) < 2 {
		return &Stacks{Why: "fewer than two layers have an MLP of the same kind on both sides"}, nil
	}
	each := max(cost(t.A, layers[0].A), cost(t.B, layers[0].B))
	n := extentOf(p).layersOf(len(layers), each, values(t.A, layers[0].A)+values(t.B, layers[0].B))
	if n < 2 {
		return &Stacks{Why: "the layers are too large to be compared whole at this depth"}, nil
	}
	bytes := max(stored(t.A, layers[0].A), stored(t.B, layers[0].B))
	if n = min(n, p.Within(bytes, wholeShare)); p.Reserve(bytes, n) < 2 {
		return &Stacks{Why: "fewer than two whole layers fit the budget", Short: true}, nil
	}
	s := &Stacks{}
	for _, i := range align.Spread(len(layers), n-n%2*min(1, n/4)) {
		a, b, err := both(ctx, t, layers[i])
		if err != nil {
			return nil, err
		}
		s.Layers, s.A, s.B = append(s.Layers, layers[i]), append(s.A, a), append(s.B, b)
	}
	return s, nil
}

// fit lists the layer pairs whose MLPs can be held against each other; layer 0
// answers to tokens and is left out where there are others.
func fit(t align.TowerPair) (out []align.LayerPair) {
	for _, l := range t.Layers {
		if a, b := whole(t.A, l.A), whole(t.B, l.B); a && b && gated(t.A, l.A) == gated(t.B, l.B) {
			out = append(out, l)
		}
	}
	if len(out) > 2 && out[0].B == 0 {
		out = out[1:]
	}
	return out
}

// whole tells whether all MLPs of a layer read and write the residual stream.
func whole(t *roles.Tower, layer int) bool {
	all := t.Layers[layer].MLPs()
	for _, m := range all {
		if m.Up == nil || m.Down == nil || m.Up.Cols != t.Hidden || m.Down.Rows != t.Hidden || m.Down.Cols != m.Up.Rows {
			return false
		}
		if (m.Gate == nil) != (all[0].Gate == nil) || m.Gate != nil && (m.Gate.Rows != m.Up.Rows || m.Gate.Cols != m.Up.Cols) {
			return false
		}
	}
	return len(all) > 0
}

func gated(t *roles.Tower, layer int) bool { return t.Layers[layer].MLPs()[0].Gate != nil }

// matrices of a layer's MLPs.
func matrices(t *roles.Tower, layer int) (out []*roles.Matrix) {
	for _, m := range t.Layers[layer].MLPs() {
		for _, x := range []*roles.Matrix{m.Gate, m.Up, m.Down} {
			if x != nil {
				out = append(out, x)
			}
		}
	}
	return out
}

// values is how many a layer's MLPs have.
func values(t *roles.Tower, layer int) (n int) {
	for _, m := range matrices(t, layer) {
		n += m.Rows * m.Cols
	}
	return n
}

// stored is how many bytes a layer's MLPs take.
func stored(t *roles.Tower, layer int) (n int64) {
	for _, m := range matrices(t, layer) {
		n += m.Cost(m.Rows) + m.Gain.Cost()
	}
	return n
}

// units is how many hidden units a layer has, those of all experts together.
func units(t *roles.Tower, layer int) (n float64) {
	for _, m := range t.Layers[layer].MLPs() {
		n += float64(m.Width())
	}
	return n
}

// cost estimates the multiplications that a layer takes: Gram matrices and
// reduction on the hidden size, signatures and matches on what it is reduced to.
func cost(t *roles.Tower, layer int) float64 {
	const reduced, matched, rounds = 192, 512, 6
	h, n := float64(t.Hidden), units(t, layer)
	k := min(h, reduced)
	views := 3.0
	return views*n*(h*h+2*h*k+2*k*k) + rounds*views*min(n, matched)*n*k
}

// both reads a layer of either side at the same time: where the sides lie on
// servers, one waits while the other reads.
func both(ctx context.Context, t align.TowerPair, l align.LayerPair) (a, b Block, err error) {
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() { b, failed = ReadLayer(ctx, t.B, l.B) })
	a, err = ReadLayer(ctx, t.A, l.A)
	wg.Wait()
	return a, b, cmp.Or(err, failed)
}

// ReadLayer reads the hidden units of a layer of a tower, by its position;
// those of all experts, where there are several, as one block. The gains of
// the norm before the MLP are multiplied in.
func ReadLayer(ctx context.Context, t *roles.Tower, layer int) (Block, error) {
	if !whole(t, layer) {
		return Block{}, fmt.Errorf("mlp: layer %d has no MLP on the residual stream", t.Layers[layer].Index)
	}
	units := 0
	for _, m := range t.Layers[layer].MLPs() {
		units += m.Width()
	}
	room := func(there bool) []float32 {
		if !there {
			return nil
		}
		return make([]float32, 0, units*t.Hidden)
	}
	gate, up, down := room(gated(t, layer)), room(true), room(true)
	for _, m := range t.Layers[layer].MLPs() {
		for _, x := range []struct {
			m    *roles.Matrix
			to   *[]float32
			turn bool
		}{{m.Gate, &gate, false}, {m.Up, &up, false}, {m.Down, &down, true}} {
			if x.m == nil {
				continue
			}
			r, err := axis.ReadRows(ctx, x.m, x.m.All(), !x.turn)
			if err != nil {
				return Block{}, err
			}
			if x.turn {
				r.Raw = basis.Transpose(r.Raw, x.m.Rows, x.m.Cols)
				if x.m.WritesCentred {
					axis.WithoutMeans(r.Raw, x.m.Cols, x.m.Rows)
				}
			}
			*x.to = append(*x.to, r.Raw...)
		}
	}
	if gate == nil {
		return Ungated(up, down, units, t.Hidden), nil
	}
	return Gated(gate, up, down, units, t.Hidden), nil
}
