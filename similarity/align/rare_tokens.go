package align

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// RareTokens pairs at most n embedding rows that training is least likely to
// have touched: first rows beyond the vocabulary, which pad the matrix, then
// control tokens of the same spelling, then the last of the other shared
// tokens, which tokenizers merged last. Where rows are paired by number they
// are the last rows that both have.
func (p *Pair) RareTokens(t TowerPair, n int) TokenMatch {
	if t.A.Embedding == nil || t.B.Embedding == nil {
		return TokenMatch{}
	}
	a, b, rows := p.A.Tokens, p.B.Tokens, [2]int{t.A.Embedding.Rows, t.B.Embedding.Rows}
	shared := SharedTokens(a, b, rows[0], rows[1])
	if shared.How == "index" {
		from := max(0, len(shared.A)-n)
		return TokenMatch{shared.A[from:], shared.B[from:], shared.How}
	}
	type row struct{ a, b, rank int }
	var all []row
	for i := range min(rows[0], rows[1]) {
		if padding(a, i) && padding(b, i) {
			all = append(all, row{i, i, 0})
		}
	}
	control := map[string]int{}
	for i, s := range a {
		if i < rows[0] && plainToken(s) == "" {
			control[s] = i
		}
	}
	for j, s := range b {
		if i, ok := control[s]; ok && j < rows[1] && !padding(a, i) && !padding(b, j) {
			delete(control, s)
			all = append(all, row{i, j, 1})
		}
	}
	for i := range shared.A {
		all = append(all, row{shared.A[i], shared.B[i], 2})
	}
	slices.SortStableFunc(all, func(x, y row) int { return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(y.b, x.b)) })
	m := TokenMatch{How: shared.How}
	for _, x := range all[:min(n, len(all))] {
		m.A, m.B = append(m.A, x.a), append(m.B, x.b)
	}
	return m
}

// padding tells whether a row has no token; converters to GGUF name such rows
// by their number.
func padding(tokens []string, row int) bool {
	return row >= len(tokens) || tokens[row] == "" || strings.HasPrefix(tokens[row], "[PAD") && tokens[row] == "[PAD"+strconv.Itoa(row)+"]"
}

// With adds the pairs of another match whose rows are new.
func (m TokenMatch) With(o TokenMatch) TokenMatch {
	out := TokenMatch{slices.Clone(m.A), slices.Clone(m.B), m.How}
	seen := [2]map[int]bool{{}, {}}
	for i := range m.A {
		seen[0][m.A[i]], seen[1][m.B[i]] = true, true
	}
	for i := range o.A {
		if !seen[0][o.A[i]] && !seen[1][o.B[i]] {
			out.A, out.B = append(out.A, o.A[i]), append(out.B, o.B[i])
		}
	}
	return out
}
