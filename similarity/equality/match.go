package equality

import (
	"context"
	"hash/maphash"
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
	Again   bool   // A holds these values, in whatever order, in an earlier pair too
}

// Correspondence is what of two models holds the same values.
type Correspondence struct {
	Pairs []Pair           // in A's stored order
	OnlyA []*tensor.Tensor // without a counterpart; left out are constants, tensors that count up, and further names of stored values that have one
	OnlyB []*tensor.Tensor

	Digests [2]map[*tensor.Tensor]*fingerprint.Digest // of the values of A's and B's tensors, as far as the pass over them told
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
	m := matching{name: name, as: as, bs: bs, partner: make([]*Pair, len(as.all)), taken: make([]bool, len(bs.all))}
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
func (r *reader) readAll(ctx context.Context, m tensor.Model) (*side, error) {
	tensors := m.Tensors()
	s := &side{all: make([]marked, len(tensors))}
	for g := range grains {
		if r.half[g] {
			s.marks[g] = make([]mark, len(tensors))
		}
	}
	for i, t := range tensors {
		if t.DType == tensor.Opaque {
			s.all[i].t = t // never paired: nobody knows its values
			continue
		}
		x, marks, err := r.once(ctx, m, t)
		if err != nil {
			return nil, err
		}
		s.all[i] = x
		for g := range grains {
			if r.half[g] {
				s.marks[g][i] = marks[g]
			}
		}
	}
	return s, nil
}

type matching struct {
	name    func(*tensor.Tensor) string
	as, bs  *side
	partner []*Pair // by place in as
	taken   []bool  // by place in bs
}

type key struct {
	mark mark
	name string
}

// keyOf is what tensors must share to be compared.
func (m *matching) keyOf(s *side, i int, g grain, byName bool) key {
	k := key{mark: s.marks[g][i]}
	if byName {
		k.name = m.name(s.all[i].t)
	}
	return k
}

// at pairs what is equal at one grain.
func (m *matching) at(ctx context.Context, g grain, byName bool) error {
	free := m.free(g, byName)
	for i := range m.as.all {
		if m.partner[i] != nil || m.as.all[i].t.DType == tensor.Opaque {
			continue
		}
		k := m.keyOf(m.as, i, g, byName)
		at := free.first(k)
		for j := *at; j >= 0; at, j = &free.next[j], free.next[j] {
			if m.keyOf(m.bs, int(j), g, byName) != k {
				continue
			}
			p, ok, err := equalAt(ctx, &m.as.all[i], &m.bs.all[j], g)
			if err != nil {
				return err
			}
			if ok {
				m.partner[i], m.taken[j] = p, true
				*at = free.next[j]
				break
			}
		}
	}
	return nil
}

// waiting are tensors of B by the hashes of their keys, those of one in stored order:
// keys themselves would take more memory than all that is known of the tensors.
type waiting struct {
	seed  maphash.Seed
	place map[uint64]int32 // in heads
	heads []int32
	next  []int32 // by tensor; −1 for the last
}

// free are those of B that have no counterpart yet.
func (m *matching) free(g grain, byName bool) *waiting {
	w := &waiting{maphash.MakeSeed(), map[uint64]int32{}, []int32{-1}, make([]int32, len(m.bs.all))}
	for i := len(m.bs.all) - 1; i >= 0; i-- {
		if m.taken[i] || m.bs.all[i].t.DType == tensor.Opaque {
			continue
		}
		k := m.keyOf(m.bs, i, g, byName)
		h := maphash.Comparable(w.seed, k)
		if w.place[h] == 0 {
			w.place[h] = int32(len(w.heads))
			w.heads = append(w.heads, -1)
		}
		head := &w.heads[w.place[h]]
		w.next[i], *head = *head, int32(i)
	}
	return w
}

// first is where the first tensor of a key stands, which may be of another key with the
// same hash.
func (w *waiting) first(k key) *int32 { return &w.heads[w.place[maphash.Comparable(w.seed, k)]] }

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
	c := &Correspondence{Digests: [2]map[*tensor.Tensor]*fingerprint.Digest{digests(m.as.all), digests(m.bs.all)}}
	paired := func(i int) bool { return m.partner[i] != nil }
	c.Pairs = make([]Pair, 0, howMany(len(m.partner), paired))
	met := make(map[mark]bool)
	for i, p := range m.partner {
		if p == nil {
			continue
		}
		if p.Learned {
			k := m.as.marks[asDecoded][i]
			p.Again, met[k] = met[k], true
		}
		c.Pairs = append(c.Pairs, *p)
	}
	m.as.marks, m.bs.marks = [grains][]mark{}, [grains][]mark{} // of large mixtures they are much
	c.OnlyA = lone(m.as.all, paired)
	c.OnlyB = lone(m.bs.all, func(i int) bool { return m.taken[i] })
	return c
}

// digests are those that the pass over a model told.
func digests(all []marked) map[*tensor.Tensor]*fingerprint.Digest {
	out := make(map[*tensor.Tensor]*fingerprint.Digest, len(all))
	for _, x := range all {
		if x.values != nil {
			out[x.t] = x.values
		}
	}
	return out
}
