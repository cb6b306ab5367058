package lineage

import (
	"cmp"
	"math"
	"slices"
)

// tree is a family while it grows.
type tree struct {
	b      *builder
	origin int
	placed []int
	below  map[int][]int // children of a placed member
}

func (t *tree) place(parent, child int) {
	t.placed = append(t.placed, child)
	t.below[parent] = append(t.below[parent], child)
}

// inOrder lists the members but for the origin, nearest to it first, copies of
// others last.
func (b *builder) inOrder(origin int, members []int) []int {
	out := slices.DeleteFunc(slices.Clone(members), func(i int) bool { return i == origin })
	late := func(i int) int {
		if b.copied(i, members) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(i, j int) int {
		return cmp.Or(cmp.Compare(late(i), late(j)), cmp.Compare(b.pairs[origin][i].distance, b.pairs[origin][j].distance))
	})
	return out
}

// under finds the place of a model, -1 if it has none: a copy below what it
// copies; any other one where start says, and from there down to a child as
// long as that one's difference from its parent is part of the model's own.
func (t *tree) under(c int) int {
	same := t.least(func(p int) float64 {
		if !t.b.same(p, c) {
			return math.Inf(1)
		}
		return t.b.pairs[p][c].distance
	})
	if same >= 0 {
		return same
	}
	p := t.start(c)
	for next := p; next >= 0; next = t.down(p, c) {
		p = next
	}
	return p
}

// nearer is the share of the distance to the origin below which another place
// is taken where only distances can be asked.
const nearer = 0.7

// start is where the way down begins: at the origin where values of the two
// can be held together, and elsewhere only where the values of another kin
// are clearly nearer. Where no values correspond, units have to tell.
func (t *tree) start(c int) int {
	b, o := t.b, t.origin
	near := t.least(func(p int) float64 {
		if !b.kin(p, c) || b.inPart(p, c) || b.vecs.shape[p] != b.vecs.shape[c] && b.vecs.shape[p] != b.vecs.shape[o] {
			return math.Inf(1) // distances over different matrices cannot be held against each other
		}
		return b.pairs[p][c].distance
	})
	switch {
	case near < 0 && b.kin(o, c):
		return o
	case near < 0:
		return t.least(func(p int) float64 {
			if !b.kin(p, c) {
				return math.Inf(1)
			}
			return b.pairs[p][c].distance
		})
	case b.pairs[near][c].distance >= incomparable:
		return t.alike(c)
	case !b.kin(o, c):
		return near
	case b.comparable(o, c):
		return o
	case b.pairs[near][c].distance < nearer*b.pairs[o][c].distance:
		return near
	}
	return o
}

// alike is the kin that is most alike where values do not correspond; the
// origin unless another one is so by more than a hundredth.
func (t *tree) alike(c int) int {
	const margin = 0.01
	return t.least(func(p int) float64 {
		likeness := t.b.pairs[min(p, c)][max(p, c)].likeness
		switch {
		case !t.b.kin(p, c) || t.b.inPart(p, c):
			return math.Inf(1)
		case p == t.origin:
			return -likeness - margin
		}
		return -likeness
	})
}

// down is the nearest child of p that the model may have been made from, -1 if
// there is none.
func (t *tree) down(p, c int) int {
	b, at, best := t.b, -1, math.Inf(1)
	for _, x := range t.below[p] {
		if d := b.pairs[x][c].distance; d < best && b.kin(x, c) && b.comparable(x, c) && b.comparable(p, c) && b.vecs.continues(p, x, c) {
			at, best = x, d
		}
	}
	return at
}

// least is the placed member with the smallest figure, the first of equals; -1
// if all are infinite.
func (t *tree) least(figure func(p int) float64) int {
	at, best := -1, math.Inf(1)
	for _, p := range t.placed {
		if f := figure(p); f < best {
			at, best = p, f
		}
	}
	return at
}

// comparable tells whether the values of two models stand in the same places.
func (b *builder) comparable(i, j int) bool {
	return b.vecs.shape[i] == b.vecs.shape[j] && b.pairs[i][j].distance < incomparable
}

// continues tells whether the way from g to c looks as if it led over p: c's
// difference from g holds the whole of p's, no more and no less, as that of a
// child does, while siblings have a part of it in common, or one that was
// trained longer on the same data overshoots it.
func (v *vectors) continues(g, p, c int) bool {
	const least, most, cosine = 0.7, 1.2, 0.5
	pp, cc, pc := v.along(g, p, p), v.along(g, c, c), v.along(g, p, c)
	if pp <= 0 || cc <= 0 {
		return false
	}
	t := pc / pp
	return t >= least && t <= most && pc/math.Sqrt(pp*cc) >= cosine && !v.passed(g, p, c)
}

// passed tells whether the way from g to c cannot have led over p: a matrix is
// the same in g and c, and another one in p. Training on from p would not have
// brought it back.
func (v *vectors) passed(g, p, c int) bool {
	for m := range v.values[c] {
		if v.equal(g, c, m) && !v.equal(g, p, m) {
			return true
		}
	}
	return false
}
