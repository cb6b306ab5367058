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
	// fewestHeads must agree where too few units do.
	fewestHeads = 2
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

// Measure removes what agrees from each of the two networks. seed fixes the texts.
func Measure(ctx context.Context, seed []byte, a, b *forward.Model, layers []Layer) (*Result, error) {
	units, heads := 0, 0
	for _, l := range layers {
		units += len(l.Units)
		heads += len(l.Heads)
	}
	if units < max(fewestUnits, 2*len(layers)) && heads < fewestHeads {
		return notMeasured(fmt.Sprintf("only %d pairs of units and %d of heads agree in %d layers, as many as by chance", units, heads, len(layers))), nil
	}
	r := &Result{Measured: true, Layers: len(layers)}
	for i, m := range []*forward.Model{a, b} {
		name := string(rune('A' + i))
		side, err := measureSide(ctx, seed, m, sets(layers, i), name)
		switch {
		case errors.Is(err, forward.ErrUnsupported):
			return notMeasured(name + ": " + err.Error()), nil
		case err != nil:
			return nil, err
		case !side.finite():
			return notMeasured(name + ": its output is not finite on texts that it writes itself, as when a weight is broken"), nil
		case side.Empty < least:
			return notMeasured(fmt.Sprintf("%s: its output hardly changes without any layer (%.1e)", name, side.Empty)), nil
		}
		r.Sides[i] = *side
	}
	r.A, r.B = r.Sides[0].Carry(), r.Sides[1].Carry()
	return r, nil
}

// measureSide measures one network.
func measureSide(ctx context.Context, seed []byte, m *forward.Model, agree map[int]*set, name string) (*Side, error) {
	texts, err := write(ctx, m, seed, name)
	if err != nil {
		return nil, err
	}
	side := &Side{Tokens: len(texts) * textLength}
	block, empty := forward.Variant{}, forward.Variant{}
	for i, l := range m.Tower.Layers {
		empty[i] = forward.Cut{MLP: true, Attention: true}
		if set, ok := agree[i]; ok {
			side.Units += l.MLPs()[0].Width()
			side.Heads += m.Tower.KVHeads
			side.Agreeing += len(set.units)
			side.HeadsAgree += len(set.heads)
		}
	}
	for i := range agree {
		block[i] = forward.Cut{MLP: side.Agreeing > 0, Attention: side.HeadsAgree > 0}
	}
	without, random := cuts(m, agree), cuts(m, drawn(seed, m, name, agree, side))
	c := companions{sets: agree}
	changes, err := run(ctx, m, texts, &forward.Options{Activity: func(x forward.Activity) error { return c.look(ctx, x) }}, without, random, block, empty)
	if err != nil {
		return nil, err
	}
	side.Without, side.Random, side.Block, side.Empty = mean(changes[0]), mean(changes[1]), mean(changes[2]), mean(changes[3])
	side.WithoutLeast, side.RandomLeast = leastTenth(changes[0]), leastTenth(changes[1])
	if c.count == 0 {
		return side, nil
	}
	for i, left := range c.left {
		without[i] = forward.Cut{Units: left, Heads: without[i].Heads, Attention: without[i].Attention}
	}
	if changes, err = run(ctx, m, texts, nil, without); err != nil {
		return nil, err
	}
	if all := mean(changes[0]); all < side.Without {
		side.Without, side.WithoutLeast, side.Companions = all, leastTenth(changes[0]), c.count
	}
	return side, nil
}

// mean of the changes at all tokens.
func mean(changes []float64) (sum float64) {
	for _, x := range changes {
		sum += x / float64(len(changes))
	}
	return sum
}

// leastTenth is the mean of the tenth of the changes that are least.
func leastTenth(changes []float64) float64 {
	return mean(slices.Sorted(slices.Values(changes))[:max(1, len(changes)/10)])
}

// run says, token by token, how far each variant's output is from that of the whole
// network.
func run(ctx context.Context, m *forward.Model, texts [][]int, o *forward.Options, variants ...forward.Variant) ([][]float64, error) {
	pass, err := m.Run(ctx, texts, append([]forward.Variant{nil}, variants...), o)
	if err != nil {
		return nil, err
	}
	return pass.Changes(ctx)
}

// drawn draws as many units and heads as agree, from all the layers together: a layer
// that agrees may be idle itself.
func drawn(seed []byte, m *forward.Model, name string, like map[int]*set, side *Side) map[int]*set {
	units := rng.New(seed, "random units of "+name).Sample(side.Units, side.Agreeing)
	heads := rng.New(seed, "random heads of "+name).Sample(side.Heads, side.HeadsAgree)
	out := map[int]*set{}
	firstUnit, firstHead := 0, 0
	for _, i := range slices.Sorted(maps.Keys(like)) {
		s := newSet()
		units, firstUnit = deal(s.units, units, firstUnit, m.Tower.Layers[i].MLPs()[0].Width())
		heads, firstHead = deal(s.heads, heads, firstHead, m.Tower.KVHeads)
		out[i] = s
	}
	return out
}

// deal moves the numbers below first+n into the set, counted from first.
func deal(to map[int]bool, numbers []int, first, n int) ([]int, int) {
	for len(numbers) > 0 && numbers[0] < first+n {
		to[numbers[0]-first] = true
		numbers = numbers[1:]
	}
	return numbers, first + n
}
