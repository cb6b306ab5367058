package lineage

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
)

// families groups the models by kinship. Models that were put together from
// parts of several families do not join these; each stands, marked in joint,
// in the family of one of its relatives.
func (b *builder) families() (family []int, joint []bool) {
	joint = make([]bool, len(b.in))
	for c := range b.in {
		joint[c] = b.joins(c)
	}
	family = b.components(func(i int) bool { return !joint[i] })
	for c := range b.in {
		if !joint[c] {
			continue
		}
		for i := range b.in {
			if !joint[i] && b.kin(i, c) {
				family[c] = family[i]
				break
			}
		}
	}
	return family, joint
}

// components numbers the connected parts of the graph of kinship among some of
// the models, each by its first member.
func (b *builder) components(some func(int) bool) []int {
	return b.joined(func(i, j int) bool { return some(i) && some(j) && b.kin(i, j) })
}

// joined numbers the connected parts that links make of the models, each by its first
// member.
func (b *builder) joined(linked func(i, j int) bool) []int {
	part := make([]int, len(b.in))
	for i := range part {
		part[i] = i
		for j := range i {
			if part[i] == part[j] || !linked(j, i) {
				continue
			}
			old, now := max(part[i], part[j]), min(part[i], part[j])
			for k := range i + 1 {
				if part[k] == old {
					part[k] = now
				}
			}
		}
	}
	return part
}

// joins tells whether a model shares some parts with one model and some with
// another, where nothing else links these two.
func (b *builder) joins(c int) bool {
	var parts []int
	for i := range b.in {
		if i != c && b.kin(i, c) && b.inPart(i, c) {
			parts = append(parts, i)
		}
	}
	if len(parts) < 2 {
		return false
	}
	rest := b.components(func(i int) bool { return i != c })
	return slices.ContainsFunc(parts, func(i int) bool { return rest[i] != rest[parts[0]] })
}

// same tells whether two models hold the same values up to storage.
func (b *builder) same(i, j int) bool {
	r := b.at(i, j).relation
	return i != j && (r == verdict.Reencoded || r == verdict.Identical)
}

// copied tells whether a model holds the values of another one in another
// storage, seen from the one that was there first: the exact one, or else the
// first in order.
func (b *builder) copied(c int, among []int) bool {
	return slices.ContainsFunc(among, func(i int) bool {
		d := b.suggested(i, c)
		return b.same(i, c) && (d == verdict.AToB || d != verdict.BToA && i < c)
	})
}

// originals are the members that are no copies of others.
func (b *builder) originals(members []int) (out []int) {
	for _, i := range members {
		if !b.copied(i, members) {
			out = append(out, i)
		}
	}
	return out
}

// origin is the member that a family is hung from: the one with the fewest
// marks of having been made from another, and among these the one
// that most others started from, by hub; of equal ones, the one whose relatives
// lie as near to right angles as can be. It orders the picture; no direction is
// stated because of it.
func (b *builder) origin(members []int) int {
	made, hub, lean := map[int]int{}, map[int]int{}, map[int]float64{}
	for _, i := range members {
		for _, j := range members {
			if i != j && b.kin(i, j) && !b.same(i, j) && b.suggested(i, j) == verdict.BToA {
				made[i]++
			}
		}
	}
	least := len(members)
	for _, i := range members {
		least = min(least, made[i])
	}
	speak := slices.DeleteFunc(slices.Clone(members), func(i int) bool { return made[i] > least })
	for _, i := range speak {
		lean[i] = b.vecs.lean(i, b.originals(members))
		for _, j := range speak {
			hub[i] += b.vecs.started(i, j, members)
		}
	}
	return b.asCompared(slices.MinFunc(speak, func(i, j int) int {
		return cmp.Or(cmp.Compare(hub[j], hub[i]), cmp.Compare(b.copies(i, members), b.copies(j, members)), cmp.Compare(lean[i], lean[j]), cmp.Compare(i, j))
	}), members)
}

// asCompared is the copy of a member that most of the members were compared with, itself
// where no other was with more: so a picture does not ask again of one copy what is known
// of another.
func (b *builder) asCompared(origin int, members []int) int {
	copies := b.joined(b.same)
	known := func(i int) (n int) {
		for _, j := range members {
			if j != i && b.at(i, j).compared {
				n++
			}
		}
		return n
	}
	best := origin
	for _, i := range members {
		if copies[i] == copies[origin] && known(i) > known(best) {
			best = i
		}
	}
	return best
}

// copies is how many of the members a model is known to be a copy of.
func (b *builder) copies(c int, members []int) (n int) {
	for _, i := range members {
		if b.same(i, c) && b.suggested(i, c) == verdict.AToB {
			n++
		}
	}
	return n
}

// started tells from which of two members more of the others started: 1 for x,
// -1 for y, 0 for neither. The way from one of them to a third member, seen along
// the way from x to y, is none for those that started at x, whatever the noise,
// the cut or the training that followed, and the whole for those from y. Members
// trained on the same data as y go part of the way, and do not speak.
func (v *vectors) started(x, y int, members []int) int {
	const near, fewest = 0.1, 2
	if x == y || v.shape[x] != v.shape[y] {
		return 0
	}
	size := v.gram.along(x, y, y)
	votes := 0
	for _, c := range members {
		if c == x || c == y || size <= 0 || v.shape[c] != v.shape[x] {
			continue
		}
		switch t := v.gram.along(x, c, y) / size; {
		case math.Abs(t) < near:
			votes++
		case math.Abs(t-1) < near:
			votes--
		}
	}
	switch {
	case votes >= fewest:
		return 1
	case votes <= -fewest:
		return -1
	}
	return 0
}

// opposite is the cosine below which two differences lie on opposite sides.
const opposite = -0.1

// lean is how far the differences of other models from one are from lying at
// right angles to each other: the mean size of their cosines, and the share of
// pairs that lie on opposite sides. Models of another shape cannot be asked;
// one without two of its own shape to ask leans as far as can be.
func (v *vectors) lean(x int, members []int) float64 {
	all := v.cosines(x, members)
	if len(all) == 0 {
		return 2
	}
	sum := 0.0
	for _, c := range all {
		sum += math.Abs(c)
		if c < opposite {
			sum++
		}
	}
	return sum / float64(len(all))
}

// cosines are those between the differences of other models of one shape from
// one of them.
func (v *vectors) cosines(x int, members []int) (out []float64) {
	var others []int
	for _, i := range members {
		if i != x && v.shape[i] == v.shape[x] && v.gram.far(x, i) > 0 {
			others = append(others, i)
		}
	}
	for i, a := range others {
		for _, b := range others[:i] {
			out = append(out, v.gram.along(x, a, b)/(v.gram.far(x, a)*v.gram.far(x, b)))
		}
	}
	return out
}
