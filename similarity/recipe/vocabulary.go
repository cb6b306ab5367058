package recipe

import (
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Rows of embeddings and heads stand for tokens. Where a parent has more or fewer of them
// than the child, its rows are those of the child's tokens; tokens that some parent has not
// say nothing of the weights and are left out.

// vocabulary gives the row of a parent for rows of the child, by token; nil where both have
// as many.
type vocabulary map[int]int

// vocabulariesOf are those of one parent, by the role of the child's matrix.
func vocabulariesOf(p *align.Pair) map[string]vocabulary {
	out := map[string]vocabulary{}
	for _, t := range p.Towers {
		if t.A.Embedding == nil || t.B.Embedding == nil {
			continue
		}
		m := p.Tokens(t)
		if v := vocabularyOf(m, t.A.Embedding.Rows, t.B.Embedding.Rows); v != nil {
			for _, b := range []*roles.Matrix{t.B.Embedding, align.OutputMatrix(t.B)} {
				if b != nil && b.Rows == t.B.Embedding.Rows {
					out[b.Role] = v
				}
			}
		}
	}
	return out
}

func vocabularyOf(m align.TokenMatch, rowsA, rowsB int) vocabulary {
	if rowsA == rowsB || len(m.B) == 0 {
		return nil
	}
	v := make(vocabulary, len(m.B))
	for i, b := range m.B {
		v[b] = m.A[i]
	}
	return v
}

// common keeps the rows of the child's matrix whose tokens all parents have.
func (l *loader) common(role string, rows []int) []int {
	out := rows[:0]
	for _, r := range rows {
		has := true
		for _, all := range l.vocabularies {
			if v := all[role]; v != nil {
				_, known := v[r]
				has = has && known
			}
		}
		if has {
			out = append(out, r)
		}
	}
	return out
}

// rowsOf are a parent's rows for those of the child.
func (l *loader) rowsOf(k int, role string, rows []int) []int {
	v := l.vocabularies[k][role]
	if v == nil {
		return rows
	}
	out := make([]int, len(rows))
	for i, r := range rows {
		out[i] = v[r]
	}
	return out
}

// fits tells whether two matrices can be held against each other row by row.
func (l *loader) fits(k int, m align.MatrixPair) bool {
	return m.A.Cols == m.B.Cols && (m.A.Rows == m.B.Rows || l.vocabularies[k][m.B.Role] != nil)
}
