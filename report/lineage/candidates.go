package lineage

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Weights of two models are compared only where sketches of the two show a common
// origin and they are near to each other: so the cost grows with the edges that
// may be drawn, and not with the pairs. What a pair that is not compared has in
// common follows from those that are.

const (
	nearMost  = 4   // relatives of each model that are compared with it, the nearest first
	nearAlike = 2   // of these, where values do not correspond, which costs more to compare
	nearParts = 2   // likewise in every part that relatives fall into without the model: it may be put together from these
	fewModels = 100 // so many are compared in all pairs, as the trees whose edges were counted were drawn
)

// corresponding is the distance up to which values of two models correspond: of two
// that have nothing in common it is the root of two.
const corresponding = 1.2

// candidates are the pairs i < j to compare.
type candidates map[[2]int]bool

func (c candidates) add(i, j int) { c[[2]int{min(i, j), max(i, j)}] = true }

// chosen lists the pairs to compare, by sketches made in one pass over each model
// and by distances between values.
func (b *builder) chosen(ctx context.Context, o *report.Options) (candidates, error) {
	all := candidates{}
	prints := make([]*fingerprint.Fingerprint, len(b.in))
	for i, in := range b.in {
		if !in.IsAdapter() && len(b.in) > fewModels {
			f, err := fingerprint.Compute(ctx, in.Model, nil)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err == nil {
				prints[i] = f // what cannot be sketched is compared with all
			}
		}
		for j := range i {
			if prints[i] == nil || prints[j] == nil {
				all.add(i, j)
			}
		}
	}
	near := b.screened(prints, o)
	for i := range b.in {
		near.nearest(all, i)
	}
	return all, nil
}

// sketched holds how near relatives are that sketches show, infinite where they
// show none.
type sketched [][]float64

// screened holds all sketches against each other, and fills in what they say for
// pairs that will not be compared.
func (b *builder) screened(prints []*fingerprint.Fingerprint, o *report.Options) sketched {
	near := make(sketched, len(b.in))
	for i := range near {
		near[i] = make([]float64, len(b.in))
		for j := range near[i] {
			near[i][j] = math.Inf(1)
		}
	}
	for i := range b.in {
		for j := range i {
			if prints[i] == nil || prints[j] == nil {
				continue
			}
			r := report.Screen(report.Sketched{Ref: b.in[j].Ref, Fingerprint: prints[j]}, report.Sketched{Ref: b.in[i].Ref, Fingerprint: prints[i]}, o)
			p := &b.pairs[j][i]
			p.know(r)
			p.screened = true
			if !b.kin(j, i) {
				continue
			}
			d := b.vecs.distance(i, j, 0)
			if b.vecs.shape[i] != b.vecs.shape[j] || d > corresponding { // behind all that correspond by value, the more alike the nearer
				d = 3 - p.likeness
			}
			near[i][j], near[j][i] = d, d
		}
	}
	return near
}

// nearest adds the nearest relatives of a model: of all, of every shape, and of
// every part that they fall into without it.
func (s sketched) nearest(all candidates, i int) {
	var kin []int
	for j, d := range s[i] {
		if !math.IsInf(d, 1) {
			kin = append(kin, j)
		}
	}
	slices.SortStableFunc(kin, func(x, y int) int { return cmp.Compare(s[i][x], s[i][y]) })
	for n, j := range kin[:min(nearMost, len(kin))] {
		if n < nearAlike || s[i][j] <= corresponding {
			all.add(i, j)
		}
	}
	part := s.parts(i)
	seen := map[int]int{}
	for _, j := range kin {
		if seen[part[j]]++; seen[part[j]] <= nearParts {
			all.add(i, j)
		}
	}
}

// parts numbers the connected parts of the relatives without model i.
func (s sketched) parts(i int) []int {
	part := make([]int, len(s))
	for j := range part {
		part[j] = -1
	}
	for j := range s {
		if j == i || part[j] >= 0 {
			continue
		}
		part[j] = j
		for next := []int{j}; len(next) > 0; next = next[1:] {
			for k, d := range s[next[0]] {
				if k != i && part[k] < 0 && !math.IsInf(d, 1) {
					part[k] = j
					next = append(next, k)
				}
			}
		}
	}
	return part
}

// settle decides about pairs that were not compared: those that compared relatives
// lead from one to the other of have a common origin; of others sketches may have
// shown no more than one initialisation. Models put together from several families
// lead nowhere.
func (b *builder) settle() {
	compared := func(i, j int) *pair {
		p := &b.pairs[min(i, j)][max(i, j)]
		if i == j || p.screened {
			return nil
		}
		return p
	}
	joint := make([]bool, len(b.in))
	for c := range b.in {
		for i := range b.in {
			if p := compared(i, c); p != nil && b.kin(i, c) && b.inPart(i, c) {
				joint[c] = true
			}
		}
	}
	family := make([]int, len(b.in))
	for i := range family {
		family[i] = i
	}
	for changed := true; changed; {
		changed = false
		for i := range b.in {
			for j := range i {
				if compared(i, j) != nil && b.kin(i, j) && !joint[i] && !joint[j] && family[i] != family[j] {
					family[i], family[j], changed = min(family[i], family[j]), min(family[i], family[j]), true
				}
			}
		}
	}
	for j := range b.in {
		for i := range j {
			p := &b.pairs[i][j]
			if !p.screened {
				continue
			}
			p.verdict.Relation, p.verdict.Kinds = verdict.Inconclusive, []verdict.Kind{}
			if family[i] == family[j] && !joint[i] && !joint[j] {
				p.verdict.Relation = verdict.Related
			}
		}
	}
}
