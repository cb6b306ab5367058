package similarity

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
)

// MatrixPair is a matrix of A and the matrix of B in the same role.
type MatrixPair struct {
	Component string
	Tower     string
	LayerA    int // -1 outside layers
	LayerB    int
	A, B      *roles.Matrix
}

// VectorPair is a gain or bias of A and the one of B in the same role.
type VectorPair struct {
	Component string
	A, B      *roles.Vector
}

// Matching holds everything of two networks that stands in the same role,
// and what has no counterpart.
type Matching struct {
	Matrices []MatrixPair
	Vectors  []VectorPair
	OnlyA    []string // roles without a counterpart in B
	OnlyB    []string
}

// Match pairs matrices and vectors by role, following the pair's towers and
// layers. A tied head counts as a copy of the embedding.
func (p *Pair) Match() *Matching {
	m := &matcher{out: &Matching{}, seenA: map[any]bool{}, seenB: map[any]bool{}}
	for _, t := range p.Towers {
		m.tower = t.B.Name
		m.matrix("embeddings", -1, -1, t.A.Embedding, t.B.Embedding)
		m.matrix("embeddings", -1, -1, t.A.Positions, t.B.Positions)
		m.matrix("embeddings", -1, -1, headOf(t.A), headOf(t.B))
		m.vector("norms", t.A.FinalNorm, t.B.FinalNorm)
		for _, l := range t.Layers {
			m.layer(t.A.Layers[l.A], t.B.Layers[l.B], l)
		}
	}
	for _, g := range pairGeneric(p.A.Net.Generic, p.B.Net.Generic) {
		m.matrix("generic", -1, -1, g[0], g[1])
	}
	m.vectors(p.A.Net.Vectors, p.B.Net.Vectors)
	m.out.OnlyA = m.missing(p.A.Net, m.seenA)
	m.out.OnlyB = m.missing(p.B.Net, m.seenB)
	return m.out
}

// headOf is the output matrix, the embedding where the two are tied.
func headOf(t *roles.Tower) *roles.Matrix {
	if t.Head == nil {
		return t.Embedding
	}
	return t.Head
}

type matcher struct {
	out          *Matching
	tower        string
	seenA, seenB map[any]bool
}

func (m *matcher) matrix(component string, la, lb int, a, b *roles.Matrix) {
	if a == nil || b == nil {
		return
	}
	again := m.seenA[a] && m.seenB[b] // both tied: the embedding has been seen
	m.seenA[a], m.seenB[b] = true, true
	if again {
		return
	}
	m.out.Matrices = append(m.out.Matrices, MatrixPair{component, m.tower, la, lb, a, b})
	m.vector(component, a.Bias, b.Bias)
}

func (m *matcher) vector(component string, a, b *roles.Vector) {
	if a == nil || b == nil || m.seenA[a] && m.seenB[b] {
		return
	}
	m.seenA[a], m.seenB[b] = true, true
	m.out.Vectors = append(m.out.Vectors, VectorPair{component, a, b})
}

func (m *matcher) layer(a, b *roles.Layer, l LayerPair) {
	m.matrix("attention", l.A, l.B, a.Q, b.Q)
	m.matrix("attention", l.A, l.B, a.K, b.K)
	m.matrix("attention", l.A, l.B, a.V, b.V)
	m.matrix("attention", l.A, l.B, a.O, b.O)
	m.matrix("experts", l.A, l.B, a.Router, b.Router)
	m.vector("norms", a.AttnNorm, b.AttnNorm)
	m.vector("norms", a.MLPNorm, b.MLPNorm)
	m.vector("norms", a.QNorm, b.QNorm)
	m.vector("norms", a.KNorm, b.KNorm)
	ea, eb := a.MLPs(), b.MLPs()
	component := "mlp"
	if len(ea) > 1 || len(eb) > 1 {
		component = "experts"
	}
	for _, e := range expertPairs(len(ea), len(eb)) {
		m.matrix(component, l.A, l.B, ea[e[0]].Gate, eb[e[1]].Gate)
		m.matrix(component, l.A, l.B, ea[e[0]].Up, eb[e[1]].Up)
		m.matrix(component, l.A, l.B, ea[e[0]].Down, eb[e[1]].Down)
	}
	m.others(a.Others, b.Others, l)
}

// others pairs what has a place of its own kind in a layer, by that place.
func (m *matcher) others(as, bs []roles.Other, l LayerPair) {
	place := map[string]roles.Other{}
	for _, a := range as {
		if _, twice := place[a.Name]; !twice {
			place[a.Name] = a
		}
	}
	for _, b := range bs {
		a := place[b.Name]
		m.matrix(b.Component(), l.A, l.B, a.Matrix, b.Matrix)
		m.vector("norms", a.Vector, b.Vector)
	}
}

// vectors pairs the vectors that stand in no layer: by role, by name, then by
// length in stored order.
func (m *matcher) vectors(as, bs []*roles.Vector) {
	type key struct {
		name   string
		length int
	}
	for _, name := range []func(*roles.Vector) string{
		func(v *roles.Vector) string { return knownRole(v.Role) },
		func(v *roles.Vector) string { return v.Tensor.Name },
		func(*roles.Vector) string { return "any" },
	} {
		free := map[key][]*roles.Vector{}
		for _, a := range as {
			if k := (key{name(a), a.Len}); !m.seenA[a] && k.name != "" {
				free[k] = append(free[k], a)
			}
		}
		for _, b := range bs {
			k := key{name(b), b.Len}
			if left := free[k]; len(left) > 0 && !m.seenB[b] {
				m.vector("generic", left[0], b)
				free[k] = left[1:]
			}
		}
	}
}

// knownRole is a role that says something, or "".
func knownRole(role string) string {
	if strings.HasPrefix(role, "generic.") {
		return ""
	}
	return role
}

// missing lists the roles of a network that found no counterpart.
func (m *matcher) missing(n *roles.Network, seen map[any]bool) []string {
	var out []string
	for _, x := range n.Matrices() {
		if !seen[x] {
			out = append(out, x.Role)
		}
	}
	for _, x := range n.AllVectors() {
		if !seen[x] {
			out = append(out, x.Role)
		}
	}
	return out
}

// Shape describes a pair of matrices whose shapes differ, for warnings.
func (p MatrixPair) Shape() string {
	return fmt.Sprintf("%s: %d×%d and %d×%d", p.B.Role, p.A.Rows, p.A.Cols, p.B.Rows, p.B.Cols)
}

// VectorsWithin drops the vectors of a matching that the budget does not allow to
// read any more, and books the others. It returns how many it dropped.
func (p *Pair) VectorsWithin(m *Matching) (dropped int) {
	kept := m.Vectors[:0]
	for _, v := range m.Vectors {
		if each := max(v.A.Tensor.StoredBytes(), v.B.Tensor.StoredBytes()); each == 0 || p.Afford(each, 1) > 0 {
			kept = append(kept, v)
		} else {
			dropped++
		}
	}
	m.Vectors = kept
	return dropped
}

// RowsWithin is how many rows of every matrix of a matching the budget still
// allows to read, at least 1 and at most 16, and books them.
func (p *Pair) RowsWithin(m *Matching) int {
	var perRow int64
	for _, x := range m.Matrices {
		perRow += max(x.A.Cost(1), x.B.Cost(1))
	}
	rows := 16
	if p.Budget > 0 && perRow > 0 {
		rows = int(min(16, max(1, (p.Budget-p.spent)*9/10/perRow)))
	}
	p.spent += int64(rows) * perRow
	return rows
}
