package carry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/weightprint/weightprint/internal/forward"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

const (
	// fewestUnits is how many pairs of units must agree: fewer come about by
	// chance, one or so in every pair of layers.
	fewestUnits = 16
	// least is the change without any layer, in nats or as a share, below which
	// nothing can be said: the network does next to nothing.
	least = 1e-4
	// idle is the change without the block over that without any layer below which
	// the block does nothing, and what agrees in it neither.
	idle = 1e-3
)

// Pair finds what agrees in a pair of networks and measures its carry on both
// sides. A network that cannot be run, or of which nothing agrees, is no error: the
// result says why nothing was measured.
func Pair(ctx context.Context, p *align.Pair, a, b *forward.Model) (*Result, error) {
	layers, coordinates, why, err := Agreeing(ctx, p)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return notMeasured(why), nil
	}
	r, err := Measure(ctx, p.Seed, a, b, layers)
	if err == nil {
		r.Coordinates = coordinates
	}
	return r, err
}

// Measure removes the agreeing units from each of the two networks. seed fixes the
// texts.
func Measure(ctx context.Context, seed []byte, a, b *forward.Model, layers []Layer) (*Result, error) {
	r := &Result{Measured: true, Layers: len(layers)}
	agree := 0
	for _, l := range layers {
		agree += len(l.Units)
	}
	if agree < max(fewestUnits, 2*len(layers)) {
		return notMeasured(fmt.Sprintf("only %d pairs of units agree in %d layers, as many as by chance", agree, len(layers))), nil
	}
	for i, m := range []*forward.Model{a, b} {
		name := string(rune('A' + i))
		side, err := measureSide(ctx, seed, m, sets(layers, i), name)
		switch {
		case errors.Is(err, forward.ErrUnsupported):
			return notMeasured(name + ": " + err.Error()), nil
		case err != nil:
			return nil, err
		case side.Empty < least:
			return notMeasured(fmt.Sprintf("%s: its output hardly changes without any layer (%.1e)", name, side.Empty)), nil
		}
		r.Sides[i] = *side
	}
	r.A, r.B = r.Sides[0].Carry(), r.Sides[1].Carry()
	return r, nil
}

// sets lists the agreeing units of one side by position of the layer. A layer that
// stands against several has all their units.
func sets(layers []Layer, side int) map[int]map[int]bool {
	out := map[int]map[int]bool{}
	for _, l := range layers {
		at := [2]int{l.A, l.B}[side]
		if out[at] == nil {
			out[at] = map[int]bool{}
		}
		for _, u := range l.Units {
			out[at][u[side]] = true
		}
	}
	return out
}

// measureSide measures one network.
func measureSide(ctx context.Context, seed []byte, m *forward.Model, units map[int]map[int]bool, name string) (*Side, error) {
	texts, err := write(ctx, m, seed, name)
	if err != nil {
		return nil, err
	}
	side := &Side{Tokens: len(texts) * textLength}
	without, random, block, empty := forward.Variant{}, forward.Variant{}, forward.Variant{}, forward.Variant{}
	for i, l := range m.Tower.Layers {
		empty[i] = forward.Cut{MLP: true, Attention: true}
		if set, ok := units[i]; ok {
			width := l.MLPs()[0].Width()
			without[i], block[i] = cut(set, width), forward.Cut{MLP: true}
			side.Units += width
			side.Agreeing += len(set)
		}
	}
	for i, set := range drawn(seed, m, name, units, side) {
		random[i] = cut(set, m.Tower.Layers[i].MLPs()[0].Width())
	}
	c := companions{sets: units}
	changes, err := run(ctx, m, texts, &forward.Options{Activity: func(x forward.Activity) error { return c.look(ctx, x) }}, without, random, block, empty)
	if err != nil {
		return nil, err
	}
	side.Without, side.Random, side.Block, side.Empty = changes[0], changes[1], changes[2], changes[3]
	if c.count == 0 {
		return side, nil
	}
	for i, left := range c.left {
		without[i] = forward.Cut{Units: left}
	}
	if changes, err = run(ctx, m, texts, nil, without); err != nil {
		return nil, err
	}
	if changes[0] < side.Without {
		side.Without, side.Companions = changes[0], c.count
	}
	return side, nil
}

// run says how far each variant's output is from that of the whole network.
func run(ctx context.Context, m *forward.Model, texts [][]int, o *forward.Options, variants ...forward.Variant) ([]float64, error) {
	pass, err := m.Run(ctx, texts, append([]forward.Variant{nil}, variants...), o)
	if err != nil {
		return nil, err
	}
	return pass.Change(ctx)
}

// drawn draws as many units as agree, from all the layers together: a layer that
// agrees may be idle itself.
func drawn(seed []byte, m *forward.Model, name string, like map[int]map[int]bool, side *Side) map[int]map[int]bool {
	units := rng.New(seed, "random units of "+name).Sample(side.Units, side.Agreeing)
	out := map[int]map[int]bool{}
	first := 0
	for _, i := range slices.Sorted(maps.Keys(like)) {
		width := m.Tower.Layers[i].MLPs()[0].Width()
		out[i] = map[int]bool{}
		for len(units) > 0 && units[0] < first+width {
			out[i][units[0]-first] = true
			units = units[1:]
		}
		first += width
	}
	return out
}

// cut leaves of a layer's units those that are not in the set.
func cut(set map[int]bool, width int) forward.Cut {
	if len(set) == width {
		return forward.Cut{MLP: true}
	}
	left := make([]float32, width)
	for u := range left {
		if !set[u] {
			left[u] = 1
		}
	}
	return forward.Cut{Units: left}
}
