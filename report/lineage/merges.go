package lineage

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
	"github.com/weightprint/weightprint/report/verdict"
	mixture "github.com/weightprint/weightprint/similarity/recipe"
)

// share is a parent of a merged model.
type share struct {
	parent int
	words  string
}

// fits are the recipes that were fitted, by child and parents.
type fits map[string]*mixture.Recipe

// fit fits a child to parents, once.
func (b *builder) fit(ctx context.Context, c int, parents ...int) (*mixture.Recipe, error) {
	return b.once(fmt.Sprint(c, parents), func() (*mixture.Recipe, error) {
		return recipe.Fit(ctx, b.in[c], b.inputs(parents))
	})
}

// fitMixture is fit of parents of the child's shape, in its middle layer, where it has
// layers: values that follow exactly from others' do so by no accident. What one matrix
// shows to be no mixture is not read further.
func (b *builder) fitMixture(ctx context.Context, c int, parents ...int) (*mixture.Recipe, error) {
	for _, most := range []int{1, math.MaxInt} {
		r, err := b.once(fmt.Sprint(most, " of ", c, parents), func() (*mixture.Recipe, error) {
			return fitLayer(ctx, b.in[c], b.inputs(parents), most)
		})
		switch {
		case err != nil:
			return nil, err
		case r == nil:
			return b.fit(ctx, c, parents...)
		case most > 1 || !exact(r):
			return r, nil
		}
	}
	return nil, nil // not reached: the last of the two always returns
}

// once looks a recipe up, or makes it.
func (b *builder) once(key string, make func() (*mixture.Recipe, error)) (*mixture.Recipe, error) {
	r, known := b.fits[key]
	if known {
		return r, nil
	}
	r, err := make()
	if err == nil {
		b.fits[key] = r
	}
	return r, err
}

func (b *builder) inputs(which []int) (out []report.Input) {
	for _, i := range which {
		out = append(out, b.in[i])
	}
	return out
}

// fitLayer fits so many matrices of the middle layer of a child to those of parents; nil
// where one has no layers.
func fitLayer(ctx context.Context, child report.Input, parents []report.Input, most int) (*mixture.Recipe, error) {
	var in []report.Input
	for _, x := range append([]report.Input{child}, parents...) {
		l := layerOf(x)
		if l == nil {
			return nil, nil
		}
		in = append(in, only(x, l[:min(most, len(l))]))
	}
	return recipe.Fit(ctx, in[0], in[1:])
}

// exact tells whether a recipe leaves no more than rounding, value by value where that
// can be asked.
func exact(r *mixture.Recipe) bool {
	return !r.Missing && (r.Exact < 0 || r.Exact >= verdict.Mixed)
}

// merges finds the members that were mixed from two others: those whose
// difference from the base is mostly a sum of the others' differences, and
// which a merge recipe then explains down to rounding; and those whose layers were
// taken whole from several.
func (b *builder) merges(ctx context.Context, origin int, members []int) (map[int][]share, error) {
	out := map[int][]share{}
	for _, c := range members {
		base := b.base(c, origin, members)
		if base < 0 || b.copied(c, members) {
			continue
		}
		parents, err := b.mixed(ctx, base, c, slices.DeleteFunc(slices.Clone(members), func(i int) bool { return out[i] != nil && made(out, i, c) }))
		if err != nil {
			return nil, err
		}
		if parents != nil {
			out[c] = parents
		}
	}
	whole := slices.DeleteFunc(b.originals(members), func(i int) bool { return out[i] != nil })
	var together []int
	for _, c := range b.byUse(origin, whole) {
		if slices.ContainsFunc(together, func(i int) bool { return b.vecs.frames.holds(i, c) }) {
			continue // made of one that was put together, its layers in another order
		}
		parents, err := b.spliced(ctx, c, b.donors(c, origin, whole))
		if err != nil {
			return nil, err
		}
		if parents != nil {
			out[c], together = parents, append(together, c)
			whole = slices.DeleteFunc(whole, func(i int) bool { return i == c }) // what was put together gives no layers
		}
	}
	return out, nil
}

// byUse orders those that may have been put together from layers of others, the ones
// whose own layers are found in the fewest others first: of a model and two halves of it in
// others the halves were taken from the model.
func (b *builder) byUse(origin int, members []int) (out []int) {
	uses := map[int]int{}
	for _, c := range members {
		if c == origin {
			continue
		}
		from := b.donors(c, origin, members)
		if from != nil {
			out = append(out, c)
		}
		for _, i := range from {
			uses[i]++
		}
	}
	back := func(c int) int { return b.vecs.frames.back(c, origin) }
	slices.SortStableFunc(out, func(i, j int) int { return cmp.Or(cmp.Compare(uses[i], uses[j]), cmp.Compare(back(i), back(j))) })
	return out
}

// made tells whether a merged member was made of another, in any number of steps.
func made(merged map[int][]share, i, of int) bool {
	return i == of || slices.ContainsFunc(merged[i], func(s share) bool { return made(merged, s.parent, of) })
}

// cut tells whether a model is another one in which values were set to zero, which rules
// for choosing among two models' values explain too.
func (b *builder) cut(c int, members []int) bool {
	return slices.ContainsFunc(members, func(i int) bool {
		return i != c && b.vecs.shape[i] == b.vecs.shape[c] && onlyZeros(b.vecs.values[i], b.vecs.values[c])
	})
}

// onlyZeros tells whether models differ, and nearly nowhere but where one of them is zero.
func onlyZeros(x, y [][]float32) bool {
	differ, zero := 0, 0
	for m := range x {
		for i, v := range x[m] {
			if w := y[m][i]; v != w {
				differ++
				if v == 0 || w == 0 {
					zero++
				}
			}
		}
		if zero*2 < differ {
			return false
		}
	}
	return differ > 0 && zero*100 >= differ*99
}

// base is the model that differences are taken from: the origin, or of models of another
// shape the one nearest to it; -1 where there is none but c.
func (b *builder) base(c, origin int, members []int) int {
	if b.vecs.shape[c] == b.vecs.shape[origin] {
		if c == origin {
			return -1
		}
		return origin
	}
	at := -1
	for _, i := range b.originals(members) {
		if i != c && b.vecs.shape[i] == b.vecs.shape[c] && (at < 0 || b.pairs[origin][i].distance < b.pairs[origin][at].distance) {
			at = i
		}
	}
	return at
}

// mixed are the parents that a member was mixed from, nil where it was not.
func (b *builder) mixed(ctx context.Context, base, c int, members []int) (out []share, err error) {
	for _, pq := range b.vecs.mixtures(base, c, b.originals(members)) {
		r, err := b.fitMixture(ctx, c, pq[0], pq[1], base)
		if err != nil {
			return nil, err
		}
		if !exact(r) || b.cut(c, members) || r.Method == mixture.Copy || min(math.Abs(r.Weights[0]), math.Abs(r.Weights[1])) <= verdict.TakesPart {
			continue
		}
		for k := range 2 {
			out = append(out, share{pq[k], fmt.Sprintf("%s with weight %.3g", r.Method, r.Weights[k])})
		}
		if r.Base == 2 {
			out = append(out, share{base, fmt.Sprintf("base of %s", r.Method)})
		}
		return out, nil
	}
	return nil, nil
}

func (b *builder) mergeEdges(c int, parents []share) (out []Edge) {
	for _, p := range parents {
		e := b.describe(p.parent, c, verdict.AToB, p.words)
		e.From, e.To, e.Kinds = p.parent, c, []verdict.Kind{verdict.Merged}
		out = append(out, e)
	}
	return out
}

// mixtures lists, best first and at most mostFits, the pairs of members whose
// differences from the origin explain a good part of the child's, with weights
// that a merge can have.
func (v *vectors) mixtures(origin, child int, members []int) (out [][2]int) {
	const explained = 0.4
	type fit struct {
		pq [2]int
		r2 float64
	}
	var fits []fit
	yy := v.gram.along(origin, child, child)
	if yy <= 0 {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(members), func(p int) bool { return p == origin || p == child || v.shape[p] != v.shape[origin] })
	for i, p := range others {
		for _, q := range others[i+1:] {
			aa, bb, ab, ay, by := v.gram.along(origin, p, p), v.gram.along(origin, q, q), v.gram.along(origin, p, q), v.gram.along(origin, p, child), v.gram.along(origin, q, child)
			det := aa*bb - ab*ab
			if det <= 1e-9*aa*bb {
				continue
			}
			w, u := (ay*bb-by*ab)/det, (by*aa-ay*ab)/det
			if r2 := (w*ay + u*by) / yy; r2 > explained && plausible(w) && plausible(u) {
				fits = append(fits, fit{[2]int{p, q}, r2})
			}
		}
	}
	slices.SortStableFunc(fits, func(a, b fit) int { return cmp.Compare(b.r2, a.r2) })
	for _, f := range fits[:min(mostFits, len(fits))] {
		if f.r2 >= rival*fits[0].r2 {
			out = append(out, f.pq)
		}
	}
	return out
}

// A recipe is asked for a few pairs of parents, those that explain about as much as
// the best one: the others are correlated with the parents.
const (
	mostFits = 3
	rival    = 0.9
)

// plausible tells whether a weight is one that merges use.
func plausible(w float64) bool { return w > -0.8 && w < 0.96 && (w > 0.1 || w < -0.1) }
