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
		if !b.kin(p, c) || b.inPart(p, c) || b.lacks(p, c, o) || !b.corresponds(p, c) && b.vecs.shape[p] != b.vecs.shape[o] {
			return math.Inf(1) // distances over different matrices cannot be held against each other
		}
		return b.pairs[p][c].distance
	})
	switch {
	case near < 0 && b.kin(o, c):
		return o
	case near < 0:
		return t.least(func(p int) float64 {
			if !b.kin(p, c) || b.lacks(p, c, o) {
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
		case !t.b.kin(p, c) || t.b.inPart(p, c) || t.b.lacks(p, c, t.origin):
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
		if d := b.pairs[x][c].distance; d < best && b.kin(x, c) && b.comparable(x, c) && b.comparable(p, c) && !b.strays(p, x, c) && !b.lacks(x, c, t.origin) && b.vecs.continues(p, x, c) {
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

// comparable tells whether the values of two models stand in places that correspond.
func (b *builder) comparable(i, j int) bool {
	return b.corresponds(i, j) && b.pairs[i][j].distance < incomparable
}

func (b *builder) corresponds(i, j int) bool {
	_, ok := b.vecs.together(i, j)
	return ok
}

// strays tells whether a way from p to c is longer over x, counted in what differs in
// build: nothing is widened to be narrowed again.
func (b *builder) strays(p, x, c int) bool {
	return b.vecs.frames.differ(x, c) > b.vecs.frames.differ(p, c)
}

// lacks tells whether a model holds what the origin has and another lost, such as a layer
// or a shape of its embeddings: so it was not made from that one, whatever else the two
// share.
func (b *builder) lacks(p, c, origin int) bool {
	return p != origin && c != origin && b.vecs.shape[p] != b.vecs.shape[c] && b.vecs.frames.lacks(p, c, origin)
}

// continues tells whether the way from g to c looks as if it led over p: c's
// difference from g holds the whole of p's, no more and no less, as that of a
// child does, while siblings have a part of it in common, or one that was
// trained longer on the same data overshoots it. Where p was not trained, its shape tells.
func (v *vectors) continues(g, p, c int) bool {
	const least, most, cosine, untrained = 0.7, 1.2, 0.5, 0.01
	m, ok := v.together(g, p, c)
	if !ok {
		return false
	}
	pp, cc, pc := m.along(0, 1, 1), m.along(0, 2, 2), m.along(0, 1, 2)
	if v.shape[p] == v.shape[c] && v.shape[p] != v.shape[g] && pp < untrained*cc {
		return true
	}
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
	if v.inPlace([]int{g, p, c}) {
		for m, x := range v.values[c] {
			if slices.Equal(v.values[g][m], x) && !slices.Equal(v.values[g][m], v.values[p][m]) {
				return true
			}
		}
		return false
	}
	f := v.frames
	for _, row := range f.matched([]int{g, p, c}) {
		if from, x := f.part(g, row[0]), f.part(c, row[2]); slices.Equal(from, x) && !slices.Equal(from, f.part(p, row[1])) {
			return true
		}
	}
	return false
}
