package sketches

import (
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
	at := shared(a.tokens.Rows, b.tokens.Rows)
	na, nb := len(a.tokens.Rows), len(b.tokens.Rows)
	ta, tb := a.table, b.table
	agree, pairs, total := 0, 0, 0
	for j, p := range at {
		rowA, rowB := ta[p[0]*na:], tb[p[1]*nb:]
		sum, n := 0, 0
		for _, q := range at[:j] {
			x := int(rowA[q[0]]) * int(rowB[q[1]]) // 1, 0 or -1
			sum += x
			n += x * x
		}
		if sum > 0 {
			agree++
		}
		if n > 0 {
			e.N++
		}
		pairs, total = pairs+n, total+sum
	}
	if e.N < minUnits {
		e.N, e.Skipped = 0, "too few of the little-used tokens are the same"
		return e
	}
	e.Statistic, e.Effect = float64(agree), float64(total)/float64(pairs)
	log := stats.LogP(0)
	if e.Effect >= max(untrained.SignFloor, untrained.Explained(min(na, nb), len(at), pairs), untrained.Explained(max(na, nb), len(at), pairs)) {
		log = stats.SignAgreements(agree, e.N)
	}
	e.P = &log
	return e
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
