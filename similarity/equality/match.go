package equality

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Pair is a tensor of A and one of B that hold the same values.
type Pair struct {
	A, B    *tensor.Tensor
	Rounded string // the side whose values are the other's rounded to its type: "A", "B", or "" where they are equal
	Moved   []int  // axis of A that stands at each axis of B, lengths of one left out; nil where none moved
	Says    bool   // the values could not as well stand in any other model: neither constant nor counting up
	Learned bool   // they look like a matrix that was trained, and like no fixed table
}

// Correspondence is what of two models holds the same values.
type Correspondence struct {
	Pairs []Pair           // in A's stored order
	OnlyA []*tensor.Tensor // without a counterpart; left out are constants, tensors that count up, and further names of stored values that have one
	OnlyB []*tensor.Tensor

	Digests [2]map[*tensor.Tensor]fingerprint.Digest // of the values of A's and B's tensors, as far as the pass over them told
}

// Whole tells whether every tensor that says something has its counterpart.
func (c *Correspondence) Whole() bool {
	return len(c.OnlyA) == 0 && len(c.OnlyB) == 0 && slices.ContainsFunc(c.Pairs, func(p Pair) bool { return p.Says })
}

// Match reads all values of both models and pairs the tensors that hold the
// same ones. Each tensor is paired once. Where several hold the same values
// those to which name gives the same word are paired first, then the others in
// stored order. A nil name stands for the tensors' own.
func Match(ctx context.Context, a, b tensor.Model, name func(*tensor.Tensor) string) (*Correspondence, error) {
	r := newReader(a, b)
	as, err := r.readAll(ctx, a)
	if err != nil {
		return nil, err
	}
	bs, err := r.readAll(ctx, b)
	if err != nil {
		return nil, err
	}
	if name == nil {
		name = func(t *tensor.Tensor) string { return t.Name }
	}
	m := matching{name: name, as: as, bs: bs, partner: make([]*Pair, len(as)), taken: make([]bool, len(bs))}
	for _, byName := range []bool{true, false} {
		for g := range grains {
			if !r.half[g] {
				continue
			}
			if err := m.at(ctx, g, byName); err != nil {
				return nil, err
			}
		}
	}
	return m.result(), nil
}

// readAll marks the tensors of a model whose values can be read.
func (r *reader) readAll(ctx context.Context, m tensor.Model) ([]*marked, error) {
	var out []*marked
	for _, t := range m.Tensors() {
		if t.DType == tensor.Opaque {
			out = append(out, &marked{t: t}) // never paired: nobody knows its values
			continue
		}
		x, err := r.read(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

type matching struct {
	name    func(*tensor.Tensor) string
	as, bs  []*marked
	partner []*Pair // by place in as
	taken   []bool  // by place in bs
}

type key struct {
	mark mark
	name string
}

// keyOf is what tensors must share to be compared.
func (m *matching) keyOf(x *marked, g grain, byName bool) key {
	k := key{mark: x.marks[g]}
	if byName {
		k.name = m.name(x.t)
	}
	return k
}

// at pairs what is equal at one grain.
func (m *matching) at(ctx context.Context, g grain, byName bool) error {
	free := map[key][]int{}
	for i, x := range m.bs {
		if !m.taken[i] && x.t.DType != tensor.Opaque {
			k := m.keyOf(x, g, byName)
			free[k] = append(free[k], i)
		}
	}
	for i, x := range m.as {
		if m.partner[i] != nil || x.t.DType == tensor.Opaque {
			continue
		}
		k := m.keyOf(x, g, byName)
		for at, j := range free[k] {
			p, ok, err := equalAt(ctx, x, m.bs[j], g)
			if err != nil {
				return err
			}
			if ok {
				m.partner[i], m.taken[j] = p, true
				free[k] = slices.Delete(free[k], at, at+1)
				break
			}
		}
	}
	return nil
}

// equalAt compares two tensors of one mark. At a grain of a half one side must
// be stored in it, and is the rounded one.
func equalAt(ctx context.Context, a, b *marked, g grain) (*Pair, bool, error) {
	p := &Pair{A: a.t, B: b.t, Says: a.says(), Learned: a.learned}
	if g != asDecoded {
		switch {
		case grainOf(b.t.DType) == g:
			p.Rounded = "B"
		case grainOf(a.t.DType) == g:
			p.Rounded = "A"
		default:
			return nil, false, nil
		}
	}
	if g == asDecoded && a.values != nil && b.values != nil && *a.values == *b.values {
		return p, true, nil // equal shapes and values
	}
	order, ok, err := sameValues(ctx, a.t, b.t, g.rounding())
	if err != nil || !ok {
		return nil, false, err
	}
	if !slices.IsSorted(order) {
		p.Moved = order
	}
	return beyondFloat32(ctx, p)
}

// beyondFloat32 settles tensors whose values may not fit the float32 that they
// are decoded to: they are equal if their digests are, and else the narrower
// side is the wider one rounded.
func beyondFloat32(ctx context.Context, p *Pair) (*Pair, bool, error) {
	long := [2]bool{isWide(p.A.DType), isWide(p.B.DType)}
	if !long[0] && !long[1] || p.Rounded != "" {
		return p, true, nil
	}
	if p.Moved == nil && slices.Equal(p.A.Shape, p.B.Shape) {
		da, err := fingerprint.Values(ctx, p.A)
		if err != nil {
			return nil, false, err
		}
		db, err := fingerprint.Values(ctx, p.B)
		if err != nil || da == db {
			return p, err == nil, err
		}
	}
	switch {
	case long[0] && long[1]:
		return nil, false, nil
	case long[0]:
		p.Rounded = "B"
	default:
		p.Rounded = "A"
	}
	return p, true, nil
}

// isWide tells which types hold values that float32 may not.
func isWide(t tensor.DType) bool {
	switch t {
	case tensor.F64, tensor.C128, tensor.I32, tensor.U32, tensor.I64, tensor.U64:
		return true
	}
	return false
}

// result collects pairs and what is left.
func (m *matching) result() *Correspondence {
	c := &Correspondence{Digests: [2]map[*tensor.Tensor]fingerprint.Digest{digests(m.as), digests(m.bs)}}
	for _, p := range m.partner {
		if p != nil {
			c.Pairs = append(c.Pairs, *p)
		}
	}
	c.OnlyA = lone(m.as, func(i int) bool { return m.partner[i] != nil })
	c.OnlyB = lone(m.bs, func(i int) bool { return m.taken[i] })
	return c
}

// digests are those that the pass over a model told.
func digests(all []*marked) map[*tensor.Tensor]fingerprint.Digest {
	out := make(map[*tensor.Tensor]fingerprint.Digest, len(all))
	for _, x := range all {
		if x.values != nil {
			out[x.t] = *x.values
		}
	}
	return out
}
