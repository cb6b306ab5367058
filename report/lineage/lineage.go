// Package lineage puts many models into one graph: who was made from whom,
// with several parents where models were merged.
//
// Every edge rests on a comparison and joins models that are nearest to each
// other. Which of two relatives is the parent follows from one-way evidence, and
// for merged models from their recipe; otherwise the edge has no direction.
package lineage

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Schema names the JSON form of a Graph.
const Schema = "weightprint.tree/1"

// Graph is a lineage.
type Graph struct {
	Schema    string   `json:"schema"`
	Screening bool     `json:"screening,omitempty"` // drawn from fingerprints, not from weights
	Nodes     []Node   `json:"nodes"`
	Edges     []Edge   `json:"edges"`
	Compared  int      `json:"compared"` // pairs of models; the others were held against each other by what each shows alone
	Limits    []string `json:"limits"`
}

// Node is a model, or what models have in common without being one of them.
type Node struct {
	ID     int    `json:"id"`
	Ref    string `json:"ref"`              // "" of what is hidden
	Family int    `json:"family"`           // models of one family share a trained origin
	Hidden string `json:"hidden,omitempty"` // Ancestor or Initialisation: not among the models
}

// Edge says that one model was made from another. From is the parent; where
// the direction is not known the two may stand the other way round.
type Edge struct {
	From      int               `json:"from"`
	To        int               `json:"to"`
	Relation  verdict.Relation  `json:"relation"`
	Kinds     []verdict.Kind    `json:"kinds"`
	Direction verdict.Direction `json:"direction"` // "a-to-b" (from → to) where dates say so, else "undetermined"
	Reading   verdict.Direction `json:"reading"`   // "a-to-b" where marks in the weights suggest it, else "undetermined"
	Because   string            `json:"because"`   // what direction and reading rest on
	Distance  *verdict.Number   `json:"distance"`  // |difference| / |values|, null where values do not correspond
	Log10P    *verdict.Number   `json:"log10P"`
	Lead      bool              `json:"lead,omitempty"` // from sketches alone, which can be arranged or forged
}

// Build draws the graph of models. Each is read once for what it shows alone; by that
// the nearest are found, and their weights compared. All pairs of a few models are.
func Build(ctx context.Context, in []report.Input, o *report.Options) (*Graph, error) {
	ctx = equality.Keeping(ctx)
	b := newBuilder(in)
	b.one = func(ctx context.Context, i, j int) (*report.Report, error) {
		r, err := report.Build(ctx, in[i], in[j], o)
		if err == nil && o != nil && o.Log != nil {
			o.Log.Debug("compared", "a", in[i].Ref, "b", in[j].Ref, "relation", r.Verdict.Relation, "kinds", r.Verdict.Kinds)
		}
		return r, err
	}
	all, err := b.look(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := b.compare(ctx, all); err != nil {
		return nil, err
	}
	if err := b.gather(ctx); err != nil {
		return nil, err
	}
	return b.draw(ctx)
}

// fewModels are compared in all pairs: that costs about what is saved.
const fewModels = 4

// look takes the marks of all models and holds them against each other. It returns the
// pairs that are compared whatever these say.
func (b *builder) look(ctx context.Context, o *report.Options) (candidates, error) {
	var values []*sampled
	var shown []*marks
	for _, in := range b.in {
		m, s, err := mark(ctx, in, min(wholeValues, keptValues/len(b.in)), o)
		if err != nil {
			return nil, err
		}
		shown, values = append(shown, m), append(values, s)
	}
	b.vecs = newVectors(values)
	b.near = make([][]nearness, len(b.in))
	dense.Parallel(len(b.in), func(i int) {
		b.near[i] = make([]nearness, len(b.in))
		for j := range b.in {
			if j != i {
				b.near[i][j] = held(shown[min(i, j)], shown[max(i, j)], o)
			}
		}
	})
	all := candidates{}
	for j := range b.in {
		for i := range j {
			if len(b.in) <= fewModels || shown[i].print == nil || shown[j].print == nil {
				all.add(i, j)
			}
		}
	}
	return all, ctx.Err()
}

// draw draws the graph, compares the ends of edges that were not compared yet, and draws
// it again with what was found, until every edge rests on a comparison.
func (b *builder) draw(ctx context.Context) (*Graph, error) {
	for {
		b.settle()
		g, err := b.graph(ctx)
		if err != nil {
			return nil, err
		}
		open := candidates{}
		for _, e := range g.Edges {
			if max(e.From, e.To) < len(b.in) && !b.at(e.From, e.To).compared {
				open.add(e.From, e.To)
			}
		}
		if len(open) == 0 {
			g.Compared = b.asked()
			if pairs := len(b.in) * (len(b.in) - 1) / 2; g.Compared < pairs {
				g.Limits = append(g.Limits, fmt.Sprintf("Weights of %d of %d pairs were compared: the nearest by what each model shows alone, and the ends of every edge. Relatives that are no one's nearest may stand apart.", g.Compared, pairs))
			}
			return g, nil
		}
		if err := b.compare(ctx, open); err != nil {
			return nil, err
		}
	}
}

// Screen draws the graph of models of which only fingerprints are at hand.
// Models are joined to those whose sketched units are most alike; how one was
// made from another, and in which direction, only weights can say.
func Screen(ctx context.Context, prints []report.Sketched, o *report.Options) (*Graph, error) {
	in := make([]report.Input, len(prints))
	for i, s := range prints {
		in[i].Ref = s.Ref
	}
	b := newBuilder(in)
	b.one = func(_ context.Context, i, j int) (*report.Report, error) {
		return report.Screen(prints[i], prints[j], o), nil
	}
	all := candidates{}
	for j := range in {
		for i := range j {
			all.add(i, j)
		}
	}
	if err := b.compare(ctx, all); err != nil {
		return nil, err
	}
	b.vecs = noVectors(len(in))
	for j := range in {
		for i := range j {
			b.pairs[j][i].distance = b.pairs[i][j].distance
		}
	}
	g, err := b.graph(ctx)
	if err != nil {
		return nil, err
	}
	g.Screening = true
	g.Limits = append(g.Limits, screening)
	return g, nil
}

// screening is what a graph from fingerprints cannot say.
const screening = "Screening: from fingerprints. An edge is a lead: the same initialisation, an arrangement or a forged sketch looks the same. Settle every edge on weights. Disguised relatives stand alone."

// graph hangs every family from its origin, and models that were put together
// from several families below a member of each.
func (b *builder) graph(ctx context.Context) (*Graph, error) {
	g := &Graph{Schema: Schema, Nodes: []Node{}, Edges: []Edge{}, Limits: []string{
		"Edges join nearest relatives. Without one-way evidence or a merge recipe their direction is undetermined, and siblings whose training was alike may stand below each other.",
		"A parent that is not among the models appears only where several of its children of one shape are.",
	}}
	families, joint := b.families()
	for i := range b.in {
		g.Nodes = append(g.Nodes, Node{ID: i, Ref: b.in[i].Ref, Family: families[i]})
	}
	first := map[int]int{}
	for f := range b.in {
		var members []int
		for i, x := range families {
			if x == f && !joint[i] {
				members = append(members, i)
			}
		}
		if len(members) == 0 {
			continue
		}
		origin := b.origin(members)
		merged, err := b.merges(ctx, origin, members)
		if err != nil {
			return nil, err
		}
		first[f] = b.grow(g, origin, members, merged)
	}
	for c := range b.in {
		if joint[c] {
			if err := b.graft(ctx, g, c, families, joint); err != nil {
				return nil, err
			}
		}
	}
	b.initialisations(g, families, joint, first)
	return g, nil
}

// grow hangs the members of one family: merged models below their parents, the
// others where under finds a place, those nearest to the origin first. It
// returns the node that all of them stand below.
func (b *builder) grow(g *Graph, origin int, members []int, merged map[int][]share) (top int) {
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
		if direction == verdict.BToA && p != origin && !b.same(p, c) {
			direction, because = verdict.Undetermined, "" // the way from the origin leads over p, marks say that it does not
		}
		g.Edges = append(g.Edges, b.describe(p, c, direction, because))
	}
	for _, c := range members {
		g.Edges = append(g.Edges, b.mergeEdges(c, merged[c])...)
	}
	if s := t.siblings(members, merged); len(s) > 1 {
		return g.ancestor(s)
	}
	return origin
}

func (b *builder) describe(from, to int, reading verdict.Direction, because string) Edge {
	v := b.at(from, to)
	if reading == verdict.BToA {
		from, to, reading = to, from, verdict.AToB
	}
	e := Edge{From: from, To: to, Relation: v.relation, Kinds: append([]verdict.Kind{}, v.kinds...), Direction: verdict.Undetermined, Reading: reading, Because: because, Log10P: v.log10P, Lead: v.lead}
	if n := verdict.Number(b.pairs[from][to].distance); n < incomparable {
		e.Distance = &n
	}
	return e
}

// direction is what marks suggest. Geometry alone does not: the
// differences of two siblings from their parent are orthogonal, but so are
// those of a child and of a grandparent from the model between them.
func (b *builder) direction(parent, child int) (verdict.Direction, string) {
	if d := b.suggested(parent, child); d != verdict.Undetermined {
		return d, "marks in the weights"
	}
	return verdict.Undetermined, ""
}
