package align

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
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
	Tower     string
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
		m.matrix("embeddings", -1, -1, OutputMatrix(t.A), OutputMatrix(t.B))
		m.vector("norms", t.A.FinalNorm, t.B.FinalNorm)
		for _, l := range t.Layers {
			m.layer(t.A.Layers[l.A], t.B.Layers[l.B], l)
		}
	}
	m.tower = "main"
	for _, g := range p.GenericPairs() {
		m.matrix("generic", -1, -1, g.A, g.B)
	}
	m.vectors(p.A.Net.Vectors, p.B.Net.Vectors, p.Same)
	m.out.OnlyA = m.missing(p.A.Net, m.seenA)
	m.out.OnlyB = m.missing(p.B.Net, m.seenB)
	return m.out
}

// OutputMatrix is the output matrix, the embedding where the two are tied.
func OutputMatrix(t *roles.Tower) *roles.Matrix {
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
	m.out.Vectors = append(m.out.Vectors, VectorPair{component, m.tower, a, b})
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
	for _, e := range ExpertPairs(len(ea), len(eb)) {
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

// vectors pairs the vectors that stand in no layer: those of equal values, then
// by role, by name, and by length where one of that length is left on each side.
// Whatever else is left has no partner: stored order tells none.
func (m *matcher) vectors(as, bs []*roles.Vector, same map[*tensor.Tensor]*tensor.Tensor) {
	of := make(map[*tensor.Tensor][]*roles.Vector, len(same))
	for _, a := range as {
		if len(same) > 0 {
			of[a.Tensor] = append(of[a.Tensor], a)
		}
	}
	for _, b := range bs {
		for _, a := range of[same[b.Tensor]] {
			if a.Len == b.Len && !m.seenA[a] && !m.seenB[b] {
				m.vector("generic", a, b)
			}
		}
	}
	type key struct {
		name   string
		length int
	}
	for _, name := range []func(*roles.Vector) string{
		func(v *roles.Vector) string { return knownRole(v.Role) },
		func(v *roles.Vector) string { return v.Tensor.Name },
		func(*roles.Vector) string { return lastOfItsLength },
	} {
		free, left := map[key][]*roles.Vector{}, map[key]int{}
		for _, a := range as {
			if k := (key{name(a), a.Len}); !m.seenA[a] && k.name != "" {
				free[k] = append(free[k], a)
			}
		}
		for _, b := range bs {
			if !m.seenB[b] {
				left[key{name(b), b.Len}]++
			}
		}
		for _, b := range bs {
			k := key{name(b), b.Len}
			if k.name == lastOfItsLength && (len(free[k]) != 1 || left[k] != 1) {
				continue
			}
			if x := free[k]; len(x) > 0 && !m.seenB[b] {
				m.vector("generic", x[0], b)
				free[k] = x[1:]
			}
		}
	}
}

// lastOfItsLength is the name under which vectors are paired that have neither a
// role nor a name in common.
const lastOfItsLength = "any"

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

// ExpertPairs holds experts against experts by position, and a dense MLP
// against every expert of the other side.
func ExpertPairs(a, b int) (out [][2]int) {
	for e := range max(a, b) {
		switch {
		case a == 1:
			out = append(out, [2]int{0, e})
		case b == 1:
			out = append(out, [2]int{e, 0})
		case e < a && e < b:
			out = append(out, [2]int{e, e})
		}
	}
	if a == 0 || b == 0 {
		return nil
	}
	return out
}
