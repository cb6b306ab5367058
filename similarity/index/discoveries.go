package index

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity/stats"
)

// Edge is a pair that was found to share an origin.
type Edge struct {
	Pair
	InTree    bool  // of the tree of nearest relatives of its component
	Component int64 // the least number of the entries that edges connect
}

// Discover chooses, among the pairs that were tested, those that share an origin:
// with equal values, or by the rule of Benjamini and Yekutieli (Ann. Statist. 29,
// 2001), under which the expected share of false ones among all that are chosen is at
// most q, however the tests depend on each other. It counts all pairs of the entries;
// one that was not tested has a p-value of 1. Edges are in the order of their numbers.
func Discover(pairs []Pair, entries int, q float64) []Edge {
	m := float64(entries) * float64(entries-1) / 2
	limit := limitOf(pairs, m, q)
	var out []Edge
	for _, p := range pairs {
		if p.Same || p.P != nil && *p.P <= limit {
			out = append(out, Edge{Pair: p})
		}
	}
	slices.SortFunc(out, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) })
	connect(out)
	return out
}

// limitOf is the largest p-value that is chosen: the k-th smallest, for the largest k
// for which it is at most k·q/(m·H(m)), with the m-th harmonic number.
func limitOf(pairs []Pair, m, q float64) stats.LogP {
	var all []stats.LogP
	for _, p := range pairs {
		if p.P != nil {
			all = append(all, *p.P)
		}
	}
	slices.Sort(all)
	for k := len(all); k > 0; k-- {
		if float64(all[k-1]) <= math.Log(float64(k))+math.Log(q)-math.Log(m)-math.Log(harmonic(m)) {
			return all[k-1]
		}
	}
	return stats.LogP(math.Inf(-1))
}

// harmonic is Σ 1/i up to m, from above: ln m + γ + 1/(2m).
func harmonic(m float64) float64 { return math.Log(m) + 0.57721566490153286 + 1/(2*m) }

// connect numbers the components and builds for each the tree that takes the nearest
// pairs first: equal values, then by p-value, then by number.
func connect(edges []Edge) {
	order := make([]int, len(edges))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &edges[i], &edges[j]
		return cmp.Or(cmp.Compare(a.distance(), b.distance()), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	parent := map[int64]int64{}
	root := func(n int64) int64 {
		for {
			up, ok := parent[n]
			if !ok || up == n {
				return n
			}
			if above, ok := parent[up]; ok {
				parent[n] = above
			}
			n = up
		}
	}
	for _, i := range order {
		a, b := root(edges[i].A), root(edges[i].B)
		if edges[i].InTree = a != b; edges[i].InTree {
			parent[max(a, b)] = min(a, b)
		}
	}
	for i := range edges {
		edges[i].Component = root(edges[i].A)
	}
}

func (e *Edge) distance() float64 {
	switch {
	case e.Same:
		return math.Inf(-1)
	case e.P == nil:
		return 0
	}
	return float64(*e.P)
}
