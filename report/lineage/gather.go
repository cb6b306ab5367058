package lineage

import (
	"context"
	"math"
)

// Models are gathered into families in rounds. In each, every family found so far asks
// the nearest model outside it, and what weights confirm joins the two: so the cost
// grows with the models and not with their pairs. Nobody joins a family by marks.

// tries is how often a family asks in vain: another family, or by likeness alone.
const tries = 2

// corresponding is the distance up to which values of two models correspond: of two
// that have nothing in common it is the root of two.
const corresponding = 1.2

// stages say, in the order in which a family goes through them, how far two models are
// from each other; infinitely where they are not to be compared for it.
var stages = []func(b *builder, i, j int) float64{
	func(b *builder, i, j int) float64 { // values that stand in their places
		if d := b.vecs.apart(i, j); d <= corresponding {
			return d
		}
		return math.Inf(1)
	},
	func(b *builder, i, j int) float64 { // sketches that correspond
		if n := b.near[i][j]; n.lead {
			return -n.alike
		}
		return math.Inf(1)
	},
	byLikeness: func(b *builder, i, j int) float64 { // what no change of basis alters
		if n := b.near[i][j]; n.known {
			return -n.alike
		}
		return math.Inf(1)
	},
}

// byLikeness is the stage in which even strangers have a nearest.
const byLikeness = 2

// gathering is the families while they are gathered.
type gathering struct {
	b     *builder
	of    []int          // family of each model: its first member
	vain  map[int]int    // how often a model asked by likeness in vain
	apart map[[2]int]int // how often two families were compared in vain
}

// gather compares models until every family has asked whom it may.
func (b *builder) gather(ctx context.Context) error {
	g := &gathering{b: b, vain: map[int]int{}}
	for {
		g.regroup()
		all, alone := candidates{}, [][2]int{} // the pairs, and those asked by likeness alone, the asking one first
		for f := range b.in {
			if g.of[f] != f {
				continue
			}
			if i, j, stage := g.next(f); stage >= 0 {
				all.add(i, j)
				if stage == byLikeness {
					alone = append(alone, [2]int{i, j})
				}
			}
		}
		if len(all) == 0 {
			return nil
		}
		if err := b.compare(ctx, all); err != nil {
			return err
		}
		for _, p := range alone {
			if !b.kin(p[0], p[1]) {
				g.vain[p[0]]++
			}
		}
	}
}

// next is whom a family asks: the pair, and the stage in which it stands; -1 for none.
func (g *gathering) next(family int) (i, j, stage int) {
	for s, far := range stages {
		if s == byLikeness && g.asked(family) >= tries {
			continue
		}
		best := math.Inf(1)
		for x := range g.of {
			if g.of[x] != family {
				continue
			}
			for y := range g.of {
				if g.of[y] == family || g.b.at(x, y).compared || g.apart[[2]int{family, g.of[y]}] >= tries {
					continue
				}
				if d := far(g.b, x, y); clearly(d, best) {
					i, j, best = x, y, d
				}
			}
		}
		if !math.IsInf(best, 1) {
			return i, j, s
		}
	}
	return 0, 0, -1
}

// clearly tells whether somebody is nearer by more than a hundredth: of copies the first is
// asked, below which the others will hang.
func clearly(d, best float64) bool {
	return d < best && (math.IsInf(best, 1) || best-d > 0.01*math.Abs(best))
}

// asked is how often members of a family asked by likeness in vain.
func (g *gathering) asked(family int) (n int) {
	for x, f := range g.of {
		if f == family {
			n += g.vain[x]
		}
	}
	return n
}

// regroup puts together whom a comparison joins, and notes which families are apart:
// those that were compared in vain, or that have a part in common. Who has a part in
// common with others stays by himself.
func (g *gathering) regroup() {
	g.of = g.b.groups()
	g.apart = map[[2]int]int{}
	for j := range g.of {
		for i := range j {
			p := g.b.at(i, j)
			if a, b := g.of[i], g.of[j]; a != b && p.compared {
				n := 1
				if p.kin() {
					n = tries
				}
				g.apart[[2]int{a, b}] += n
				g.apart[[2]int{b, a}] += n
			}
		}
	}
}

// groups numbers the models by what comparisons join whole, each group by its first
// member.
func (b *builder) groups() []int {
	return b.joined(func(i, j int) bool { p := b.at(i, j); return p.compared && p.kin() && !p.partial() })
}
