// Package lineage puts many models into one graph: who was made from whom,
// with several parents where models were merged.
//
// Every edge rests on a comparison and joins models that are nearest to each
// other. Which of two relatives is the parent follows from one-way evidence, and
// for merged models from their recipe; otherwise the edge has no direction.
package lineage

import (
	"context"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Schema names the JSON form of a Graph.
const Schema = "weightprint.tree/1"

// Graph is a lineage.
type Graph struct {
	Schema    string   `json:"schema"`
	Screening bool     `json:"screening,omitempty"` // drawn from fingerprints, not from weights
	Nodes     []Node   `json:"nodes"`
	Edges     []Edge   `json:"edges"`
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

// Build compares the models that may be nearest to each other, all pairs of a few,
// and draws the graph.
func Build(ctx context.Context, in []report.Input, o *report.Options) (*Graph, error) {
	b := newBuilder(in)
	var err error
	if b.vecs, err = newVectors(ctx, in); err != nil {
		return nil, err
	}
	near, err := b.chosen(ctx, o)
	if err != nil {
		return nil, err
	}
	err = b.compare(ctx, func(i, j int) bool { return near[[2]int{i, j}] }, func(i, j int) (*report.Report, error) { return report.Build(ctx, in[i], in[j], o) })
	if err != nil {
		return nil, err
	}
	b.settle()
	for i := range in {
		for j := range in {
			b.pairs[i][j].distance = b.vecs.distance(i, j, b.pairs[min(i, j)][max(i, j)].distance)
		}
	}
	return b.graph(ctx)
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
	err := b.compare(ctx, func(int, int) bool { return true }, func(i, j int) (*report.Report, error) { return report.Screen(prints[i], prints[j], o), nil })
	if err != nil {
		return nil, err
	}
	b.vecs = noVectors(len(in))
	for i := range in {
		for j := range in {
			b.pairs[i][j].distance = b.pairs[min(i, j)][max(i, j)].distance
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
	v := b.verdict(from, to)
	if reading == verdict.BToA {
		from, to, reading = to, from, verdict.AToB
	}
	e := Edge{From: from, To: to, Relation: v.Relation, Kinds: v.Kinds, Direction: verdict.Undetermined, Reading: reading, Because: because, Log10P: v.Log10P, Lead: v.Lead}
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
