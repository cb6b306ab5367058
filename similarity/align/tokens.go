package align

import (
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
)

// TokenMatch lists rows of the two embeddings that stand for the same token.
type TokenMatch struct {
	A, B []int  // row numbers, pair by pair
	How  string // "string", or "index" where strings are not known
}

// SharedTokens pairs the tokens of two vocabularies by their strings. Where
// one of them has no strings, rows of equal number are paired instead, which
// is right only if the vocabulary was not reordered.
func SharedTokens(a, b []string, rowsA, rowsB int) TokenMatch {
	if len(a) == 0 || len(b) == 0 {
		m := TokenMatch{How: "index"}
		for i := range min(rowsA, rowsB) {
			m.A, m.B = append(m.A, i), append(m.B, i)
		}
		return m
	}
	at := make(map[string]int, len(a))
	for i, s := range a {
		if s = plainToken(s); s != "" && i < rowsA {
			if _, twice := at[s]; twice {
				at[s] = -1 // two spellings of one string: neither can be told
			} else {
				at[s] = i
			}
		}
	}
	m := TokenMatch{How: "string"}
	used := map[int]bool{}
	for j, s := range b {
		i, ok := at[plainToken(s)]
		if ok && i >= 0 && j < rowsB && !used[i] {
			used[i] = true
			m.A, m.B = append(m.A, i), append(m.B, j)
		}
	}
	return m
}

// plainToken brings the spellings of tokenizers together: the two signs for a
// leading space are one. Control tokens, which every model has for itself,
// become "".
func plainToken(s string) string {
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") && len(s) > 2 || strings.HasPrefix(s, "[unused") {
		return ""
	}
	return strings.ReplaceAll(s, "Ġ", "▁")
}

// Tokens pairs the vocabularies of a tower; only the main tower of a subject
// has one.
func (p *Pair) Tokens(t TowerPair) TokenMatch {
	if t.A.Embedding == nil || t.B.Embedding == nil {
		return TokenMatch{}
	}
	return SharedTokens(p.A.Tokens, p.B.Tokens, t.A.Embedding.Rows, t.B.Embedding.Rows)
}

// Sampled keeps n of the pairs, chosen at random.
func (m TokenMatch) Sampled(seed []byte, purpose string, n int) TokenMatch {
	out := TokenMatch{How: m.How}
	for _, i := range rng.New(seed, purpose).Sample(len(m.A), n) {
		out.A, out.B = append(out.A, m.A[i]), append(out.B, m.B[i])
	}
	return out
}

// SharedTokens pairs the embedding rows of a tower pair and keeps at most n
// pairs, chosen at random for the purpose.
func (p *Pair) SharedTokens(t TowerPair, purpose string, n int) TokenMatch {
	return p.Tokens(t).Sampled(p.Seed, purpose+" of "+t.B.Name, n)
}
