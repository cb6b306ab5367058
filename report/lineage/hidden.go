package lineage

import (
	"slices"

	"github.com/weightprint/weightprint/report/verdict"
)

// What a node stands for that is no model of those given.
const (
	Ancestor       = "ancestor"       // what several relatives were made from
	Initialisation = "initialisation" // the random weights that training began with
)

// hide adds a node for something that is not among the models.
func (g *Graph) hide(what string, family int) int {
	id := len(g.Nodes)
	g.Nodes = append(g.Nodes, Node{ID: id, Family: family, Hidden: what})
	return id
}

// noHub is the mean cosine that the differences of relatives must have, seen
// from each of them, for all to be siblings. Seen from one of several siblings
// that lie equally far from their parent it is 1/2, however alike their
// training was; seen from the parent it is that of their training alone. The
// border lies between, nearer to the siblings.
const noHub = 0.4

// fewestSiblings is how many relatives of one shape it takes to tell: from each
// of them the others have to form an angle, and one angle proves little.
const fewestSiblings = 4

// siblings lists the members that hang from an ancestor that is not among
// them: those below the origin, and the origin itself, where none of the family
// stands in the middle and nothing says that one was made from another.
func (t *tree) siblings(members []int, merged map[int][]share) []int {
	b := t.b
	var speak []int
	for _, i := range b.originals(members) {
		if merged[i] == nil && b.vecs.shape[i] == b.vecs.shape[t.origin] && (i == t.origin || b.comparable(t.origin, i)) {
			speak = append(speak, i)
		}
	}
	if len(speak) < fewestSiblings {
		return nil
	}
	for _, i := range speak {
		if !sameWay(b.vecs.cosines(i, speak)) {
			return nil
		}
		for _, j := range members {
			if b.kin(i, j) && !b.same(i, j) && b.suggested(i, j) == verdict.AToB {
				return nil
			}
		}
	}
	out := []int{t.origin}
	for _, c := range t.below[t.origin] {
		if slices.Contains(speak, c) {
			out = append(out, c)
		}
	}
	return out
}

// sameWay tells whether differences lie the same way, and none on opposite
// sides, as they do seen from a model on the way from one to another.
func sameWay(cosines []float64) bool {
	sum := 0.0
	for _, c := range cosines {
		if c < opposite {
			return false
		}
		sum += c
	}
	return sum >= noHub*float64(max(1, len(cosines)))
}

// ancestor hangs siblings from a node that stands for their parent.
func (g *Graph) ancestor(siblings []int) (id int) {
	g.Edges = slices.DeleteFunc(g.Edges, func(e Edge) bool {
		return e.From == siblings[0] && slices.Contains(siblings[1:], e.To)
	})
	id = g.hide(Ancestor, g.Nodes[siblings[0]].Family)
	for _, c := range siblings {
		g.Edges = append(g.Edges, Edge{From: id, To: c, Relation: verdict.Related, Kinds: []verdict.Kind{}, Direction: verdict.Undetermined, Reading: verdict.Undetermined,
			Because: "seen from each of these models the others lie the same way, as siblings do, and none stands where their parent would"})
	}
	return id
}

// initialisations hangs the first models of families that share no training but
// a random beginning from a node that stands for it.
func (b *builder) initialisations(g *Graph, families []int, joint []bool, first map[int]int) {
	shared := make([]int, len(b.in)) // by family: the first family with the same beginning
	for f := range shared {
		shared[f] = f
	}
	for j := range b.in {
		for i := range j {
			if joint[i] || joint[j] || b.at(i, j).relation != verdict.SharedInit {
				continue
			}
			old, now := shared[families[i]], shared[families[j]]
			for f := range shared {
				if shared[f] == max(old, now) {
					shared[f] = min(old, now)
				}
			}
		}
	}
	for s := range shared {
		var roots []int
		for f := range shared {
			if root, ok := first[f]; ok && shared[f] == s {
				roots = append(roots, root)
			}
		}
		if len(roots) < 2 {
			continue
		}
		id := g.hide(Initialisation, s)
		for _, c := range roots {
			g.Edges = append(g.Edges, Edge{From: id, To: c, Relation: verdict.SharedInit, Kinds: []verdict.Kind{}, Direction: verdict.Undetermined, Reading: verdict.AToB, Because: "the same random weights at the beginning, and no training in common"})
		}
	}
}
