// Package lineage puts many models into one graph: who was made from whom,
// with several parents where models were merged.
//
// Every edge rests on a comparison and joins models that are nearest to each
// other. Which of two relatives is the parent follows from one-way evidence, and
// for merged models from their recipe; otherwise the edge has no direction.
package lineage

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/recipe"
)

// Schema names the JSON form of a Graph.
const Schema = "weightprint.tree/1"

// Graph is a lineage.
type Graph struct {
	Schema string   `json:"schema"`
	Nodes  []Node   `json:"nodes"`
	Edges  []Edge   `json:"edges"`
	Limits []string `json:"limits"`
}

// Node is a model.
type Node struct {
	ID     int    `json:"id"`
	Ref    string `json:"ref"`
	Family int    `json:"family"` // models of one family share a trained origin
}

// Edge says that one model was made from another. From is the parent; where
// the direction is not known the two may stand the other way round.
type Edge struct {
	From      int              `json:"from"`
	To        int              `json:"to"`
	Relation  report.Relation  `json:"relation"`
	Kinds     []report.Kind    `json:"kinds"`
	Direction report.Direction `json:"direction"` // "a-to-b" (from → to) or "undetermined"
	Because   string           `json:"because"`   // what the direction rests on
	Distance  report.Number    `json:"distance"`  // |difference| / |values|
	Log10P    *report.Number   `json:"log10P"`
}

// pair is what is known of two models.
type pair struct {
	verdict  report.Verdict
	distance float64 // between the values, 2 if unknown
	likeness float64 // of matching units, where values do not correspond
}

// know takes from a report what the graph needs.
func (p *pair) know(r *report.Report) {
	p.verdict, p.distance = r.Verdict, incomparable
	if d := r.Delta; d != nil && d.Tensors > 0 {
		p.distance = min(float64(d.Relative), 1.8)
	}
	if slices.Contains(r.Verdict.Kinds, report.Reparameterised) {
		p.distance = incomparable
	}
	for _, e := range r.Evidence {
		if e.Skipped == "" && (e.Test == "agreement" || e.Test == "leading-directions") {
			p.likeness = max(p.likeness, min(1, float64(e.Effect)))
		}
	}
}

// builder holds the pairs while the graph grows.
type builder struct {
	in    []report.Input
	pairs [][]pair
	vecs  *vectors
}

// Build compares all pairs of models and draws the graph.
func Build(ctx context.Context, in []report.Input, o *report.Options) (*Graph, error) {
	b := &builder{in: in, pairs: make([][]pair, len(in))}
	for i := range b.pairs {
		b.pairs[i] = make([]pair, len(in))
	}
	if err := b.compare(ctx, o); err != nil {
		return nil, err
	}
	var err error
	if b.vecs, err = newVectors(ctx, in); err != nil {
		return nil, err
	}
	for i := range in {
		for j := range in {
			b.pairs[i][j].distance = b.vecs.distance(i, j, b.pairs[min(i, j)][max(i, j)].distance)
		}
	}
	return b.graph(ctx)
}

// compare fills in the verdicts of all pairs i < j.
func (b *builder) compare(ctx context.Context, o *report.Options) error {
	type job struct{ i, j int }
	var jobs []job
	for j := range b.in {
		for i := range j {
			jobs = append(jobs, job{i, j})
		}
	}
	var next int
	var first error
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				if next == len(jobs) || first != nil {
					mu.Unlock()
					return
				}
				x := jobs[next]
				next++
				mu.Unlock()
				r, err := report.Build(ctx, b.in[x.i], b.in[x.j], o)
				mu.Lock()
				if err != nil && first == nil {
					first = err
				}
				if err == nil {
					b.pairs[x.i][x.j].know(r)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

// verdict is that of the pair, seen from i.
func (b *builder) verdict(i, j int) report.Verdict {
	if i < j {
		return b.pairs[i][j].verdict
	}
	v := b.pairs[j][i].verdict
	switch v.Direction {
	case report.AToB:
		v.Direction = report.BToA
	case report.BToA:
		v.Direction = report.AToB
	}
	return v
}

// kin tells whether two models share a trained origin.
func (b *builder) kin(i, j int) bool {
	switch b.verdict(i, j).Relation {
	case report.Identical, report.Reencoded, report.Related:
		return true
	}
	return false
}

// graph hangs every family from its origin, and models that were put together
// from several families below a member of each.
func (b *builder) graph(ctx context.Context) (*Graph, error) {
	g := &Graph{Schema: Schema, Edges: []Edge{}, Limits: []string{
		"Edges join nearest relatives. Without one-way evidence or a merge recipe their direction is undetermined, and siblings whose training was alike may stand below each other.",
		"A parent that is not among the models does not appear.",
	}}
	families, joint := b.families()
	for i := range b.in {
		g.Nodes = append(g.Nodes, Node{ID: i, Ref: b.in[i].Ref, Family: families[i]})
	}
	for f := range b.in {
		var members []int
		for i, x := range families {
			if x == f && !joint[i] {
				members = append(members, i)
			}
		}
		if len(members) > 1 {
			if err := b.grow(ctx, g, members); err != nil {
				return nil, err
			}
		}
	}
	for c := range b.in {
		if joint[c] {
			if err := b.graft(ctx, g, c, families, joint); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

// grow hangs the members of one family: merged models below their parents, the
// others where under finds a place, those nearest to the origin first.
func (b *builder) grow(ctx context.Context, g *Graph, members []int) error {
	origin := b.origin(members)
	merged, err := b.merges(ctx, origin, members)
	if err != nil {
		return err
	}
	t := &tree{b: b, origin: origin, placed: []int{origin}, below: map[int][]int{}}
	for _, c := range b.inOrder(origin, members) {
		if merged[c] != nil {
			continue
		}
		p := t.under(c)
		if p < 0 {
			continue
		}
		t.place(p, c)
		direction, because := b.direction(p, c)
		g.Edges = append(g.Edges, b.describe(p, c, direction, because))
	}
	for _, c := range members {
		g.Edges = append(g.Edges, b.mergeEdges(c, merged[c])...)
	}
	return nil
}

func (b *builder) mergeEdges(c int, parents []share) (out []Edge) {
	for _, p := range parents {
		e := b.describe(p.parent, c, report.AToB, p.words)
		e.From, e.To, e.Kinds = p.parent, c, []report.Kind{report.Merged}
		out = append(out, e)
	}
	return out
}

// share is a parent of a merged model.
type share struct {
	parent int
	words  string
}

// merges finds the members that were mixed from two others: those whose
// difference from the origin is mostly a sum of the others' differences, and
// which a merge recipe then explains down to rounding.
func (b *builder) merges(ctx context.Context, origin int, members []int) (map[int][]share, error) {
	out := map[int][]share{}
	for _, c := range members {
		if c == origin || b.copied(c, members) {
			continue
		}
		if b.vecs.shape[c] != b.vecs.shape[origin] {
			parents, err := b.spliced(ctx, c, b.candidates(c, origin, members))
			if err != nil {
				return nil, err
			}
			if parents != nil {
				out[c] = parents
			}
			continue
		}
		for _, pq := range b.vecs.mixtures(origin, c, b.originals(members)) {
			r, err := report.FitRecipe(ctx, b.in[c], []report.Input{b.in[pq[0]], b.in[pq[1]], b.in[origin]})
			if err != nil {
				return nil, err
			}
			if r.Missing || r.Method == recipe.Copy || min(math.Abs(r.Weights[0]), math.Abs(r.Weights[1])) <= report.TakesPart {
				continue
			}
			for k := range 2 {
				out[c] = append(out[c], share{pq[k], fmt.Sprintf("%s with weight %.3g", r.Method, r.Weights[k])})
			}
			break
		}
	}
	return out, nil
}

func (b *builder) describe(from, to int, d report.Direction, because string) Edge {
	v := b.verdict(from, to)
	if d == report.BToA {
		from, to, d = to, from, report.AToB
	}
	return Edge{From: from, To: to, Relation: v.Relation, Kinds: v.Kinds, Direction: d, Because: because, Distance: report.Number(b.pairs[from][to].distance), Log10P: v.Log10P}
}

// direction is that of one-way evidence. Geometry alone does not give one: the
// differences of two siblings from their parent are orthogonal, but so are
// those of a child and of a grandparent from the model between them.
func (b *builder) direction(parent, child int) (report.Direction, string) {
	if d := b.verdict(parent, child).Direction; d != report.Undetermined && d != "" {
		return d, "one-way evidence"
	}
	return report.Undetermined, ""
}

// incomparable stands for the distance of values that do not correspond.
const incomparable = 1.9

// vectors holds the same sampled values of models of one shape.
type vectors struct {
	x     [][]float32
	shape []string
}

// newVectors samples the values of all models, at positions that depend on
// shapes only.
func newVectors(ctx context.Context, in []report.Input) (*vectors, error) {
	v := &vectors{}
	for _, m := range in {
		x, shape, err := report.SampleValues(ctx, m)
		if err != nil {
			return nil, err
		}
		v.x, v.shape = append(v.x, x), append(v.shape, shape)
	}
	return v, nil
}

// distance is |x−y|/|x|; where the shapes differ, what the comparison found on
// the matrices that both have.
func (v *vectors) distance(i, j int, found float64) float64 {
	if v.shape[i] != v.shape[j] || found == incomparable {
		return found
	}
	var s delta.Stats
	s.AddPlain(v.x[i], v.x[j])
	return min(s.Relative(), 2)
}

func minus(x, y []float32) []float32 {
	out := make([]float32, len(x))
	for i := range out {
		out[i] = x[i] - y[i]
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
	y := minus(v.x[child], v.x[origin])
	yy := dot(y, y)
	tasks := map[int][]float32{}
	for _, p := range members {
		if p != origin && p != child && v.shape[p] == v.shape[origin] {
			tasks[p] = minus(v.x[p], v.x[origin])
		}
	}
	for i, p := range members {
		for _, q := range members[i+1:] {
			a, b := tasks[p], tasks[q]
			if a == nil || b == nil || yy == 0 {
				continue
			}
			aa, bb, ab, ay, by := dot(a, a), dot(b, b), dot(a, b), dot(a, y), dot(b, y)
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
		out = append(out, f.pq)
	}
	return out
}

// mostFits is how many pairs of parents a recipe is asked for.
const mostFits = 3

// plausible tells whether a weight is one that merges use.
func plausible(w float64) bool { return w > -0.8 && w < 0.96 && (w > 0.1 || w < -0.1) }

func dot(x, y []float32) float64 {
	sum := 0.0
	for i := range x {
		sum += float64(float64(x[i]) * float64(y[i]))
	}
	return sum
}
