package lineage

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report/verdict"
)

// ErrGraph is returned for JSON that is no graph of this package.
var ErrGraph = errors.New("no lineage")

// mostLines bounds the lines of a graph as text: a model stands below each of its
// parents with all that stands below it.
const mostLines = 100_000

// ParseJSON reads a graph that WriteJSON wrote. It takes nothing on trust: words are
// of the closed sets, edges join nodes that are there, and none leads in a circle.
func ParseJSON(text []byte) (*Graph, error) {
	var g Graph
	if err := strictjson.Unmarshal(text, &g); err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	if g.Schema != Schema {
		return nil, fmt.Errorf("tree: schema %.60q is not %q: %w", g.Schema, Schema, errors.ErrUnsupported)
	}
	for i, n := range g.Nodes {
		switch {
		case n.ID != i:
			return nil, fmt.Errorf("%w: node %d bears the number %d", ErrGraph, i, n.ID)
		case n.Family < 0 || n.Family >= len(g.Nodes):
			return nil, fmt.Errorf("%w: node %d is of family %d", ErrGraph, i, n.Family)
		case n.Hidden != "" && hiddenNames[n.Hidden] == "":
			return nil, fmt.Errorf("%w: node %d is hidden as %.40q", ErrGraph, i, n.Hidden)
		}
	}
	for i := range g.Edges {
		if err := g.Edges[i].check(len(g.Nodes)); err != nil {
			return nil, fmt.Errorf("%w: edge %d %w", ErrGraph, i, err)
		}
	}
	return &g, g.bounded()
}

// check holds an edge against the closed sets.
func (e *Edge) check(nodes int) error {
	directions := []verdict.Direction{verdict.AToB, verdict.BToA, verdict.Undetermined}
	switch {
	case min(e.From, e.To) < 0 || max(e.From, e.To) >= nodes || e.From == e.To:
		return fmt.Errorf("joins %d and %d of %d nodes", e.From, e.To, nodes)
	case !slices.Contains(verdict.Relations(), e.Relation):
		return fmt.Errorf("has the relation %.40q", e.Relation)
	case !slices.Contains(directions, e.Direction) || !slices.Contains(directions, e.Reading):
		return fmt.Errorf("has the direction %.40q and the reading %.40q", e.Direction, e.Reading)
	case !slices.ContainsFunc(e.Kinds, func(k verdict.Kind) bool { return !k.Known() }):
		return nil
	}
	return errors.New("has an unknown kind")
}

// bounded finds circles and graphs that would be very long as text.
func (g *Graph) bounded() error {
	below := make([][]int, len(g.Nodes))
	for _, e := range g.Edges {
		below[e.From] = append(below[e.From], e.To)
	}
	lines, under := make([]int, len(g.Nodes)), make([]bool, len(g.Nodes)) // 0: not counted yet
	var count func(id int) error
	count = func(id int) error {
		if under[id] {
			return fmt.Errorf("%w: the edges lead in a circle", ErrGraph)
		}
		if lines[id] > 0 {
			return nil
		}
		under[id] = true
		n := 1
		for _, to := range below[id] {
			if err := count(to); err != nil {
				return err
			}
			if n += lines[to]; n > mostLines {
				return fmt.Errorf("%w: more than %d lines", ErrGraph, mostLines)
			}
		}
		lines[id], under[id] = n, false
		return nil
	}
	for id := range g.Nodes {
		if err := count(id); err != nil {
			return err
		}
	}
	return nil
}
