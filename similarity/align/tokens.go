package align

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
)

// TokenMatch lists rows of the two embeddings that stand for the same token.
type TokenMatch struct {
	A, B []int  // row numbers, pair by pair
	How  string // "string", or "index" where strings are not known
}

// fewTokens is how many tokens two vocabularies must have in common before
// their strings are believed to say which rows belong together. Of a
// vocabulary of less than twice as many it is half.
const fewTokens = 64

// padded is the share of the rows by which two embeddings may differ in length
// and still be taken for the same vocabulary, padded differently.
const padded = 1.0 / 16

// SharedTokens pairs the tokens of two vocabularies by their strings. Where
// one of them has no strings, rows of equal number are paired instead, which
// is right only if the vocabulary was not reordered. So they are where both
// have strings, next to none in common, and as many rows up to padding: strings
// lie beside the weights, and whoever edits them must not hide the weights.
func SharedTokens(a, b []string, rowsA, rowsB int) TokenMatch {
	if len(a) == 0 || len(b) == 0 {
		return sameRows(rowsA, rowsB)
	}
	m := sameStrings(a, b, rowsA, rowsB)
	least, most := min(rowsA, rowsB), max(rowsA, rowsB)
	if !believed(len(m.A), least) && float64(most-least) <= padded*float64(most) {
		return sameRows(rowsA, rowsB)
	}
	return m
}

// believed tells whether so many tokens in common are enough, where the smaller
// embedding has that many rows.
func believed(common, rows int) bool { return common >= min(fewTokens, (rows+1)/2) }

// sameRows pairs rows of equal number.
func sameRows(rowsA, rowsB int) TokenMatch {
	n := min(rowsA, rowsB)
	m := TokenMatch{How: "index", A: make([]int, n), B: make([]int, n)}
	for i := range n {
		m.A[i], m.B[i] = i, i
	}
	return m
}

// sameStrings pairs rows whose tokens are spelled alike.
func sameStrings(a, b []string, rowsA, rowsB int) TokenMatch {
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

// TokenNotes says where the vocabularies could not be paired by their strings
// although both have some.
func (p *Pair) TokenNotes() (notes []string) {
	if len(p.A.Tokens) == 0 || len(p.B.Tokens) == 0 {
		return nil
	}
	for _, t := range p.Towers {
		if t.A.Embedding == nil || t.B.Embedding == nil {
			continue
		}
		switch m := p.Tokens(t); {
		case m.How == "index":
			notes = append(notes, fmt.Sprintf("the vocabularies have next to no token strings in common; their rows are paired by number, which is right only if the vocabulary was not reordered (%d rows)", len(m.A)))
		case len(m.A) < fewTokens && len(m.A) < min(t.A.Embedding.Rows, t.B.Embedding.Rows):
			notes = append(notes, fmt.Sprintf("the vocabularies have %d token strings in common and differ in size; tests that go through shared tokens are skipped", len(m.A)))
		}
	}
	return notes
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

// TokensByString tells whether enough tokens of a tower are paired by their
// strings to say which rows belong together.
func (p *Pair) TokensByString(t TowerPair) bool {
	m := p.Tokens(t)
	return m.How == "string" && len(m.A) > 0 && believed(len(m.A), min(t.A.Embedding.Rows, t.B.Embedding.Rows))
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
