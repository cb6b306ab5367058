package sketches

import (
	"math/bits"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/untrained"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// TokenSigns is the name of the test on little-used tokens.
const TokenSigns = untrained.Test

// tokenSigns counts the little-used tokens of both models whose products with
// those before them go along: under the null fair coins, as package exact says
// of the same test on weights. Tokens are paired by number. Where signs go
// along no more than what training may have left unseen explains, nothing is
// found.
func tokenSigns(a, b *Prepared) similarity.Evidence {
	e := evidence(TokenSigns, "little-used tokens", "embeddings")
	e.Null = untrained.Null
	if a.tokens == nil || b.tokens == nil {
		e.Skipped = "no little-used tokens that training left untouched on both sides"
		return e
	}
	na, nb := len(a.tokens.Rows), len(b.tokens.Rows)
	at := na
	var sums tally
	if slices.Equal(a.tokens.Rows, b.tokens.Rows) {
		sums = b.products.sameTokens(a.tokens.Signs)
	} else {
		both := shared(a.tokens.Rows, b.tokens.Rows)
		at, sums = len(both), productsOf(a.tokens).along(b.products, both)
	}
	e.N = sums.tokens
	if e.N < minUnits {
		e.N, e.Skipped = 0, "too few of the little-used tokens are the same"
		return e
	}
	e.Statistic, e.Effect = float64(sums.agree), float64(sums.total)/float64(sums.pairs)
	log := stats.LogP(0)
	if e.Effect >= max(untrained.SignFloor, untrained.Explained(min(na, nb), at, sums.pairs), untrained.Explained(max(na, nb), at, sums.pairs)) {
		log = stats.SignAgreements(sums.agree, e.N)
	}
	e.P = &log
	return e
}

// tally counts products that go along on both sides, token by token.
type tally struct {
	tokens int // that have a product
	agree  int // of these, that go along more often than not
	pairs  int // products
	total  int // products that go along, less those that do not
}

// add counts a token of n products, of which sum more go along than do not.
func (t *tally) add(sum, n int) {
	if sum > 0 {
		t.agree++
	}
	if n > 0 {
		t.tokens++
	}
	t.pairs, t.total = t.pairs+n, t.total+sum
}

// products are the signs that a sketch of tokens publishes.
type products struct {
	n     int
	table []int8   // as Tokens.Table has them
	ends  []int    // of the signs of each token and those before it
	signs []uint64 // bits, one after the other
}

func productsOf(t *fingerprint.Tokens) *products {
	p := &products{n: len(t.Rows), table: t.Table(), signs: t.Signs}
	k := 0
	for j := range p.n {
		for _, x := range p.table[j*p.n : (j+1)*p.n] {
			k += int(x * x)
		}
		p.ends = append(p.ends, k)
	}
	return p
}

// along holds the products of tokens at the given places against each other.
func (p *products) along(o *products, at [][2]int) (t tally) {
	for j, x := range at {
		rowA, rowB := p.table[x[0]*p.n:], o.table[x[1]*o.n:]
		sum, n := 0, 0
		for _, y := range at[:j] {
			z := int(rowA[y[0]]) * int(rowB[y[1]]) // 1, 0 or -1
			sum += z
			n += z * z
		}
		t.add(sum, n)
	}
	return t
}

// sameTokens is along for signs of the very same tokens: bits stand against bits.
func (p *products) sameTokens(signs []uint64) (t tally) {
	from := 0
	for _, end := range p.ends {
		n := end - from
		t.add(n-2*p.differing(signs, from, end), n)
		from = end
	}
	return t
}

// differing counts the bits [from, to) that differ.
func (p *products) differing(signs []uint64, from, to int) (n int) {
	for from < to {
		w, b := from/64, from%64
		m := min(64-b, to-from)
		n += bits.OnesCount64((p.signs[w] ^ signs[w]) >> b << (64 - m))
		from += m
	}
	return n
}

// shared lists the places of equal numbers in two ascending lists.
func shared(a, b []int) (out [][2]int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		}
	}
	return out
}
